"""Plugins for the Pulumi CLI: a provider that stores resources in a file, and a language host for Python."""
