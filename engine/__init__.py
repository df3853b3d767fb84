"""Runs the Pulumi program without the Pulumi CLI.

The local runner (local/) uses this package to deploy to the emulator. Tests and tools use it to record the resources
that the program registers (graph.py).
"""
