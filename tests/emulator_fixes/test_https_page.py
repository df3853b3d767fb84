import json
import socket
import ssl
from pathlib import Path

import pytest
import urllib3

from local import certificate
from local.instance import HTTPS
from tests.local.cloud import Cloud
from tests.local.sign_in import SignInPage


@pytest.fixture
def port(cloud: Cloud) -> int:
    return _opened(cloud)


def _opened(cloud: Cloud) -> int:
    answer = urllib3.request("POST", cloud.instance.url + HTTPS)
    assert answer.status == 200
    return json.loads(answer.data)["port"]


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_sign_in_page_can_be_requested_over_https(cloud: Cloud, port: int, host: str) -> None:
    page = SignInPage.make(cloud)
    trusting = urllib3.PoolManager(ca_certs=str(cloud.instance.certificate))
    answer = trusting.request("GET", f"https://{host}:{port}/oauth2/authorize", fields=page.request)
    assert answer.status == 200
    assert b'name="password"' in answer.data


def test_second_request_to_open_an_https_port_returns_the_same_port(cloud: Cloud, port: int) -> None:
    assert _opened(cloud) == port


def test_certificate_is_readable_only_by_its_owner(cloud: Cloud, port: int) -> None:
    del port
    assert cloud.instance.certificate.stat().st_mode & 0o777 == 0o600


def test_https_port_stays_open_after_a_connection_is_closed(cloud: Cloud, port: int) -> None:
    context = ssl.create_default_context(cafile=str(cloud.instance.certificate))
    for _ in range(3):
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            context.wrap_socket(plain, server_hostname="localhost"),
        ):
            pass
    assert _opened(cloud) == port


def test_existing_certificate_is_not_replaced(tmp_path: Path) -> None:
    path = certificate.require(tmp_path / "https.pem")
    content = path.read_bytes()
    assert certificate.require(path).read_bytes() == content
