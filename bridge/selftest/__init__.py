"""Proving an installation on the real Slack and the real homeserver, in a channel and a room made for it."""
