"""The summary that `make up` prints at its end: URLs, users and commands."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from local.instance import ROOT_KEY, Instance


def summary(instance: Instance, outputs: Mapping[str, Any], seconds: float) -> str:
    """Return the summary's text. `seconds` is the duration of `make up`."""
    lines = [f"\nReady in {seconds:.1f} s.", ""]
    frontend, local = outputs.get("frontend"), outputs["local"]
    if frontend:
        lines += [
            _line("REST API", frontend["restApi"]["url"]),
            _line("HTTP API", frontend["httpApi"]["url"]),
            _line("sign-in page", _sign_in_page(frontend["auth"])),
            _line("customer", f"{local['customer']['username']}  {local['customer']['password']}"),
            _line("administrator", f"{local['admin']['username']}  {local['admin']['password']}"),
        ]
    lines += [
        _line("AWS APIs", f"{instance.url}, key and secret `{ROOT_KEY}`"),
        _line("outputs, log", f"{_short(instance, 'outputs.json')}, {_short(instance, 'emulator.log')}"),
        "",
    ]
    lines.append(f"Try:  {instance.command('order')}      Stop and delete all data:  {instance.command('down')}")
    return "\n".join(lines)


def _line(name: str, value: str) -> str:
    return f"  {name:<14} {value}"


def _sign_in_page(auth: Mapping[str, Any]) -> str:
    """Return the URL of the sign-in page.

    After the sign-in, Cognito redirects the browser to the first redirect URI, with an authorization code.
    """
    query = {
        "response_type": "code",
        "client_id": auth["userPoolClientId"],
        "redirect_uri": auth["redirectUris"][0],
        "scope": "openid email",
    }
    return f"{auth['hostedUiUrl']}/oauth2/authorize?{urlencode(query)}"


def _short(instance: Instance, name: str) -> str:
    return os.path.relpath(instance.home / name)
