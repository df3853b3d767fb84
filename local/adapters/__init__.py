"""The resource types that can be deployed to the emulator: one module for each AWS service."""

from __future__ import annotations

import importlib
import pkgutil

from local.adapters.base import ADAPTERS, Adapter


def adapter(token: str) -> Adapter | None:
    """Return the adapter of the resource type `token`, or None."""
    if not ADAPTERS:
        for module in pkgutil.iter_modules(__path__):
            importlib.import_module(f"{__name__}.{module.name}")
    return ADAPTERS.get(token)
