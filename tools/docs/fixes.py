"""Builds the table of docs/emulator-fixes.md from the docstrings of the corrections to the emulator."""

from __future__ import annotations

import importlib
import importlib.metadata
import re
from dataclasses import dataclass
from typing import Final

import emulator_fixes

_LABELS: Final = ("Emulator", "AWS", "Source", "Upstream")


@dataclass(frozen=True)
class Fix:
    """The labeled parts of a correction's docstring."""

    summary: str
    emulator: str
    """What the emulator does without the correction."""
    aws: str
    """What AWS does."""
    sources: tuple[str, ...]
    """URLs of the documents that describe what AWS does."""
    upstream: str
    """What to report to the emulator's project, or why there is nothing to report."""


def read(docstring: str) -> Fix:
    """Return the labeled parts of a docstring. Raises ValueError if a part is missing or empty."""
    found: dict[str, list[str]] = {label: [] for label in _LABELS}
    for label, text in re.findall(r"^(\w+): +(.+(?:\n    .+)*)$", docstring, re.MULTILINE):
        if label in found:
            found[label].append(" ".join(text.split()))
    if missing := [label for label, texts in found.items() if not texts]:
        raise ValueError(f"docstring: no {', '.join(missing)}; required: one line or more for each of {_LABELS}")
    return Fix(
        summary=" ".join(docstring.split("\n\n", maxsplit=1)[0].split()),
        emulator=" ".join(found["Emulator"]),
        aws=" ".join(found["AWS"]),
        sources=tuple(found["Source"]),
        upstream=" ".join(found["Upstream"]),
    )


def tracker() -> str:
    """Return the URL of the emulator's issue tracker, from the metadata of the emulator's package."""
    urls = importlib.metadata.metadata(emulator_fixes.PACKAGE).get_all("Project-URL") or []
    (address,) = [url.partition(", ")[2] for url in urls if url.startswith("Issues, ")]
    return address


def table() -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    """Return the header and the rows of the table of corrections."""
    rows: list[tuple[str, ...]] = []
    for name in emulator_fixes.NAMES:
        fix = read(importlib.import_module(f"{emulator_fixes.__name__}.{name}").__doc__ or "")
        sources = ", ".join(f"[{number}]({address})" for number, address in enumerate(fix.sources, 1))
        link = f"[`{name}`](../emulator_fixes/{name}.py)"
        rows.append((link, fix.emulator, fix.aws, sources, fix.upstream))
    return ("correction", "the emulator's behavior", "AWS's behavior", "source", "what to report to ministack"), rows
