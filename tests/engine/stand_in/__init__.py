"""Plugins that the Pulumi CLI starts: a provider whose "AWS" is a file, and a language host for Python."""
