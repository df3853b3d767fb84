"""Lambda function for /orders of the REST API, which places, reads, lists and cancels orders."""
