"""The REST API and the HTTP API, made from the OpenAPI documents in contracts/."""
