"""The functions of engine/graph.py that record the Pulumi program's resource graph, for tests and tools."""

from __future__ import annotations

from engine.graph import ACCOUNT, REGION, ROOT, Graph, Resource, record, rule_path, run, stack_config

__all__ = ["ACCOUNT", "REGION", "ROOT", "Graph", "Resource", "record", "rule_path", "run", "stack_config"]
