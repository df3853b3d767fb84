"""Simulated faults of AWS calls: errors, SDK retries and lost responses."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable
from functools import cache
from typing import Any, Final

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError, ParamValidationError, ReadTimeoutError
from botocore.validate import ParamValidator

LASTING: Final = 1000
"""A number of faults that exceeds the attempts of any function."""


def client_error(code: str, operation: str, message: str = "refused by the test", **extra: Any) -> ClientError:
    """Return the exception that botocore raises when AWS responds with the error code `code`."""
    answer: Any = {"Error": {"Code": code, "Message": message}, **extra}
    return ClientError(answer, operation)


@cache
def _inputs(service: str) -> dict[str, Any]:
    """Return botocore's input models of the AWS service `service` as {name of the client method: model}."""
    model = botocore.session.get_session().get_service_model(service)
    names: list[str] = list(model.operation_names)
    return {xform_name(name): model.operation_model(name).input_shape for name in names}


class Faults:
    """Records the calls of a fake client, validates their arguments like botocore, and injects planned faults."""

    def __init__(self, service: str) -> None:
        self._service = service
        self.calls: list[tuple[str, dict[str, Any]]] = []
        self._planned: defaultdict[str, deque[str | Exception | Callable[[], None]]] = defaultdict(deque)

    def of(self, operation: str) -> list[dict[str, Any]]:
        """Return the arguments of all recorded calls of `operation`."""
        return [arguments for name, arguments in self.calls if name == operation]

    def refuse(self, operation: str, error: Exception | str, times: int = 1) -> None:
        """Make the next `times` calls of `operation` fail with `error`. These calls change nothing."""
        refusal = client_error(error, operation) if isinstance(error, str) else error
        self._planned[operation].extend([refusal] * times)

    def lose_answer(self, operation: str) -> None:
        """Execute the next call of `operation` twice, like the SDK, which retries a call if the response is lost."""
        self._planned[operation].append("twice")

    def no_answer(self, operation: str) -> None:
        """Execute the next call of `operation`, but raise a read timeout instead of returning the response."""
        self._planned[operation].append("silent")

    def before(self, operation: str, happens: Callable[[], None]) -> None:
        """Call the function `happens` just before the next call of `operation` is executed."""
        self._planned[operation].append(happens)

    def clear(self) -> None:
        """Forget all planned faults."""
        self._planned.clear()

    def run(self, operation: str, arguments: dict[str, Any], carry_out: Callable[[], Any]) -> Any:
        """Record a call, apply the next planned fault of `operation`, and execute the call with `carry_out`."""
        faults = ParamValidator().validate(arguments, _inputs(self._service)[operation])
        if faults.has_errors():
            raise ParamValidationError(report=faults.generate_report())
        self.calls.append((operation, arguments))
        planned = self._planned[operation].popleft() if self._planned[operation] else None
        if isinstance(planned, Exception):
            raise planned
        if planned == "twice":
            carry_out()
        elif planned == "silent":
            carry_out()
            raise ReadTimeoutError(endpoint_url=f"https://{operation}")
        elif callable(planned):
            planned()
        return carry_out()
