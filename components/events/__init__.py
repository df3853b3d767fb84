"""The event bus, the outbox relay that fills it, and the consumers of its events."""
