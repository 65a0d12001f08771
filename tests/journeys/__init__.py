"""The whole service on its way: real parts or honest stand-ins around it, and nothing inside replaced."""
