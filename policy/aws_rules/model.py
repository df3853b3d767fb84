"""Defines the classes `Rule` and `Finding`, and the classes `Stack` and `Resource`, which rules read.

A rule reads only the properties of resources, and the references between resources. Rules can therefore run before
Pulumi creates anything, and without the Pulumi engine.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from pulumi_policy.proxy import UnknownValueError

__all__ = ["Finding", "Resource", "Rule", "Stack", "UnknownValueError", "findings", "of_resource", "of_stack"]


@dataclass(frozen=True, kw_only=True)
class Resource:
    """One resource, with its properties after the deployment."""

    type: str
    """Pulumi type token, for example aws:sqs/queue:Queue."""
    name: str
    """Logical name."""
    urn: str
    props: Mapping[str, Any]
    """Properties with camelCase keys. Reading a value that is not known yet raises UnknownValueError."""
    made_from: Mapping[str, frozenset[str]] = field(default_factory=dict[str, frozenset[str]])
    """Maps a property to the URNs of the resources whose outputs the property contains.

    These URNs are known even if the outputs are not known yet.
    """
    deleted_first: bool = False
    """Whether Pulumi deletes the resource before it creates a replacement."""

    def at(self, *path: str) -> Any:
        """Return the property at `path`, or None if it is unset. Raises UnknownValueError if it is not known yet."""
        value: Any = self.props
        for key in path:
            if not isinstance(value, Mapping):
                return None
            value = cast("Mapping[str, Any]", value).get(key)
        return value

    def items(self, *path: str) -> list[Any]:
        """Return the list at `path`, or an empty list. Raises UnknownValueError if the value is not known yet."""
        return list(self.at(*path) or ())

    def has(self, *path: str) -> bool:
        """Return whether the property at `path` is set. A value that is not known yet counts as set."""
        try:
            return bool(self.at(*path))
        except UnknownValueError:
            return True


@dataclass(frozen=True)
class Stack:
    """All resources of a stack."""

    resources: tuple[Resource, ...]

    def of(self, *types: str) -> Iterator[Resource]:
        """Yield the resources with one of the given type tokens."""
        return (each for each in self.resources if each.type in types)

    def made_from(self, source: Resource, type_token: str, prop: str) -> list[Resource]:
        """Return the resources of the type `type_token` whose property `prop` contains an output of `source`."""
        return [each for each in self.of(type_token) if source.urn in each.made_from.get(prop, ())]

    def sources(self, resource: Resource, prop: str) -> list[Resource]:
        """Return the resources whose outputs the property `prop` of `resource` contains."""
        return [each for each in self.resources if each.urn in resource.made_from.get(prop, ())]


Check = Callable[[Resource, Stack], Iterator[str]]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One rule of the policy pack."""

    name: str
    demands: str
    """The requirement, in one sentence."""
    types: tuple[str, ...]
    """Type tokens of the resources that the rule checks."""
    ids: tuple[str, ...]
    """Checks of cdk-nag (AwsSolutions-, Serverless-) and checkov (CKV_AWS_, CKV2_AWS_) that the rule replaces."""
    narrowed: str
    """Where and why the rule requires less than the checks in `ids`. Empty if the rule requires the same."""
    reads_stack: bool
    """Whether the rule also reads other resources of the stack."""
    check: Check
    """Function that receives a resource and the stack, and yields a message for each violation by the resource."""


@dataclass(frozen=True)
class Finding:
    """One violation of a rule by a resource."""

    rule: Rule
    resource: Resource
    message: str


def of_resource(
    *types: str, ids: tuple[str, ...], narrowed: str = ""
) -> Callable[[Callable[[Resource], Iterator[str]]], Rule]:
    """Return a decorator that converts a check of one resource to a rule.

    The rule gets its name from the name of the check, and its requirement from the docstring of the check. `types`,
    `ids` and `narrowed` are fields of the rule.
    """

    def make(check: Callable[[Resource], Iterator[str]]) -> Rule:
        return _rule(check, lambda resource, _: check(resource), types, ids, narrowed, reads_stack=False)

    return make


def of_stack(*types: str, ids: tuple[str, ...], narrowed: str = "") -> Callable[[Check], Rule]:
    """Return a decorator like that of `of_resource`, for a check that receives the stack as its second argument."""

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
    """Yield the violations of `rule` by `resources`, or by all resources of `stack`.

    Skips each resource for which the rule reads a value that is not known yet.
    """
    for resource in stack.resources if resources is None else resources:
        if resource.type not in rule.types:
            continue
        try:
            yield from [Finding(rule, resource, message) for message in rule.check(resource, stack)]
        except UnknownValueError:
            continue
