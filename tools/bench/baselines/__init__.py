"""Handlers that a user would otherwise write. Each one is measured as a function of its own."""
