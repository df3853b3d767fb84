"""Code that all functions share. The Lambda layer `common` contains this package."""
