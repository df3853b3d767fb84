"""Base classes and helpers for adapters. An adapter deploys one Pulumi resource type with AWS calls."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from local.aws import Aws

Props = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """The id and the outputs of a resource after its creation."""

    id: str
    outputs: Props = field(default_factory=dict[str, Any])
    """Outputs that are not inputs of the resource."""


class Adapter:
    """Deploys one resource type. An input property that is neither in `applies` nor in `leaves` is an error."""

    applies: ClassVar[frozenset[str]] = frozenset()
    """Input properties that the adapter sends to AWS."""
    leaves: ClassVar[frozenset[str]] = frozenset()
    """Input properties that the adapter ignores. In each adapter, a comment above this set gives the reason."""
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    """Input properties whose change requires a new resource."""
    keeps_data: ClassVar[bool] = False
    """Whether the resource stores users' data, which a replacement would delete."""
    named_by_aws: ClassVar[bool] = False
    """Whether AWS chooses the id. If so, the deployment creates a replacement before it deletes the old resource."""

    def create(self, aws: Aws, new: Props) -> Made:
        """Create the resource, and return its id and outputs."""
        raise NotImplementedError

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        """Change the resource in place and return its outputs, or return None if the resource must be replaced."""
        del aws, identity, old, new
        return None

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        """Delete the resource and everything in it.

        AWS can also delete other resources that depend on this one. A deployment that recreates this resource with the
        same id therefore recreates the dependent resources too.
        """
        raise NotImplementedError


class Put(Adapter):
    """Deploys a resource type for which the same AWS call both creates and overwrites the resource."""

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        """Repeat the call that creates the resource, and return the outputs."""
        del identity, old
        return self.create(aws, new).outputs


ADAPTERS: Final[dict[str, Adapter]] = {}


def adapts(token: str) -> Callable[[type[Adapter]], type[Adapter]]:
    """Return a decorator that registers an adapter for the Pulumi resource type `token`."""

    def register(adapter: type[Adapter]) -> type[Adapter]:
        ADAPTERS[token] = adapter()
        return adapter

    return register


def pascal(value: Any) -> Any:
    """Return `value` with keys in AWS's spelling (`FunctionName`) instead of Pulumi's spelling (`functionName`)."""
    if isinstance(value, Mapping):
        return {f"{key[0].upper()}{key[1:]}": pascal(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
    if isinstance(value, (list, tuple)):
        return [pascal(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def pick(properties: Mapping[str, Any], **names: str) -> Props:
    """Return {AWS name: value} for the properties that are not None. `names` maps each property to its AWS name."""
    return {target: properties[source] for source, target in names.items() if properties.get(source) is not None}


def only(properties: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Raise ValueError if `properties` has a key that is not in `allowed`.

    `where` describes `properties` in the error message, for example "environment".
    """
    if unknown := sorted(set(properties) - set(allowed)):
        raise ValueError(f"{where} sets {', '.join(unknown)}, which the local adapter does not support")


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Return tags as a list of {"Key": ..., "Value": ...}, which most services expect."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def changed_tags(old: Props, new: Props) -> list[str]:
    """Return the keys of the tags that an update must remove, because they are in `old` but not in `new`."""
    return sorted(set(old.get("tags") or {}) - set(new.get("tags") or {}))
