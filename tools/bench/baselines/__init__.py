"""Handlers that a user would otherwise write. Each is run alone, as a function of its own."""
