"""`make bench` compares the cost of the platform's functions and of handlers that a user would write instead."""
