"""The whole bridge on this machine, no account needed: a homeserver, a Slack and the bridge, as three programs.

`python -m tests.demo` stays up, shows what is said on both sides and tells how to take part; with ONCE=1 it plays a
conversation, reads both sides back, prints what was checked and ends with 0 or 1.
"""
