"""The Matrix edge: what the homeserver tells us, and what we ask of it."""
