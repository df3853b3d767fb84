"""What an adapter is: one Pulumi resource type, made by calls to AWS."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final

from local.aws import Aws

Props = dict[str, Any]


@dataclass(frozen=True)
class Made:
    """A resource as AWS made it."""

    id: str
    outputs: Props = field(default_factory=dict[str, Any])
    """Outputs beyond the inputs."""


class Adapter:
    """One resource type. Every input property is either in `applies` or in `leaves`; any other one is an error."""

    applies: ClassVar[frozenset[str]] = frozenset()
    """Inputs that reach AWS."""
    leaves: ClassVar[frozenset[str]] = frozenset()
    """Inputs that do not, each with a comment why that is no loss here."""
    replaced_by: ClassVar[frozenset[str]] = frozenset()
    """Inputs whose change AWS answers with a new resource."""
    keeps_data: ClassVar[bool] = False
    """Whether a replacement would lose what users put into it."""
    named_by_aws: ClassVar[bool] = False
    """Whether AWS gives the identity, so that the new one stands before the old one goes."""

    def create(self, aws: Aws, new: Props) -> Made:
        """Make the resource."""
        raise NotImplementedError

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        """Change the resource in place and return its outputs; None asks for a replacement."""
        del aws, identity, old, new
        return None

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        """Remove the resource, and what still stands in it: that is made again if the program still has it."""
        raise NotImplementedError


class Put(Adapter):
    """A resource whose AWS call creates and overwrites alike."""

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        """Put it again."""
        del identity, old
        return self.create(aws, new).outputs


ADAPTERS: Final[dict[str, Adapter]] = {}


def adapts(token: str) -> Callable[[type[Adapter]], type[Adapter]]:
    """Register an adapter for the resource type `token`."""

    def register(adapter: type[Adapter]) -> type[Adapter]:
        ADAPTERS[token] = adapter()
        return adapter

    return register


def pascal(value: Any) -> Any:
    """Return `value` with every key as AWS writes it: first letter upper case (Pulumi: lower case)."""
    if isinstance(value, Mapping):
        return {f"{key[0].upper()}{key[1:]}": pascal(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
    if isinstance(value, (list, tuple)):
        return [pascal(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def pick(properties: Mapping[str, Any], **names: str) -> Props:
    """Return those of `properties` that are given, each under AWS's name for it."""
    return {target: properties[source] for source, target in names.items() if properties.get(source) is not None}


def only(properties: Mapping[str, Any], allowed: Iterable[str], where: str) -> None:
    """Refuse nested properties that an adapter translates by hand and does not know."""
    if unknown := sorted(set(properties) - set(allowed)):
        raise ValueError(f"{where} sets {', '.join(unknown)}, which the local adapter does not know")


def tag_list(tags: Mapping[str, str] | None) -> list[dict[str, str]]:
    """Return tags as most services take them."""
    return [{"Key": key, "Value": value} for key, value in (tags or {}).items()]


def changed_tags(old: Props, new: Props) -> list[str]:
    """Return the keys of tags that are gone."""
    return sorted(set(old.get("tags") or {}) - set(new.get("tags") or {}))
