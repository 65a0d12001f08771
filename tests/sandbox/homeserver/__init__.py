"""Homeservers for tests and demo: the real Synapse, and an instant one that remembers everything."""
