"""Tests that a user's AWS settings, proxies and other emulators have no effect on the local platform."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import botocore.utils
import pytest
from botocore.loaders import Loader

from local import environment, loopback
from local.aws import Aws
from local.client import Client
from local.instance import HOST, Instance
from operations import redrive
from tests.local.cloud import Cloud
from tests.support import hostile

REGION = "ap-northeast-1"
KINDS = tuple(hostile.aws_settings(Path()))
DIFFERENT_EACH_TIME = {"amz-sdk-invocation-id", "authorization", "x-amz-date"}


class Server:
    """A fake emulator that records its requests."""

    def __init__(self, port: int) -> None:
        self.instance = Instance(port, Path())
        self.asked: list[dict[str, str]] = []

    def take(self) -> dict[str, str]:
        """Return the only request since the last call of this method.

        Leaves out headers that differ in each request.
        """
        (request,), self.asked = self.asked, []
        return {name: value for name, value in request.items() if name not in DIFFERENT_EACH_TIME}


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0))).decode()
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.asked.append({**headers, ":path": self.path, ":body": body})
            self.send_response(200)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_POST  # noqa: N815

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            """Write no access log."""

    with ThreadingHTTPServer((HOST, 0), Handler) as http:
        found = Server(http.server_port)
        threading.Thread(target=http.serve_forever, daemon=True).start()
        yield found
        http.shutdown()


def _list_queues(server: Server) -> dict[str, str]:
    with environment.isolated():
        Aws(server.instance, REGION)("sqs", "list_queues")
    return server.take()


def _redrive(server: Server) -> dict[str, str]:
    outputs = {"frontend": {"region": REGION}, "local": {"endpointUrl": server.instance.url}}
    with environment.isolated():
        redrive.clients(outputs)("sqs").list_queues()
    return server.take()


@pytest.fixture(scope="module")
def clean(server: Server) -> tuple[dict[str, str], dict[str, str]]:
    """The requests that `_list_queues` and `_redrive` send on a machine without any AWS settings."""
    return _list_queues(server), _redrive(server)


@pytest.mark.parametrize("kind", KINDS)
def test_aws_settings_do_not_change_requests_to_the_emulator(
    server: Server, clean: tuple[dict[str, str], ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    hostile.write_files(tmp_path)
    for name, value in hostile.aws_settings(tmp_path)[kind].items():
        monkeypatch.setenv(name, value)
    assert (_list_queues(server), _redrive(server)) == clean


def test_botocore_service_models_in_the_home_directory_are_ignored(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hostile.write_files(tmp_path)
    monkeypatch.setattr(Loader, "CUSTOMER_DATA_PATH", str(tmp_path / "models"))
    assert _list_queues(server)
    assert _redrive(server)


@pytest.mark.parametrize("system", [False, True], ids=["environment", "system-settings"])
def test_requests_to_the_emulator_never_use_a_proxy(
    server: Server, monkeypatch: pytest.MonkeyPatch, *, system: bool
) -> None:
    for name in (*hostile.PROXIES, "no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    if system:
        # On macOS, `getproxies` returns the proxies from the system settings. Replace `getproxies` to simulate such
        # settings.
        proxies = {"http": hostile.PROXIES["http_proxy"]}
        for module in ("urllib.request", "botocore.utils"):
            monkeypatch.setattr(f"{module}.getproxies", lambda: proxies)
    else:
        for name, value in hostile.PROXIES.items():
            monkeypatch.setenv(name, value)
        assert botocore.utils.get_environ_proxies(server.instance.url), "the SDK must see the proxies"
    assert _list_queues(server)
    assert _redrive(server)
    assert loopback.get(f"{server.instance.url}/health", limit_s=5) == b"{}"
    server.take()
    assert Client({}, "").send("GET", server.instance.url).status == 200
    server.take()


def test_the_emulator_has_the_same_environment_on_every_machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = Instance(4566, tmp_path)
    clean = environment.of_emulator(instance, REGION)
    for name, value in hostile.everything(tmp_path).items():
        monkeypatch.setenv(name, value)
    assert environment.of_emulator(instance, REGION) == clean


def test_command_keeps_the_environment_variables_for_package_downloads_and_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    needed = {"HTTPS_PROXY": "http://proxy", "https_proxy": "http://proxy", "UV_INDEX_URL": "u", "SSL_CERT_FILE": "c"}
    needed |= {"LC_ALL": "C", "TERM": "dumb", "PATH": os.environ["PATH"], "HOME": "/home/me"}
    for name, value in needed.items():
        monkeypatch.setenv(name, value)
    with environment.isolated():
        assert {name: os.environ.get(name) for name in needed} == needed


def test_environment_variables_are_restored_after_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_PROFILE", "prod")
    before = dict(os.environ)
    with environment.isolated():
        assert "AWS_PROFILE" not in os.environ
    assert dict(os.environ) == before


def test_function_sees_no_home_directory_and_no_proxy(cloud: Cloud) -> None:
    source = """
        import os, urllib.request
        def handle(event, context):
            return os.path.expanduser("~"), urllib.request.getproxies()
    """
    home, proxies = cloud.invoke(cloud.function(source), {})
    assert home == str(cloud.instance.data)
    assert proxies == {"no": "*"}
