"""The Pulumi components of the order platform, and the helper modules that the components share."""
