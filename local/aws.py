"""Calls to the emulator through AWS's own SDK, whose parameter checks stay on."""

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

# Without this empty dictionary, the SDK would use the proxies of the environment and, on macOS, of the system settings.
NO_PROXIES: Final[dict[str, str]] = {}
_CONFIG: Final = Config(
    proxies=NO_PROXIES,
    retries={"total_max_attempts": 1, "mode": "standard"},
    read_timeout=30 * PATIENCE,
    # The SDK would send synchronous calls of Step Functions to the host sync-127.0.0.1, which does not exist.
    inject_host_prefix=False,
)
_GONE: Final = ("NotFound", "NoSuch", "NonExistent", "DoesNotExist", "ResourceNotFound")
_TAKEN: Final = ("AlreadyExists", "AlreadyOwned", "Conflict", "Exists", "InUse")


class CallError(Exception):
    """A call that AWS refused: its name, its error code, and AWS's message."""

    def __init__(self, call: str, code: str, message: str) -> None:
        super().__init__(f"{call}: {code}: {message}")
        self.call, self.code, self.message = call, code, message

    @property
    def gone(self) -> bool:
        """Whether it says that what it names does not exist."""
        return any(word in self.code for word in _GONE)

    @property
    def taken(self) -> bool:
        """Whether it says that what it would make exists."""
        return any(word in self.code for word in _TAKEN)


class _Repeatable(threading.local):
    """The token of a thread's calls, and the call that it is making."""

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
    """Return a session of the emulator's root. It reads no service model of the person's from ~/.aws/models.

    What the SDK takes from the environment is for local.environment to remove.
    """
    core = botocore.session.Session()
    own = Loader(extra_search_paths=[Loader.BUILTIN_DATA_PATH], include_default_search_paths=False)
    core.register_component("data_loader", own)
    return boto3.Session(
        aws_access_key_id=ROOT_KEY, aws_secret_access_key=ROOT_KEY, region_name=region, botocore_session=core
    )


class Aws:
    """The services of one instance, called as the account's root. Used by several threads."""

    def __init__(self, instance: Instance, region: str) -> None:
        self.instance, self.region, self.account = instance, region, ACCOUNT
        self._session = session(region)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._repeatable = _Repeatable()

    def __call__(self, service: str, operation: str, **parameters: Any) -> dict[str, Any]:
        """Call `operation` of `service`, leaving out parameters that are None. Raises CallError."""
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
        """Let the emulator carry out no call of the block that it has carried out under `token` before.

        It gives the answer of that time. So a block that was cut off anywhere can be repeated from its beginning.
        """
        self._repeatable.token, self._repeatable.calls = token, Counter()
        try:
            yield
        finally:
            self._repeatable.token = ""

    def check(self, service: str, api_operation: str, **parameters: Any) -> None:
        """Check the parameters of a call that the emulator does not know; its name is AWS's. Raises CallError."""
        shape = self.client(service).meta.service_model.operation_model(api_operation).input_shape
        report = ParamValidator().validate(parameters, shape)
        if report.has_errors():
            raise CallError(f"{service}:{api_operation}", "ParamValidation", " ".join(report.generate_report().split()))

    def client(self, service: str) -> Any:
        """Return the SDK's client of `service`."""
        with self._lock:
            if service not in self._clients:
                made: Any = self._session.client(service, endpoint_url=self.instance.url, config=_CONFIG)  # pyright: ignore[reportCallIssue, reportArgumentType, reportUnknownMemberType, reportUnknownVariableType] - the name is a variable
                self._clients[service] = made
                self._clients[service].meta.events.register("before-send", self._repeatable.mark)
            return self._clients[service]

    def arn(self, service: str, resource: str) -> str:
        """Return the ARN of `resource` in this account and region."""
        return f"arn:aws:{service}:{self.region}:{self.account}:{resource}"


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
