"""The common layer: what the functions share."""
