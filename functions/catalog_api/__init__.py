"""Lambda function of the HTTP API, which reads and writes the catalog."""
