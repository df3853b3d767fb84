"""Lambda function that writes an analytics record to S3 for each event."""
