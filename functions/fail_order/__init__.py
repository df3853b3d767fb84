"""Lambda function that marks orders as FAILED if their STANDARD execution ended without deciding them."""
