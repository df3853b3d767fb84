"""Lambda function for /users of the REST API, which creates and reads profiles."""
