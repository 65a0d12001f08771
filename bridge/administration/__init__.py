"""What admins ask and do, whichever way they come: command line, Matrix, console or HTTP API.

Each way reads words of its own and shows answers in its own; what is done, what is refused and what the audit log says
of it is here, once. What cannot be done is `Declined`, with what to do instead. Whatever changes something leaves a
request in the store, which a running bridge takes up within a second, and one that rests at its next start.
"""
