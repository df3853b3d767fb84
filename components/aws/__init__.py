"""Building blocks that every capability shares: names and tags, IAM, queues and topics, keys, OpenAPI."""
