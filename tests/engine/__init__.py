"""Tests that run the project's Pulumi program with the real Pulumi CLI and engine.

A stand-in takes the place of the AWS provider. It stores the resources in a file instead of creating them on AWS.
Everything else is Pulumi's own: state, diffs, replacement order, aliases, protection, policy packs, plans, locks and
pending operations.
"""
