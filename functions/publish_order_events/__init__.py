"""Lambda function of the outbox relay, which publishes one event for each status that an order reaches."""
