"""Plugins for the Pulumi CLI: a provider with a file in place of AWS, and a language host for Python."""
