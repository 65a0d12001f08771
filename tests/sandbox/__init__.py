"""Small honest stand-ins for the world outside, for the tests and the demo."""
