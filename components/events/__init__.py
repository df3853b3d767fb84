"""The event bus, the outbox relay that publishes events, and the consumers of the events."""
