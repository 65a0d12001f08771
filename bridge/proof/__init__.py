"""Proof: rooms read back from the homeserver, and compared with what Slack had."""
