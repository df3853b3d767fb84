"""`make bench`: what the platform does, side by side with what a user would otherwise write, as ratios."""
