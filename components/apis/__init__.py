"""The REST API and the HTTP API, created from the OpenAPI documents in contracts/."""
