"""The recorder of resource graphs, which `make cost` uses as well."""

from __future__ import annotations

from operations.resource_graph import ACCOUNT, REGION, ROOT, Graph, Resource, record, rule_path, run, stack_config

__all__ = ["ACCOUNT", "REGION", "ROOT", "Graph", "Resource", "record", "rule_path", "run", "stack_config"]
