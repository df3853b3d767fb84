"""The capabilities of the order platform as Pulumi components, and the pure helpers that they share."""
