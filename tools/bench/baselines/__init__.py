"""Handlers that a user would write without this platform. Each one is measured as a Lambda function of its own."""
