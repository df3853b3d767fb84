"""Analytics queue -> one object for each event in S3."""
