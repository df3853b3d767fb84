"""Reads Pulumi.yaml and Pulumi.local.yaml as the Pulumi CLI does, or rejects them with a one-line message.

This module rejects what only the CLI can handle: encrypted values, environments, typed declarations in Pulumi.yaml, and
another directory for the stack files.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import pulumi_yaml
from local.errors import LocalError
from pulumi_yaml import PulumiYamlError, quoted

STACK = "local"
_PROJECT_FILE: Final = "Pulumi.yaml"
_STACK_FILE: Final = f"Pulumi.{STACK}.yaml"
# These keys configure how the Pulumi CLI encrypts secrets. The local stack has no encrypted values, so this module
# ignores the keys.
_ENCRYPTION: Final = ("secretsprovider", "encryptedkey", "encryptionsalt")
_ENVIRONMENTS: Final = ("environment", "mainEnvironment")
_NAME: Final = re.compile(r"[A-Za-z0-9._-]+")
_MAIN: Final = re.compile(r"[^\0]+")
_REGION_KEY: Final = "aws:region"
_REGION: Final = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_PATH: Final = re.compile(r"[.\[]")
_DECLARATION: Final = frozenset({"value", "default", "description"})


@dataclass(frozen=True)
class Project:
    """A Pulumi program and the configuration of its stack `local`."""

    name: str
    root: Path
    """Directory of Pulumi.yaml."""
    program: Path
    """Path of the program's main file."""
    config: dict[str, str]
    """Configuration by `namespace:key`, as text in the CLI's format. Structured values are JSON text."""


def load(root: Path) -> Project:
    """Read the project in `root`. Raises LocalError if a file is unreadable or only the Pulumi CLI supports it."""
    try:
        return _load(root)
    except PulumiYamlError as error:
        raise LocalError(str(error)) from None


def _load(root: Path) -> Project:
    project = pulumi_yaml.read(root / _PROJECT_FILE)
    name, main = project.get("name"), project.get("main", "__main__.py")
    for key, value, pattern, allowed in (
        ("name", name, _NAME, "letters, digits, dots, hyphens and underscores"),
        ("main", main, _MAIN, "the program's file or directory"),
    ):
        if not isinstance(value, str) or not pattern.fullmatch(value):
            raise PulumiYamlError(f"{_PROJECT_FILE}: {key}: got {quoted(value)}; allowed: {allowed}; correct it there")
    name, main = cast("str", name), cast("str", main)
    if project.get("stackConfigDir"):
        raise PulumiYamlError(
            f"{_PROJECT_FILE}: stackConfigDir: got a value; this key is not allowed; "
            f"move the stack files beside {_PROJECT_FILE}"
        )
    given = _given(name, pulumi_yaml.read(root / _STACK_FILE, secrets=False))
    values = {**_declared(name, project, given), **given}
    config = {key: pulumi_yaml.config_text(value) for key, value in values.items()}
    region = config.get(_REGION_KEY)
    if region is not None and not _REGION.fullmatch(region):
        # Validate the region here, because the emulator and the SDK need it before the program validates its own
        # settings.
        raise PulumiYamlError(
            f"{_STACK_FILE}: {_REGION_KEY}: got {quoted(region)}; allowed: an AWS region such as ap-northeast-1; "
            "correct it there"
        )
    return Project(
        name=name,
        root=root,
        program=root / main if main.endswith(".py") else root / main / "__main__.py",
        config=config,
    )


def _given(project: str, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration in `document`, the content of the stack file, as {"namespace:key": value}."""
    for key in _ENCRYPTION:
        if isinstance(document.get(key), (dict, list)):
            got = quoted(document[key])
            raise PulumiYamlError(
                f"{_STACK_FILE}: {key}: got {got}; allowed: a string; remove it, or let the CLI set it"
            )
    for key in _ENVIRONMENTS:
        if document.get(key):
            allowed = f"none, because only Pulumi Cloud can open it; write the values under `config` of {_STACK_FILE}"
            raise PulumiYamlError(f"{_STACK_FILE}: {key}: got an environment; allowed: {allowed}")
    given: dict[str, Any] = {}
    for key, value in _section(_STACK_FILE, document).items():
        full = _full_key(_STACK_FILE, project, key)
        if full in given:
            raise PulumiYamlError(f"{_STACK_FILE}: {quoted(full)[1:-1]}: got the key twice; allowed: once; remove one")
        given[full] = value
    return given


def _declared(project: str, document: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the configuration values in `document`, the content of Pulumi.yaml. They apply to every stack.

    `given` is the configuration in the stack file. If Pulumi.yaml declares a key without a value, `given` must set it.
    """
    found: dict[str, Any] = {}
    for key, declared in _section(_PROJECT_FILE, document).items():
        full = _full_key(_PROJECT_FILE, project, key)
        own = full.startswith(f"{project}:")
        fields = cast("dict[str, Any]", declared) if isinstance(declared, dict) else {"value": declared}
        allowed = _DECLARATION if own else _DECLARATION - {"default"}
        unknown = sorted(fields.keys() - allowed)
        # Reject keys that contain a dot or a bracket. The CLI would interpret them as a path into a structured value.
        if unknown or {"value", "default"} <= fields.keys() or isinstance(declared, float) or _PATH.search(key):
            got = quoted(", ".join(unknown))[1:-1] or quoted(declared)
            fields_allowed = " or ".join(sorted(allowed - {"description"}))
            raise PulumiYamlError(
                f"{_PROJECT_FILE}: config.{quoted(key)[1:-1]}: got {got}; allowed: a string, whole number, boolean or "
                f"list, or a mapping with {fields_allowed}; correct the value, or set it in {_STACK_FILE}"
            )
        value = fields.get("value", fields.get("default"))
        if value is not None:
            found[full] = value
        elif full not in given and (own or "value" in fields):
            raise PulumiYamlError(
                f"{_STACK_FILE}: {quoted(full)[1:-1]}: got nothing; {_PROJECT_FILE} declares it; give it a value"
            )
    return found


def _section(name: str, document: Mapping[str, Any]) -> dict[str, Any]:
    section: Any = document.get("config")
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise PulumiYamlError(f"{name}: config: got {quoted(section)}; allowed: a mapping of keys to values")
    return cast("dict[str, Any]", section)


def _full_key(name: str, project: str, key: str) -> str:
    """Return the key as `namespace:key`. Pulumi adds the project's name to a key without a namespace."""
    if key.count(":") > 1:
        raise PulumiYamlError(f"{name}: {quoted(key)}: got more than one colon; allowed: `{project}:key`")
    return key if ":" in key else f"{project}:{key}"
