"""Lambda function that starts the workflow of an accepted order."""
