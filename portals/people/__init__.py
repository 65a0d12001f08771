"""Slack's people and their own Matrix accounts: who is linked to whom, on whose word, and what follows from it.

Nobody is ever linked by a guess: not by a name, however alike. What counts is an e-mail address or an identity of
single sign-on that the homeserver knows to be the account's, or the word of an admin.
"""
