"""`make bench` measures the platform's functions against handlers that a user would otherwise write, as ratios."""
