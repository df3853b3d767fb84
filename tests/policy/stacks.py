"""Converts a recorded resource graph to a stack that the rules can check, and creates changes that break rules."""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from aws_rules.model import Finding, Resource, Stack, findings
from aws_rules.rules import RULES
from tests.support.graph import Graph

Change = Callable[[Stack], Stack]


def stack_of(graph: Graph) -> Stack:
    """Return the resources of `graph`, with their computed outputs, in the form that the rules read."""
    return Stack(
        tuple(
            Resource(
                type=made.type,
                name=made.name,
                urn=made.urn,
                props=made.state,
                made_from=made.made_from,
                deleted_first=made.delete_before_replace,
            )
            for made in graph.resources
        )
    )


def all_findings(stack: Stack) -> list[Finding]:
    """Return every violation of every rule, including waived violations."""
    return [found for rule in RULES for found in findings(rule, stack)]


def said(found: Iterable[Finding]) -> set[tuple[str, str]]:
    """Return {(name of the rule, name of the resource)} for the findings."""
    return {(each.rule.name, each.resource.name) for each in found}


def find(stack: Stack, title: str) -> Resource:
    """Return the resource with the title `Kind name`, for example "Function users-api"."""
    kind, name = title.split()
    named = [each for each in stack.resources if each.name == name and each.type.startswith("aws:")]
    found = [each for each in named if each.type.endswith(f":{kind}")]
    assert len(found) == 1, f"{title}: {len(found)}"
    return found[0]


def change(title: str, alter: Callable[[dict[str, Any]], object]) -> Change:
    """Return a change that lets `alter` edit the properties of the resource `title`."""

    def altered(stack: Stack) -> Stack:
        resource = find(stack, title)
        props = copy.deepcopy(dict(resource.props))
        alter(props)
        assert props != resource.props, f"{title} was not changed"
        return _with(stack, resource, dataclasses.replace(resource, props=props))

    return altered


def put(title: str, *path: str, value: Any) -> Change:
    """Return a change that sets the value at `path` in the properties of the resource `title`."""

    def alter(props: dict[str, Any]) -> None:
        inner = props
        for key in path[:-1]:
            inner = cast("dict[str, Any]", inner.setdefault(key, {}))
        inner[path[-1]] = value

    return change(title, alter)


def drop(title: str, *path: str) -> Change:
    """Return a change that removes the value at `path` from the properties of the resource `title`."""

    def alter(props: dict[str, Any]) -> None:
        inner = props
        for key in path[:-1]:
            inner = cast("dict[str, Any]", inner[key])
        inner.pop(path[-1], None)

    return change(title, alter)


def statement(
    title: str, alter: Callable[[dict[str, Any]], object], *, key: str = "policy", number: int = -1
) -> Change:
    """Return a change that lets `alter` edit one statement of a policy.

    The policy is in the property `key` of the resource `title`. `number` is the index of the statement. By default, it
    is the last statement.
    """

    def rewrite(props: dict[str, Any]) -> None:
        document = json.loads(props[key])
        alter(document["Statement"][number])
        props[key] = json.dumps(document)

    return change(title, rewrite)


def body(title: str, alter: Callable[[Any], object]) -> Change:
    """Return a change that lets `alter` edit the OpenAPI document of the API `title`."""

    def rewrite(props: dict[str, Any]) -> None:
        document = json.loads(props["body"])
        alter(document)
        props["body"] = json.dumps(document)

    return change(title, rewrite)


def allow(title: str, **fields: Any) -> Change:
    """Return a change that adds an Allow statement with `fields` to the policy of the resource `title`."""

    def rewrite(props: dict[str, Any]) -> None:
        document = json.loads(props["policy"])
        document["Statement"].append({"Effect": "Allow", **fields})
        props["policy"] = json.dumps(document)

    return change(title, rewrite)


def without(title: str) -> Change:
    """Return a change that removes the resource `title`."""
    return lambda stack: Stack(tuple(each for each in stack.resources if each != find(stack, title)))


def plus(type_token: str, props: Mapping[str, Any], **made_from: str) -> Change:
    """Return a change that adds a resource of the type `type_token`, with the name `new` and the properties `props`.

    `made_from` maps a property to the title of the resource whose outputs the property contains.
    """

    def added(stack: Stack) -> Stack:
        sources = {key: frozenset({find(stack, title).urn}) for key, title in made_from.items()}
        new = Resource(type=type_token, name="new", urn="urn:new", props=props, made_from=sources)
        return Stack((*stack.resources, new))

    return added


def deleted_first(title: str) -> Change:
    """Return a change that makes Pulumi delete the resource `title` before it creates a replacement."""

    def altered(stack: Stack) -> Stack:
        resource = find(stack, title)
        return _with(stack, resource, dataclasses.replace(resource, deleted_first=True))

    return altered


def both(*changes: Change) -> Change:
    """Return one change that applies all `changes` in sequence."""

    def altered(stack: Stack) -> Stack:
        for each in changes:
            stack = each(stack)
        return stack

    return altered


def _with(stack: Stack, old: Resource, new: Resource) -> Stack:
    return Stack(tuple(new if each == old else each for each in stack.resources))
