"""The HTTP API for programs, under `/api/v1`: what admins do, described by the very types that its handlers take."""
