"""The attack `repeated-events` delivers every event several times and in random order.

First a few orders of each kind go through the platform normally, as a model. Then many more orders get their events
twice and shuffled, and finally all events are delivered again through the bus, the queue and the stream. The final
state of all orders must equal that of the model orders: the same statuses, stock, emails, analytics records and
executions, without duplicates. Run the attack alone with `make prove ATTACKS=repeated-events`.
"""
