"""Lambda function that sets orders to FAILED if their STANDARD execution ended without a decision."""
