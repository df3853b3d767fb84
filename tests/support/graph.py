"""Lets tests and tools use engine/graph.py, which records the Pulumi program's resource graph."""

from __future__ import annotations

from engine.graph import ACCOUNT, REGION, ROOT, Graph, Resource, record, rule_path, run, stack_config

__all__ = ["ACCOUNT", "REGION", "ROOT", "Graph", "Resource", "record", "rule_path", "run", "stack_config"]
