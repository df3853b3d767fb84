"""Attacks on what the platform promises: `make prove` runs them in full, `make test` in a small dose."""
