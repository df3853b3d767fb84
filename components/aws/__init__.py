"""Modules that all components share: names and tags, IAM, queues and topics, KMS keys, and OpenAPI documents."""
