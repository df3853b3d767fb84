"""/orders: place, read, list and cancel."""
