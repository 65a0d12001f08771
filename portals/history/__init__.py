"""History: what was said while nobody listened, as payloads that take the same way as what is said now."""
