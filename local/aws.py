"""Calls the emulator with AWS's SDK for Python. The SDK validates all parameters, as in calls to AWS."""

from __future__ import annotations

import hashlib
import json
import threading
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Final

import boto3
import botocore.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, HTTPClientError, ParamValidationError
from botocore.exceptions import ConnectionError as NoConnection
from botocore.loaders import Loader
from botocore.validate import ParamValidator

from local.instance import ACCOUNT, ONCE, ROOT_KEY, Instance
from local.loopback import no_answer
from local.patience import PATIENCE

# Turn off proxies. Without this empty dictionary, the SDK would use the proxies from environment variables and, on
# macOS, from the system settings.
NO_PROXIES: Final[dict[str, str]] = {}
_CONFIG: Final = Config(
    proxies=NO_PROXIES,
    retries={"total_max_attempts": 1, "mode": "standard"},
    read_timeout=30 * PATIENCE,
    # Without this setting, the SDK would add the prefix `sync-` to the host for StartSyncExecution. The host
    # sync-127.0.0.1 does not exist.
    inject_host_prefix=False,
)
_GONE: Final = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist", "ResourceNotFound")
_TAKEN: Final = ("AlreadyExists", "AlreadyOwned", "Conflict", "Exists", "InUse")


class CallError(Exception):
    """A failed call: its service and operation, AWS's error code and AWS's message."""

    def __init__(self, call: str, code: str, message: str) -> None:
        super().__init__(f"{call}: {code}: {message}")
        self.call, self.code, self.message = call, code, message

    @property
    def gone(self) -> bool:
        """Return whether the error code says that the resource does not exist."""
        return any(word in self.code for word in _GONE)

    @property
    def taken(self) -> bool:
        """Return whether the error code says that the resource already exists."""
        return any(word in self.code for word in _TAKEN)


class _Repeatable(threading.local):
    """Adds a header to each call inside `Aws.once`. The emulator uses the header to recognize a repeated call."""

    token = ""
    header = ""
    calls: Counter[str]

    @contextmanager
    def call(self, name: str, given: Mapping[str, Any]) -> Generator[None]:
        if self.token:
            described = json.dumps([name, given], sort_keys=True, default=_digest)
            call = _digest(described.encode())
            self.calls[call] += 1
            self.header = f"{self.token}-{call}-{self.calls[call]}"
        try:
            yield
        finally:
            self.header = ""

    def mark(self, request: Any, **_: Any) -> None:
        if self.header:
            request.headers[ONCE] = self.header


def session(region: str) -> boto3.Session:
    """Return an SDK session with the emulator's root credentials.

    The session ignores service models in ~/.aws/models. The module local.environment removes the environment variables
    that the SDK would read.
    """
    core = botocore.session.Session()
    own = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    core.register_component("data_loader", own)
    return boto3.Session(
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=region, botocore_session=core
    )


class Aws:
    """Calls the AWS services of one instance as the account's root. Objects of this class are thread-safe."""

    def __init__(self, instance: Instance, region: str) -> None:
        self.instance, self.region, self.account = instance, region, ACCOUNT
        self._session = session(region)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._repeatable = _Repeatable()

    def __call__(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call `operation` of `service` without the parameters that are None. Return the response. Raises CallError."""
        name = f"{service}:{operation}"
        given = {key: value for key, value in parameters.items() if value is not None}
        try:
            with self._repeatable.call(name, given):
                return getattr(self.client(service), operation)(**given)
        except ClientError as error:
            detail: Any = error.response.get("Error", {})
            raise CallError(name, detail.get("Code", "?"), detail.get("Message", str(error))) from None
        except ParamValidationError as error:
            raise CallError(name, "ParamValidation", " ".join(str(error).split())) from None
        except (HTTPClientError, NoConnection) as error:
            raise CallError(name, type(error).__name__, no_answer(self.instance.url, error)) from None
        except BotoCoreError as error:
            raise CallError(name, type(error).__name__, str(error)) from None

    @contextmanager
    def once(self, token: str) -> Generator[None]:
        """Inside the `with` block, the emulator runs each call only once for the same `token`.

        If the same call was already made with `token`, the emulator returns the first response again. A block that was
        interrupted can therefore be repeated from its beginning.
        """
        self._repeatable.token, self._repeatable.calls = token, Counter()
        try:
            yield
        finally:
            self._repeatable.token = ""

    def check(self, service: str, api_operation: str, **parameters: Any) -> None:
        """Validate the parameters of a call that cannot be sent, because the emulator does not support the operation.

        `api_operation` is AWS's name of the operation, for example "PutLoggingConfiguration". Raises CallError if a
        parameter is invalid.
        """
        shape = self.client(service).meta.service_model.operation_model(api_operation).input_shape
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise CallError(f"{service}:{api_operation}", "ParamValidation", " ".join(report.generate_report().split()))

    def client(self, service: str) -> Any:
        """Return the SDK's client for `service`. Repeated calls return the same client."""
        with self._lock:
            if service not in self._clients:
                made: Any = self._session.client(service, endpoint_url=self.instance.url, config=_CONFIG)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownMemberType, reportUnknownVariableType] - `service` is not a literal
                self._clients[service] = made
                self._clients[service].meta.events.register("before-send", self._repeatable.mark)
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of `resource` in the instance's account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
