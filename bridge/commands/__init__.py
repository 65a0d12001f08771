"""Commands that people give the bot in rooms: `desk` takes them, the others carry them out.

What admins may do is done by `bridge.administration`, which the command line and the HTTP API go through as well.
"""
