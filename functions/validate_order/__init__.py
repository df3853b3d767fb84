"""Workflow, ValidateInput."""
