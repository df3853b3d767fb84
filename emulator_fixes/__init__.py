"""Modules that each correct one difference between the local emulator (ministack) and AWS.

A correction replaces functions of the emulator with its own functions. The emulator's version is pinned. If the source
of a replaced function differs from the source for which the correction was written, the emulator does not start, and
the error reports the function's name.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.metadata
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

PACKAGE: Final = "ministack"
VERSION: Final = "1.5.33"
NAMES: Final = (
    "access_log",
    "async_invocation",
    "at_work",
    "atomic_calls",
    "auth_time",
    "cognito_provider",
    "condition_keys",
    "decisions",
    "environments",
    "event_targets",
    "execution_log",
    "execution_names",
    "execution_roles",
    "execution_steps",
    "http_api_cors",
    "http_import",
    "https_page",
    "jsonata_results",
    "latency",
    "parallel_branches",
    "queue_mapping",
    "repeated_calls",
    "rest_checks",
    "rest_deployments",
    "rest_import",
    "rest_integrations",
    "retry_delays",
    "send_rate",
    "service_permissions",
    "sign_in_page",
    "stream_mapping",
    "sync_executions",
    "throttled_functions",
    "time_limits",
    "token_revocation",
    "trailing_slashes",
    "transaction_conflicts",
    "transport",
    "user_names",
    "verified_addresses",
    "warm_start",
)


class CorrectionError(Exception):
    """The emulator is not the version for which the corrections were written, or a correction's name is unknown."""


def internal(module: str) -> Any:
    """Return the emulator's module `module`, for example "services.sqs".

    The return type is Any, because many private names of the module have no type annotations.
    """
    return importlib.import_module(f"{PACKAGE}.{module}")


def nested(record: Any, *keys: str) -> Any:
    """Return the value at the path `keys` in `record`, which is usually a nested dict of the emulator.

    For example, `nested(record, "a", "b")` returns `record["a"]["b"]`, or None if one of the keys is missing.
    """
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return record  # pyright: ignore[reportUnknownVariableType]


@dataclass(frozen=True)
class Replacement:
    """One function of the emulator and the function that replaces it."""

    correction: str
    """Name of the module in emulator_fixes that declares the replacement."""
    target: str
    """Path of the replaced function in the emulator, for example "services.sqs._dlq_sweep"."""
    source_hash: str
    """First digits of the SHA-256 of the replaced function's source."""
    function: Callable[..., Any]
    """The new function. Its first argument is the replaced function. The arguments of the replaced function follow."""

    def install(self) -> None:
        """Replace the function. Raises CorrectionError if the function is missing or its source has changed."""
        path, _, attribute = self.target.rpartition(".")
        owner = _owner(path)
        original = getattr(owner, attribute, None)
        source = inspect.getsource(inspect.unwrap(original)) if original else ""
        actual = hashlib.sha256(source.encode()).hexdigest()[:12] if source else "missing"
        if not self.source_hash or not actual.startswith(self.source_hash):
            raise CorrectionError(
                f"correction {self.correction}: {PACKAGE}.{self.target} has changed since the correction was written "
                f"(expected {self.source_hash}, found {actual}). "
                "Remedy: read the new source, then adapt or delete the correction."
            )
        setattr(owner, attribute, _bound(self.function, original))


_REPLACEMENTS: Final[list[Replacement]] = []


def replaces(target: str, source_hash: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Return a decorator that declares a function as the replacement of the emulator's function `target`.

    `source_hash` contains the first digits of the SHA-256 of the source of `target`.
    """

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__module__.rpartition(".")[2]
        _REPLACEMENTS.append(Replacement(name, target, source_hash, function))
        return function

    return declare


def apply(*, without: frozenset[str] = frozenset()) -> None:
    """Install every correction except those in `without`.

    Raises CorrectionError if a name in `without` is unknown, or if the emulator's version or a replaced function has
    changed.
    """
    if unknown := without - set(NAMES):
        raise CorrectionError(f"unknown corrections: got {', '.join(sorted(unknown))}; allowed: {', '.join(NAMES)}")
    found = importlib.metadata.version(PACKAGE)
    if found != VERSION:
        raise CorrectionError(
            f"{PACKAGE} {found} is installed, but emulator_fixes needs version {VERSION}. "
            "Remedy: install requirements-local.txt, or review the corrections and update VERSION."
        )
    for name in NAMES:
        if name not in without:
            importlib.import_module(f"{__name__}.{name}")
    for replacement in _REPLACEMENTS:
        # Check `without` again. If another correction imports a module in `without`, the import adds the module's
        # replacements to this list. They must not be installed.
        if replacement.correction not in without:
            replacement.install()


def _owner(path: str) -> Any:
    """Return the emulator's module or class at `path`, for example "core.lambda_runtime.Worker"."""
    try:
        return internal(path)
    except ModuleNotFoundError:
        module, _, name = path.rpartition(".")
        return getattr(internal(module), name)


def _bound(replacement: Callable[..., Any], original: Any) -> Callable[..., Any]:
    if inspect.iscoroutinefunction(replacement):

        async def replaced_async(*args: Any, **kwargs: Any) -> Any:
            return await replacement(original, *args, **kwargs)

        return replaced_async

    def replaced(*args: Any, **kwargs: Any) -> Any:
        return replacement(original, *args, **kwargs)

    return replaced
