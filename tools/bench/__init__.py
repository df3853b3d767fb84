"""`make bench` compares the cost of the platform's functions with that of handlers that a user would write instead."""
