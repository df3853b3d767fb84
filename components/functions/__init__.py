"""How a Lambda function is declared, packaged and given its layers."""
