"""Adapters that deploy the program's resource types to the emulator, with one module for each AWS service."""

from __future__ import annotations

import importlib
import pkgutil

from local.adapters.base import ADAPTERS, Adapter

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def adapter(token: str) -> Adapter | None:
    """Return the adapter of the Pulumi resource type `token`, or None if there is no adapter."""
    return ADAPTERS.get(token)
