"""What a rule is, and what it sees of a stack.

A rule reads properties alone: what it was told of one resource, and which resources a property was made from. So it
can be judged before anything is made, and without the Pulumi engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pulumi_policy.proxy import UnknownValueError

__all__ = ["Finding", "Resource", "Rule", "Stack", "UnknownValueError", "findings", "of_resource", "of_stack"]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource as it will be."""

    type: str
    """Pulumi type token, e.g. aws:sqs/queue:Queue."""
    name: str
    """Logical name."""
    urn: str
    props: Mapping[str, Any]
    """Keys in camelCase. Reading a value that is not known yet raises UnknownValueError."""
    made_from: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Property -> URNs of the resources whose outputs it has. Known in a first preview too."""
    deleted_first: bool = False
    """Whether it is deleted before its replacement stands."""

    def at(self, *path: str) -> Any:
        """Return the value at `path`, or None. Raises UnknownValueError."""
        value: Any = self.props
        for key in path:
            if not isinstance(value, Mapping):
                return None
            value = cast("Mapping[str, Any]", value).get(key)
        return value

    def items(self, *path: str) -> list[Any]:
        """Return the list at `path`, empty without one. Raises UnknownValueError."""
        return list(self.at(*path) or ())

    def has(self, *path: str) -> bool:
        """Whether anything is at `path`. What is not known yet is there."""
        try:
            return bool(self.at(*path))
        except UnknownValueError:
            return True


@dataclass(frozen=True)
class Stack:
    """All resources of a stack."""

    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """Yield the resources of these types."""
        return (each for each in self.resources if each.type in types)

    def made_from(self, source: Resource, type_token: str, prop: str) -> list[Resource]:
        """Return the resources of a type whose property `prop` has an output of `source`."""
        return [each for each in self.of(type_token) if source.urn in each.made_from.get(prop, ())]

    def sources(self, resource: Resource, prop: str) -> list[Resource]:
        """Return the resources whose outputs `prop` has."""
        return [each for each in self.resources if each.urn in resource.made_from.get(prop, ())]


Check = Callable[[Resource, Stack], Iterator[str]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One demand."""

    name: str
    demands: str
    """One sentence."""
    types: tuple[str, ...]
    """Which resources it is about."""
    ids: tuple[str, ...]
    """The checks of cdk-nag (AwsSolutions-, Serverless-) and checkov (CKV_AWS_, CKV2_AWS_) that it stands for."""
    narrowed: str
    """Where it asks for less than these checks do, and why; empty where it does not."""
    reads_stack: bool
    """Whether it reads other resources too."""
    check: Check
    """Yields what is wrong with one resource."""


@dataclass(frozen=True)
class Finding:
    """One violation."""

    rule: Rule
    resource: Resource
    message: str


def of_resource(
    *types: str, ids: tuple[str, ...], narrowed: str = ""
) -> Callable[[Callable[[Resource], Iterator[str]]], Rule]:
    """Make a rule of a check that reads one resource. The docstring is what it demands, the name its name."""

    def make(check: Callable[[Resource], Iterator[str]]) -> Rule:
        return _rule(check, lambda resource, _: check(resource), types, ids, narrowed, reads_stack=False)

    return make


def of_stack(*types: str, ids: tuple[str, ...], narrowed: str = "") -> Callable[[Check], Rule]:
    """Make a rule of a check that reads other resources too."""

    def make(check: Check) -> Rule:
        return _rule(check, check, types, ids, narrowed, reads_stack=True)

    return make


def _rule(
    named: Callable[..., Any],
    check: Check,
    types: tuple[str, ...],
    ids: tuple[str, ...],
    narrowed: str,
    *,
    reads_stack: bool,
) -> Rule:
    return Rule(
        name=named.__name__.replace("_", "-"),
        demands=" ".join((named.__doc__ or "").split()),
        types=types,
        ids=ids,
        narrowed=narrowed,
        reads_stack=reads_stack,
        check=check,
    )


def findings(rule: Rule, stack: Stack, resources: Iterable[Resource] | None = None) -> Iterator[Finding]:
    """Yield what violates the rule. A resource that cannot be judged before something is made is left for later."""
    for resource in stack.resources if resources is None else resources:
        if resource.type not in rule.types:
            continue
        try:
            yield from [Finding(rule, resource, message) for message in rule.check(resource, stack)]
        except UnknownValueError:
            continue
