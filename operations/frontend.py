"""Writes the files that a frontend needs to use a stack. The files contain no secrets.

Usage: `python -m operations.frontend STACK [--port PORT]`. The files of the local stack are in `.local/frontend` or
`.local/PORT/frontend`. The files of any other stack are in `.local/frontend-STACK`.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3

from cli import endings
from cli.errors import naming
from local import loopback
from local.errors import LocalError
from local.instance import DEFAULT_PORT, HTTPS, ROOT, Instance, instance, port_number
from operations import stack_outputs
from operations.stack_outputs import ERROR_LOG, LOCAL_STACK, OperationError

DOCUMENTS: Final = ("rest-api.yaml", "http-api.yaml")
_LOCALHOST: Final = "localhost"
"""Host name in the certificate of the HTTPS port."""
_OPENED_WITHIN_S: Final = 30.0
_OK: Final = 200


def files(frontend: Mapping[str, Any], page: str) -> dict[str, str]:
    """Return the content of each file by its name.

    `frontend` is the stack output `frontend`. `page` is the host of the sign-in page's HTTPS URL, followed by the
    port if the port is not 443.
    """
    written = {
        "frontend.json": frontend,
        "config.json": config(frontend),
        "amplify_outputs.json": amplify_outputs(frontend, page),
    }
    texts = {name: json.dumps(content, indent=2) + "\n" for name, content in written.items()}
    texts[".env.local"] = "".join(f"{name}={value}\n" for name, value in vite_variables(frontend).items())
    return texts | {name: (ROOT / "contracts" / name).read_text(encoding="utf-8") for name in DOCUMENTS}


def config(frontend: Mapping[str, Any]) -> dict[str, Any]:
    """Return the settings that a page can fetch when it starts.

    `oidc` contains the settings of the library oidc-client-ts, to which the page adds its own redirect URI. A page with
    AWS Amplify needs `userPoolEndpoint`, the URL of Cognito's API, because amplify_outputs.json has no field for it.
    """
    auth = frontend["auth"]
    keys = urlsplit(str(auth["jwksUrl"]))
    return {
        "restApi": {"url": frontend["restApi"]["url"]},
        "httpApi": {"url": frontend["httpApi"]["url"]},
        "oidc": {
            "authority": auth["issuer"],
            "metadataUrl": auth["discoveryUrl"],
            "client_id": auth["userPoolClientId"],
            "response_type": "code",
            "scope": " ".join(auth["scopes"]),
        },
        "redirectUris": auth["redirectUris"],
        "logoutUrl": auth["logoutUrl"],
        "logoutUris": auth["logoutUris"],
        "userPoolEndpoint": f"{keys.scheme}://{keys.netloc}/",
    }


def amplify_outputs(frontend: Mapping[str, Any], page: str) -> dict[str, Any]:
    """Return the configuration of AWS Amplify, in the format of Amplify Gen 2.

    `page` is the host of the sign-in page, as in the function `files`.
    """
    auth = frontend["auth"]
    return {
        "version": "1",
        "auth": {
            "aws_region": frontend["region"],
            "user_pool_id": auth["userPoolId"],
            "user_pool_client_id": auth["userPoolClientId"],
            "username_attributes": ["email"],
            "standard_required_attributes": ["email"],
            "user_verification_types": ["email"],
            "oauth": {
                "identity_providers": [],
                "domain": page,
                "scopes": auth["scopes"],
                "redirect_sign_in_uri": auth["redirectUris"],
                "redirect_sign_out_uri": auth["logoutUris"],
                "response_type": "code",
            },
        },
    }


def vite_variables(frontend: Mapping[str, Any]) -> dict[str, str]:
    """Return the environment variables that Vite inserts into a page at build time."""
    auth = frontend["auth"]
    return {
        "VITE_STAGE": frontend["stage"],
        "VITE_REGION": frontend["region"],
        "VITE_REST_API_URL": frontend["restApi"]["url"],
        "VITE_HTTP_API_URL": frontend["httpApi"]["url"],
        "VITE_AUTH_ISSUER": auth["issuer"],
        "VITE_AUTH_DISCOVERY_URL": auth["discoveryUrl"],
        "VITE_AUTH_HOSTED_UI_URL": auth["hostedUiUrl"],
        "VITE_AUTH_LOGOUT_URL": auth["logoutUrl"],
        "VITE_AUTH_USER_POOL_ID": auth["userPoolId"],
        "VITE_AUTH_CLIENT_ID": auth["userPoolClientId"],
        "VITE_AUTH_SCOPE": f'"{" ".join(auth["scopes"])}"',
    }


def write(folder: Path, frontend: Mapping[str, Any], page: str) -> list[Path]:
    """Write the files into `folder`, and return their paths. Create the folder if it does not exist."""
    paths: list[Path] = []
    for name, text in files(frontend, page).items():
        path = folder / name
        with naming(path):
            folder.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        paths.append(path)
    return paths


def https_port(where: Instance) -> int:
    """Open the emulator's HTTPS port if it is not open yet, and return its number. Raises LocalError."""
    answer = loopback.send(urllib3.PoolManager(retries=False), "POST", where.url + HTTPS, timeout=_OPENED_WITHIN_S)
    if answer.status != _OK:
        raise LocalError(
            f"{where.url}{HTTPS}: got status {answer.status}; expected: {_OK}. An older version of this checkout "
            f"started the emulator. Remedy: {where.anew}"
        )
    return json.loads(answer.data)["port"]


def run(stack: str, port: int) -> int:
    """Write the files of `stack` and print their paths. Returns 0. Raises OperationError or LocalError."""
    frontend = stack_outputs.read(stack, port=port)["frontend"]
    if stack != LOCAL_STACK:
        page = urlsplit(str(frontend["auth"]["hostedUiUrl"])).netloc
        paths = write(ROOT / ".local" / f"frontend-{stack.rpartition('/')[2]}", frontend, page)
        _print("\n".join(os.path.relpath(each) for each in paths))
        return 0
    where = instance(port)
    page = f"{_LOCALHOST}:{https_port(where)}"
    paths = write(where.home / "frontend", frontend, page)
    _print("\n".join(os.path.relpath(each) for each in paths))
    _print(
        f"\nAWS Amplify opens the sign-in page over HTTPS, at https://{page}. Open this address once in your browser\n"
        "and accept its certificate. Other libraries open the page over HTTP and need no certificate.\n"
        f"Run `{where.command('frontend')}` again after `{where.command('down')}`, because the next stack has new ids."
    )
    return 0


def main(arguments: list[str]) -> int:
    """Return 0 if the files were written, else 1."""
    parser = argparse.ArgumentParser(prog="frontend", description=__doc__)
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("--port", type=port_number, default=DEFAULT_PORT, help="TCP port of the local instance")
    given = parser.parse_args(arguments)
    known = (OperationError, LocalError)
    return endings.run(lambda: run(given.stack, given.port), ERROR_LOG, known=known, prefix="frontend")


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
