"""Edits the Pulumi program, the contracts and the settings in a copy of the checkout, as a developer would."""

from __future__ import annotations

import shutil
from pathlib import Path


def edit(checkout: Path, path: str, *changes: tuple[str, str]) -> None:
    """Replace texts in the file `path` of `checkout`. `changes` are (old, new) pairs.

    Fails unless the file contains each old text exactly once.
    """
    file = checkout / path
    content = file.read_text(encoding="utf-8")
    for old, new in changes:
        assert content.count(old) == 1, f"{path}: got {content.count(old)} occurrences of {old!r}; allowed: 1"
        content = content.replace(old, new)
    file.write_text(content, encoding="utf-8")


def add_stack(checkout: Path, stack: str, like: str) -> None:
    """Add a stack file for `stack`, with the settings of the stack `like`."""
    shutil.copy2(checkout / f"Pulumi.{like}.yaml", checkout / f"Pulumi.{stack}.yaml")
