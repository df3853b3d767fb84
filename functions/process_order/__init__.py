"""OrderCreated -> the order's workflow."""
