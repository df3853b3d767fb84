"""Broken settings that the project's commands must ignore: for AWS, a proxy, the terminal and another emulator."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

_NOBODY: Final = "http://127.0.0.1:9"
"""A URL on which no program listens."""
_CONFIG: Final = f"""
[default]
region = eu-north-1
endpoint_url = {_NOBODY}
ignore_configured_endpoint_urls = true
use_fips_endpoint = true
use_dualstack_endpoint = true
retry_mode = nonsense
defaults_mode = nonsense
max_attempts = many
request_checksum_calculation = nonsense
response_checksum_validation = nonsense
account_id_endpoint_mode = required
auth_scheme_preference = sigv4a
sigv4a_signing_region_set = *
ca_bundle = /nonexistent
services = elsewhere
s3 =
  addressing_style = virtual
  use_accelerate_endpoint = true

[services elsewhere]
dynamodb =
  endpoint_url = {_NOBODY}
"""
_PROXIES: Final = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
PROXIES: Final = dict.fromkeys(_PROXIES, _NOBODY)
EMULATOR: Final = {
    "BIND_HOST": "0.0.0.0",  # noqa: S104 - the emulator must ignore this address
    "EDGE_PORT": "9",
    "GATEWAY_PORT": "9",
    "LAMBDA_ASYNC_RETRY_BASE_SECONDS": "many",
    "LAMBDA_EXECUTOR": "docker",
    "LAMBDA_STRICT": "1",
    "LAMBDA_WARM_TTL_SECONDS": "many",
    "LOCALSTACK_HOSTNAME": "elsewhere.example",
    "LOG_LEVEL": "nonsense",
    "MINISTACK_ACCOUNT_ID": "999999999999",
    "PERSIST_STATE": "1",
    "SERVICES": "s3",
    "SFN_MOCK_CONFIG": "/nonexistent",
    "STATE_DIR": "/nonexistent",
    "USE_SSL": "1",
}
TERMINAL: Final = {"LC_ALL": "en_US.ISO-8859-1", "PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"}


def write_files(folder: Path) -> None:
    """Write the configuration files that the settings of `aws_settings` refer to."""
    for path, text in {
        "home/.aws/config": _CONFIG,
        "broken/.aws/config": "[[[ no INI",
        "broken/.aws/credentials": "= no INI",
        "models/sqs/2099-01-01/service-2.json": "{ no JSON",
    }.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text, encoding="utf-8")


def aws_settings(folder: Path) -> dict[str, Mapping[str, str]]:
    """Return broken environment variables for each kind of AWS setting. They refer to files in `folder`."""
    home, broken, models = folder / "home", folder / "broken", folder / "models"
    return {
        "a missing profile": {"AWS_PROFILE": "prod"},
        "a missing default profile": {"AWS_DEFAULT_PROFILE": "prod"},
        "a configuration": {"AWS_CONFIG_FILE": str(home / ".aws" / "config")},
        "a configuration at home": {"HOME": str(home)},
        "a broken configuration": {"AWS_CONFIG_FILE": str(broken / ".aws" / "config")},
        "broken credentials": {"AWS_SHARED_CREDENTIALS_FILE": str(broken / ".aws" / "credentials")},
        "broken files at home": {"HOME": str(broken), "BOTO_CONFIG": str(broken / ".aws" / "config")},
        "broken models": {"AWS_DATA_PATH": str(models)},
        "endpoints": {"AWS_ENDPOINT_URL": _NOBODY, "AWS_ENDPOINT_URL_SQS": "nonsense"},
        "ignored endpoints": {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"},
        "retries": {"AWS_MAX_ATTEMPTS": "many", "AWS_RETRY_MODE": "nonsense", "AWS_DEFAULTS_MODE": "nonsense"},
        "special endpoints": {"AWS_USE_FIPS_ENDPOINT": "true", "AWS_USE_DUALSTACK_ENDPOINT": "true"},
        "checksums": {"AWS_REQUEST_CHECKSUM_CALCULATION": "nonsense"},
        "signatures": {"AWS_AUTH_SCHEME_PREFERENCE": "nonsense", "AWS_SIGV4A_SIGNING_REGION_SET": "*"},
        "account endpoints": {"AWS_ACCOUNT_ID_ENDPOINT_MODE": "nonsense", "AWS_ACCOUNT_ID": "999999999999"},
        "certificates": {"AWS_CA_BUNDLE": "/nonexistent", "SSLKEYLOGFILE": "/nonexistent/keys"},
        "a region": {"AWS_REGION": "no region!", "AWS_DEFAULT_REGION": "no region!"},
        "credentials": {
            "AWS_ACCESS_KEY_ID": "AKIAFOREIGN",
            "AWS_SECRET_ACCESS_KEY": "foreign",
            "AWS_SESSION_TOKEN": "foreign",
        },
        "plugins": {"BOTOCORE_EXPERIMENTAL__PLUGINS": "plugin=no.such.module"},
        "what Lambda sets": {
            "AWS_EXECUTION_ENV": "elsewhere",
            "AWS_LAMBDA_FUNCTION_NAME": "elsewhere",
            "AWS_LAMBDA_RUNTIME_API": "127.0.0.1:9",
            "_X_AMZN_TRACE_ID": "Root=1-5759e988-bd862e3fe1be46a994272793",
        },
        "traces": {"AWS_XRAY_DAEMON_ADDRESS": "nonsense", "AWS_XRAY_CONTEXT_MISSING": "RUNTIME_ERROR"},
        "Powertools": {
            "POWERTOOLS_SERVICE_NAME": "elsewhere",
            "POWERTOOLS_LOG_LEVEL": "nonsense",
            "POWERTOOLS_TRACE_DISABLED": "nonsense",
        },
    }


def everything(folder: Path) -> dict[str, str]:
    """Write the configuration files into `folder`, and return all broken environment variables together."""
    write_files(folder)
    merged = {name: value for kind in aws_settings(folder).values() for name, value in kind.items()}
    return {**merged, **EMULATOR, **PROXIES, **TERMINAL}
