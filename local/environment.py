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

# `isolated` keeps these environment variables. The terminal needs some of them, and `uv`, which downloads the packages
# of a layer, needs others. Tests pass settings to the emulator in LOCAL_* variables.
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
# `isolated` also keeps variables such as HTTPS_PROXY, because downloads from the internet may need a proxy. Clients of
# the emulator ignore these variables.
_KEPT_SUFFIX: Final = "_PROXY"
# Without these settings, the SDK would read the files in ~/.aws.
_NO_FILES: Final = {"AWS_CONFIG_FILE": os.devnull, "AWS_SHARED_CREDENTIALS_FILE": os.devnull}


@contextmanager
def isolated() -> Generator[None]:
    """Remove all environment variables that a local command doesn't need, until the `with` block ends.

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

    The Lambda functions in the emulator inherit all of them except those that LOCAL_PRIVATE lists.
    """
    data = instance.data
    private = {
        "AUTH": "true",
        "BIND_HOST": HOST,
        # Some services of the emulator try to connect to Docker. This socket does not exist, so they cannot use the
        # Docker of this machine.
        "DOCKER_HOST": f"unix://{data}/no-docker.sock",
        "GATEWAY_PORT": str(instance.port),
        "IOT_MTLS_ENABLED": "0",
        # AWS's default quota is 1,000 concurrent invocations. Without this variable, the emulator would derive a lower
        # quota from this machine's memory, and throttle invocations that AWS accepts. The high quota does not exhaust
        # the memory: invocations wait for a free execution environment.
        "LAMBDA_ACCOUNT_CONCURRENCY": "1000",
        # AWS waits 60 s before the first retry of an asynchronous invocation. The emulator waits 1 s unless a test sets
        # another time.
        "LAMBDA_ASYNC_RETRY_BASE_SECONDS": os.environ.get("LOCAL_ASYNC_RETRY_BASE_S", "1"),
        "LOCAL_CERTIFICATE": str(instance.certificate),
        "LOCAL_DECISIONS": os.environ.get("LOCAL_DECISIONS", ""),
        # The emulator's SES accepts this number of emails per second. 0 means that there is no limit.
        "LOCAL_MAIL_RATE": os.environ.get("LOCAL_MAIL_RATE", "0"),
        "LOCAL_PATIENCE": f"{PATIENCE:g}",
        # A DynamoDB transaction in the emulator takes this number of milliseconds. Some tests set a longer duration,
        # because transactions on AWS often take longer.
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
        # Without HOME, functions would find the home directory through the user database, and would read ~/.aws there.
        "HOME": str(data),
        "LANG": "C.UTF-8",
        # All calls stay on the loopback interface, so no call needs a proxy. On macOS, this variable also turns off the
        # proxies of the system settings: Python uses those only if no proxy variable is set.
        "NO_PROXY": "*",
        "PATH": os.environ.get("PATH", os.defpath),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }
    # Functions send their traces by UDP to the X-Ray daemon at this address. Without the variable, they send the traces
    # to the daemon's default port on this machine, where usually no daemon is running.
    if daemon := os.environ.get("LOCAL_XRAY_DAEMON_ADDRESS"):
        shared["AWS_XRAY_DAEMON_ADDRESS"] = daemon
    return {**private, **shared, "LOCAL_PRIVATE": ",".join(private)}
