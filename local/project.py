"""Pulumi.yaml and Pulumi.local.yaml, read as the Pulumi CLI reads them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

import yaml

from local.errors import LocalError

STACK = "local"


@dataclass(frozen=True)
class Project:
    """A Pulumi program and the configuration of its stack `local`."""

    name: str
    root: Path
    """Directory of Pulumi.yaml."""
    program: Path
    """The program's file."""
    config: dict[str, str]
    """`namespace:key` -> value as the CLI hands it to the program; structured values are JSON text."""


def load(root: Path) -> Project:
    """Read the project in `root`.

    Raises LocalError for a missing or broken file, a secret (only the CLI has its key), or a key without namespace.
    """
    project = _mapping(root / "Pulumi.yaml")
    name = project.get("name")
    if not isinstance(name, str):
        raise LocalError(f"{root / 'Pulumi.yaml'}: no `name`. Remedy: give the project one.")
    main = str(project.get("main", "__main__.py"))
    program = root / main if main.endswith(".py") else root / main / "__main__.py"
    config = _project_config(name, project)
    stack_file = root / f"Pulumi.{STACK}.yaml"
    for key, value in _section(_mapping(stack_file), "config", stack_file).items():
        if ":" not in key:
            raise LocalError(f"{stack_file}: key {key!r} has no namespace. Remedy: write `{name}:{key}`.")
        config[key] = _text(key, value, stack_file)
    return Project(name=name, root=root, program=program, config=config)


def _project_config(name: str, project: dict[str, Any]) -> dict[str, str]:
    """Return the values of Pulumi.yaml that hold for every stack; `orders:` before keys without namespace."""
    path = Path("Pulumi.yaml")
    config: dict[str, str] = {}
    for key, declared in _section(project, "config", path).items():
        value: Any = declared
        if isinstance(declared, dict) and {"value", "default", "type"} & set(cast("dict[str, Any]", declared)):
            typed = cast("dict[str, Any]", declared)
            value = typed.get("value", typed.get("default"))
        if value is not None:
            full = key if ":" in key else f"{name}:{key}"
            config[full] = _text(full, value, path)
    return config


def _text(key: str, value: Any, path: Path) -> str:
    if isinstance(value, dict) and "secure" in value:
        raise LocalError(
            f"{path}: {key} is a secret, which only the Pulumi CLI can decrypt. "
            "Remedy: stack `local` needs no secret; give a plain value."
        )
    return value if isinstance(value, str) else json.dumps(value)


def _section(document: dict[str, Any], name: str, path: Path) -> dict[str, Any]:
    section: Any = document.get(name) or {}
    if not isinstance(section, dict):
        raise LocalError(f"{path}: `{name}` is not a mapping.")
    return cast("dict[str, Any]", section)


def _mapping(path: Path) -> dict[str, Any]:
    try:
        loaded = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise LocalError(f"{path} is missing.") from None
    except yaml.YAMLError as error:
        raise LocalError(f"{path} is not YAML: {error}") from None
    if not isinstance(loaded, dict):
        raise LocalError(f"{path} holds no mapping.")
    return cast("dict[str, Any]", loaded)
