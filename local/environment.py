"""The environment variables of local commands and of the emulator, built from a list of allowed names.

A machine may be configured for AWS (`AWS_PROFILE`, `~/.aws/config`), for a proxy, or for another emulator. The local
platform ignores this configuration, so its commands work the same on every machine.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from contextlib import contextmanager
from typing import Final

from local.instance import ACCOUNT, HOST, ROOT, ROOT_KEY, Instance
from local.patience import PATIENCE

# What the terminal, and `uv`, which downloads a layer's packages, need. The emulator takes LOCAL_* from tests.
_KEPT: Final = frozenset(
    (
        "COLUMNS",
        "HOME",
        "LANG",
        "LANGUAGE",
        "LD_LIBRARY_PATH",
        "LINES",
        "LOGNAME",
        "NETRC",
        "NO_COLOR",
        "PATH",
        "SSL_CERT_DIR",
        "SSL_CERT_FILE",
        "TERM",
        "TMPDIR",
        "TZ",
        "USER",
    )
)
_KEPT_PREFIXES: Final = ("LC_", "LOCAL_", "UV_", "XDG_")
# Beyond loopback a download may need the proxy. Clients of the emulator pass it by themselves.
_KEPT_SUFFIX: Final = "_PROXY"
# The SDK would read ~/.aws without these.
_NO_FILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@contextmanager
def isolated() -> Generator[None]:
    """Remove all environment variables that a local command doesn't need, until the block ends.

    Enter the block before the first SDK session, because a session reads the environment when it is created.
    """
    before = dict(os.environ)
    for name in set(before) - _KEPT:
        if not name.startswith(_KEPT_PREFIXES) and not name.upper().endswith(_KEPT_SUFFIX):
            del os.environ[name]
    os.environ.update(_NO_FILES)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def of_emulator(instance: Instance, region: str) -> dict[str, str]:
    """Return all environment variables of the emulator's process.

    The emulator's functions inherit all of them except the names in LOCAL_PRIVATE.
    """
    data = instance.data
    private = {
        "AUTH": "true",
        "BIND_HOST": HOST,
        # Some of its services look for Docker; this one they do not find.
        "DOCKER_HOST": f"unix://{data}/no-docker.sock",
        "GATEWAY_PORT": str(instance.port),
        "IOT_MTLS_ENABLED": "0",
        # AWS's quota. The emulator's would be what this machine's memory holds, but invocations wait for environments.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        # AWS waits one minute, then two, before it invokes a failed function again.
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": os.environ.get("LOCAL_ASYNC_RETRY_BASE_S", "1"),
        "LOCAL_DECISIONS": os.environ.get("LOCAL_DECISIONS", ""),
        "LOCAL_PATIENCE": f"{PATIENCE:g}",
        # Milliseconds that a DynamoDB transaction takes; on AWS it often takes more.
        "LOCAL_TRANSACTION_MS": os.environ.get("LOCAL_TRANSACTION_MS", "5"),
        "LOCAL_WARM": os.environ.get("LOCAL_WARM", "1"),
        "LOG_LEVEL": os.environ.get("LOCAL_LOG_LEVEL", "INFO"),
        "MINISTACK_ACCOUNT_ID": ACCOUNT,
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "0",
        "MINISTACK_HOST": HOST,
        "MINISTACK_REGION": region,
        "S3_DATA_DIR": str(data / "s3"),
        "SFTP_ENABLED": "0",
        "STATE_DIR": str(data / "state"),
        "TMPDIR": str(data / "tmp"),
    }
    shared = {
        "AWS_ACCESS_KEY_ID": ROOT_KEY,
        "AWS_SECRET_ACCESS_KEY": ROOT_KEY,
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ENDPOINT_URL": instance.url,
        # Without it, functions would find the person's ~/.aws through the user database.
        "HOME": str(data),
        "LANG": "C.UTF-8",
        # Nothing here calls beyond loopback. With a variable set, macOS's system proxies are not looked up either.
        "NO_PROXY": "*",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    # Where functions send their traces: UDP, and without it to a daemon on this machine, whether there is one or not.
    if daemon := os.environ.get("LOCAL_XRAY_DAEMON_ADDRESS"):
        shared["AWS_XRAY_DAEMON_ADDRESS"] = daemon
    return {**private, **shared, "LOCAL_PRIVATE": ",".join(private)}
