"""Stream of the orders table -> bus: one event for each status that an order reaches."""
