"""Lambda function that emails customers about their orders."""
