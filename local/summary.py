"""What runs where, in a few lines."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

from local.instance import DEFAULT_PORT, ROOT_KEY, Instance


def summary(instance: Instance, outputs: Mapping[str, Any], seconds: float) -> str:
    """Return the end of `make up`'s report."""
    lines = [f"\nReady in {seconds:.1f} s.", ""]
    frontend, local = outputs.get("frontend"), outputs["local"]
    if frontend:
        lines += [
            _line("REST API", frontend["restApi"]["url"]),
            _line("HTTP API", frontend["httpApi"]["url"]),
            _line("sign-in page", f"{frontend['auth']['hostedUiUrl']}/oauth2/authorize"),
            _line("customer", f"{local['customer']['username']}  {local['customer']['password']}"),
            _line("administrator", f"{local['admin']['username']}  {local['admin']['password']}"),
        ]
    lines += [
        _line("AWS APIs", f"{instance.url}, key and secret `{ROOT_KEY}`"),
        _line("outputs, log", f"{_short(instance, 'outputs.json')}, {_short(instance, 'emulator.log')}"),
        "",
    ]
    port = "" if instance.port == DEFAULT_PORT else f" PORT={instance.port}"
    lines.append(f"Try:  make order{port}      Stop:  make down{port}")
    return "\n".join(lines)


def _line(name: str, value: str) -> str:
    return f"  {name:<14} {value}"


def _short(instance: Instance, name: str) -> str:
    return os.path.relpath(instance.home / name)
