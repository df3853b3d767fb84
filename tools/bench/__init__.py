"""`make bench`: compares the platform's functions with handlers that a user could write instead, as ratios."""
