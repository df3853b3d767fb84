"""The attack `repeated-events` delivers every event several times and in random order.

First, the platform processes a few orders of each kind normally. These are the reference orders. Then many more orders
get their events twice and in random order. Finally, all events are delivered again through the bus, the queue and the
stream. The final state of all orders must equal that of the reference orders: the same statuses, stock, emails,
analytics records and executions, without duplicates. Run the attack alone with `make prove ATTACKS=repeated-events`.
"""
