"""A stack's configuration as Pulumi passes it to the program: the stack file and its ESC environments together."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import pulumi_yaml
from cli import children
from operations import pulumi_cli
from operations.stack_outputs import ROOT, stack_file


class UnreadableEnvironmentError(Exception):
    """An ESC environment of the stack cannot be opened. The message says why."""


def read(stack: str) -> dict[str, Any]:
    """Return the configuration of `stack` as {"namespace:key": value}, with decrypted secrets. Raises PulumiError."""
    found = pulumi_cli.document(stack, "config", "--json", "--show-secrets")
    return {key: _value(cast("dict[str, Any]", entry)) for key, entry in found.items()}


def environment(stack: str) -> dict[str, str]:
    """Return the environment variables that the stack's ESC environments set for each Pulumi command.

    `pulumi config` does not show these variables, so this function opens each environment. Later environments take
    precedence. Raises UnreadableEnvironmentError.
    """
    try:
        names: Any = pulumi_yaml.read(stack_file(stack)).get("environment") or []
    except pulumi_yaml.PulumiYamlError as error:
        raise UnreadableEnvironmentError(str(error)) from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in cast("list[Any]", names)):
        raise UnreadableEnvironmentError(
            f"{stack_file(stack).name}: environment: only a list of environment names can be read"
        )
    variables: dict[str, str] = {}
    for name in cast("list[str]", names):
        command = ("pulumi", "env", "open", name, "--format", "json", "--non-interactive")
        done = children.run(command, cwd=ROOT)
        if done.returncode:
            raise UnreadableEnvironmentError(f"{name}: {' '.join(done.stderr.split())}")
        opened = cast("dict[str, Any]", json.loads(done.stdout)).get("environmentVariables")
        variables |= {key: str(value) for key, value in cast("dict[str, Any]", opened or {}).items()}
    return variables


def _value(entry: Mapping[str, Any]) -> Any:
    """Return the value of an entry of `pulumi config --json`.

    The CLI can print a list or an object as JSON text. In this case, return the parsed value.
    """
    if "objectValue" in entry:
        return entry["objectValue"]
    text = entry.get("value")
    if isinstance(text, str) and text[:1] in ("[", "{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
