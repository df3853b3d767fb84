"""Workflow, UpdateInventory."""
