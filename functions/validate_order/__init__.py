"""Lambda function of the workflow's step ValidateInput."""
