"""Handlers that a user could write instead of ours. `make bench` runs each handler as a separate function."""
