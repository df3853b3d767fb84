"""The emulator's gaps, each closed by one module of this package.

A correction replaces a function of the emulator. The emulator's version is pinned, and the source of each function that
is replaced is compared with the one that the correction was written against: a change fails at once, by name.
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
    "condition_keys",
    "decisions",
    "environments",
    "event_targets",
    "execution_log",
    "execution_roles",
    "execution_steps",
    "http_api_cors",
    "http_import",
    "jsonata_results",
    "latency",
    "parallel_branches",
    "repeated_calls",
    "rest_checks",
    "rest_deployments",
    "rest_import",
    "rest_integrations",
    "retry_delays",
    "service_permissions",
    "stream_mapping",
    "sync_executions",
    "throttled_functions",
    "time_limits",
    "trailing_slashes",
    "transaction_conflicts",
    "transport",
    "user_names",
    "warm_start",
)


class CorrectionError(Exception):
    """The emulator is not the one that the corrections were written against."""


def internal(module: str) -> Any:
    """Return a module of the emulator, whose insides have no types."""
    return importlib.import_module(f"{PACKAGE}.{module}")


def nested(record: Any, *keys: str) -> Any:
    """Return what stands under `keys` in one of the emulator's records, or None."""
    for key in keys:
        record = record.get(key) if isinstance(record, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]
    return record  # pyright: ignore[reportUnknownVariableType]


@dataclass(frozen=True)
class Replacement:
    """One function of the emulator, and what stands in for it."""

    correction: str
    """Name of the module."""
    target: str
    """Where the function is: "services.sqs._dlq_sweep"."""
    source_hash: str
    """Beginning of the SHA-256 of its source."""
    function: Callable[..., Any]
    """Called with the replaced function, and then with that one's arguments."""

    def install(self) -> None:
        """Put it in place. Raises CorrectionError if what it replaces is not what it was written against."""
        path, _, attribute = self.target.rpartition(".")
        owner = _owner(path)
        original = getattr(owner, attribute, None)
        source = inspect.getsource(inspect.unwrap(original)) if original else ""
        actual = hashlib.sha256(source.encode()).hexdigest()[:12] if source else "missing"
        if not self.source_hash or not actual.startswith(self.source_hash):
            raise CorrectionError(
                f"correction {self.correction}: {PACKAGE}.{self.target} is not the one that it was written against "
                f"(expected {self.source_hash}, found {actual}). Remedy: read the new source, then adapt or drop it."
            )
        setattr(owner, attribute, _bound(self.function, original))


_REPLACEMENTS: Final[list[Replacement]] = []


def replaces(target: str, source_hash: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a function as the replacement of `target`; see Replacement."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        name = function.__module__.rpartition(".")[2]
        _REPLACEMENTS.append(Replacement(name, target, source_hash, function))
        return function

    return declare


def apply(*, without: frozenset[str] = frozenset()) -> None:
    """Close all gaps but those named in `without`.

    Raises CorrectionError if the emulator's version or a corrected function is not the expected one.
    """
    if unknown := without - set(NAMES):
        raise CorrectionError(f"no correction is named {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    found = importlib.metadata.version(PACKAGE)
    if found != VERSION:
        raise CorrectionError(
            f"{PACKAGE} {found} is installed, and the corrections in local/corrections are for {VERSION}. "
            "Remedy: install requirements-local.txt, or review the corrections and raise VERSION."
        )
    for name in NAMES:
        if name not in without:
            importlib.import_module(f"{__name__}.{name}")
    for replacement in _REPLACEMENTS:
        # Importing a correction also imports the corrections that it uses, so excluded corrections are skipped here
        # again.
        if replacement.correction not in without:
            replacement.install()


def _owner(path: str) -> Any:
    """Return a module, or a class in a module ("core.lambda_runtime.Worker")."""
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
