"""Tests of `make storefront`: which origin it chooses, and how its server ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest
import requests

from operations import storefront
from operations.stack_outputs import OperationError

URIS: Final = ["http://localhost:3000/callback", "http://localhost:5173/callback", "https://shop.example.com/callback"]
# This program starts the server of `make storefront` without a deployed platform.
SERVE: Final = """
import sys
from pathlib import Path
from cli import signals
from operations import storefront

signals.take()
with storefront.serving(Path(sys.argv[1]), int(sys.argv[2])) as server:
    print("ready", flush=True)
    server.wait()
"""


def test_shop_prefers_the_default_port_of_vite() -> None:
    assert storefront.site(URIS, lambda _: True) == "http://localhost:5173"


def test_shop_uses_another_allowed_origin_if_the_port_is_in_use() -> None:
    assert storefront.site(URIS, lambda port: port != 5173) == "http://localhost:3000"


def test_shop_does_not_start_if_all_allowed_ports_are_in_use() -> None:
    with pytest.raises(OperationError, match="3000, 5173; stop a program that uses one of them"):
        storefront.site(URIS, lambda _: False)


def test_port_of_a_listening_server_is_not_free() -> None:
    with socket.create_server((storefront.HOST, 0)) as server:
        port = server.getsockname()[1]
        assert not storefront.is_free(port)
    assert storefront.is_free(port)


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A folder with the files that `make frontend` writes and the server reads."""
    api = {"url": "http://127.0.0.1:1/api"}
    auth = {"hostedUiUrl": "http://127.0.0.1:1", "discoveryUrl": "http://127.0.0.1:1/pool"}
    (tmp_path / "frontend.json").write_text(json.dumps({"restApi": api, "httpApi": api, "auth": auth}))
    (tmp_path / "config.json").write_text('{"logoutUrl": "x"}')
    return tmp_path


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_ended_shop_leaves_no_process(settings: Path, free_port: Callable[[], int], number: signal.Signals) -> None:
    port = free_port()
    command = [sys.executable, "-c", SERVE, str(settings), str(port)]
    shop = subprocess.Popen(command, cwd=storefront.ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)  # noqa: S603 - the command runs a module of this repository
    try:
        assert shop.stdout
        assert shop.stdout.readline() == "ready\n"
        assert requests.get(f"http://127.0.0.1:{port}/config.json", timeout=30).json() == {"logoutUrl": "x"}
        shop.send_signal(number)
        # The server process has inherited the output pipe. `communicate` waits until every process has closed the pipe,
        # so it returns only after the server has ended.
        _, said = shop.communicate(timeout=30)
    finally:
        shop.kill()
    expected = (130, "interrupted\n") if number == signal.SIGINT else (-signal.SIGKILL, "")
    assert (shop.returncode, said) == expected
    assert storefront.is_free(port)


def test_server_that_cannot_start_is_reported(settings: Path, free_port: Callable[[], int]) -> None:
    (settings / "frontend.json").unlink()
    with (
        pytest.raises(OperationError, match="did not start: exit code 1"),
        storefront.serving(settings, free_port()),
    ):
        pass


def test_port_in_use_is_reported(settings: Path) -> None:
    with (
        socket.create_server((storefront.HOST, 0)) as other,
        pytest.raises(OperationError, match="is in use"),
        storefront.serving(settings, other.getsockname()[1]),
    ):
        pass


def test_shop_of_a_stopped_platform_does_not_start(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "operations.storefront", "--port", "1"],
        cwd=storefront.ROOT,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "storefront: stack local: nothing runs on port 1; start it with `make up PORT=1`\n"
