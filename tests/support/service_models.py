"""Checks the arguments of AWS calls against AWS's service models, in more detail than the SDK does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, cast


def violations(shape: Any, value: Any, path: str = "") -> Iterator[str]:
    """Yield a message for each rule of botocore's `shape` (enum, pattern, length or range) that `value` violates."""
    if shape.type_name in ("structure", "list", "map"):
        yield from _container(shape, value, path)
    elif shape.type_name == "string" and isinstance(value, str):
        yield from _text(shape, value, path)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _bounds(shape, value, path, "")


def _container(shape: Any, value: Any, path: str) -> Iterator[str]:
    if shape.type_name == "list":
        items = cast("list[Any]", value)
        yield from _bounds(shape, len(items), path, "items")
        for number, item in enumerate(items):
            yield from violations(shape.member, item, f"{path}[{number}]")
        return
    for key, item in cast("dict[str, Any]", value).items():
        if shape.type_name == "map":
            yield from violations(shape.key, key, f"{path}.{key}")
            yield from violations(shape.value, item, f"{path}.{key}")
        elif key in shape.members:
            yield from violations(shape.members[key], item, f"{path}.{key}")


def _text(shape: Any, value: str, path: str) -> Iterator[str]:
    allowed = shape.metadata.get("enum")
    if allowed and value not in allowed:
        yield f"{path}: got {value!r}; allowed: {allowed}"
    yield from _bounds(shape, len(value), path, "characters")
    pattern = shape._shape_model.get("pattern")
    if pattern and not _matches(pattern, value):
        yield f"{path}: {value[:80]!r} does not match {pattern}"


def _matches(pattern: str, value: str) -> bool:
    # The patterns have Java's syntax, and Python cannot compile some of them. For a pattern that Python cannot compile,
    # this function accepts any value.
    try:
        return re.search(rf"^(?:{pattern})$", value, re.DOTALL) is not None
    except re.error:
        return True


def _bounds(shape: Any, size: float, path: str, unit: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < float(low):
        yield f"{path}: got {size} {unit}; allowed: at least {low}"
    if high is not None and size > float(high):
        yield f"{path}: got {size} {unit}; allowed: at most {high}"
