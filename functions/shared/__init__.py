"""Code that all functions share. It is deployed as the Lambda layer `common`."""
