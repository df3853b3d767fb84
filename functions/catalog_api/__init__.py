"""HTTP API: the catalogue."""
