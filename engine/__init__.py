"""Runs the Pulumi program without the Pulumi CLI: for the local runner (local/) and for recorded graphs (graph.py)."""
