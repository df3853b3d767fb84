"""Declares Lambda functions, and builds their archives and layers."""
