"""Orders and what they are made of: pure values and rules. Time and ids are arguments; nothing here knows AWS."""
