"""The resource types that can be deployed to the emulator: one module for each AWS service."""

from __future__ import annotations

import importlib
import pkgutil

from local.adapters.base import ADAPTERS, Adapter

for _module in pkgutil.iter_modules(__path__):
    importlib.import_module(f"{__name__}.{_module.name}")


def adapter(token: str) -> Adapter | None:
    """Return the adapter of the resource type `token`, or None."""
    return ADAPTERS.get(token)
