"""Reads the table of docs/data.md: which kinds of data each place is allowed to contain, and for how long."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from tests.support.graph import ROOT, Graph, Resource

DOCUMENT: Final = ROOT / "docs" / "data.md"
_HEAD: Final = "| place | may contain | retention in prod | why |"
_NOTHING: Final = "none of these kinds"
_AWS_ALONE: Final = " (only on AWS)"
# AWS sets these retention periods, and no setting of the project changes them.
_BY_AWS: Final[Mapping[str, str]] = {
    "stream of orders": "24 hours",
    "STANDARD executions": "90 days",
    "traces": "30 days",
    "traces of the API and the workflows": "30 days",
    "metrics": "15 months",
    "backups of the tables": "35 days",
}
_ASYNCHRONOUS: Final = "moments"
_QUEUES: Final[Mapping[str, str]] = {
    "delivery": "undelivered events",
    "invocation": "envelopes of failed invocations",
    "dead-letter": "dead letters",
    "stream": "invalid stream records",
    "queue": "queues of emails and analytics, and their failure queues",
}


@dataclass(frozen=True)
class Row:
    """One line of the table in docs/data.md."""

    place: str
    kinds: frozenset[str]
    kept: str
    why: str
    aws_alone: bool
    """Whether the place exists only on AWS and not on the emulator."""


def rows(text: str) -> dict[str, Row]:
    """Return {place: line of the table}. Raises ValueError if the table is missing or lists a place twice."""
    if _HEAD not in text:
        raise ValueError(f"the document has no table that begins with: {_HEAD}")
    found: dict[str, Row] = {}
    for line in text.split(_HEAD, 1)[1].strip().splitlines()[1:]:
        if not line.startswith("|"):
            break
        place, kinds, kept, why = (cell.strip() for cell in line.strip("|").split("|"))
        named = frozenset(kind.strip() for kind in kinds.split(",") if kind != _NOTHING)
        name = place.removesuffix(_AWS_ALONE)
        if name in found:
            raise ValueError(f"{name} has two lines in the table, expected one")
        found[name] = Row(name, named, kept, why, aws_alone=place.endswith(_AWS_ALONE))
    return found


def kinds_explained(text: str) -> set[str]:
    """Return the kinds of data that `text` (docs/data.md) explains in lines such as `- **name**: ...`."""
    return set(re.findall(r"^- \*\*([a-z ]+|IP address)\*\*:", text, re.MULTILINE))


def strays(found: Mapping[str, set[str]], table: Mapping[str, Row]) -> list[str]:
    """Return "place: kind of data" for all data that was found in a place but that the table doesn't allow there."""
    return [
        f"{place}: {kind}"
        for place, kinds in found.items()
        for kind in sorted(kinds - (table[place].kinds if place in table else set[str]()))
    ]


def stale(found: Mapping[str, set[str]], table: Mapping[str, Row]) -> list[str]:
    """Return "place: kind of data" for all data that the table allows in a place but that was not found there."""
    return [
        f"{row.place}: {kind}"
        for row in table.values()
        if not row.aws_alone
        for kind in sorted(row.kinds - found.get(row.place, set()))
    ]


def places_of(graph: Graph) -> dict[str, str]:
    """Return {place: retention time of its data} for all places that the resource graph shows."""
    found = dict(_BY_AWS)
    found |= dict(_logs(graph)) | dict(_queues(graph))
    for table in _custom(graph, "aws:dynamodb/table:Table"):
        role = table.name.removeprefix("data-")
        found[f"table {role}"] = f"{_remembered(graph)} days" if table.inputs.get("ttl") else "until erased"
    for archive in graph.of("EventArchive"):
        found["archive"] = f"{archive.inputs['retentionDays']} days"
    for topic in _custom(graph, "aws:sns/topic:Topic"):
        if topic.name != "alarms":
            found[f"topic {'notifications' if 'notifications' in topic.name else 'successes'}"] = _ASYNCHRONOUS
    for rules in graph.of("BucketLifecycleConfiguration"):
        if rules.name.startswith("data-analytics"):
            found["analytics bucket"] = ", then ".join(f"{days} days" for days in _expiry(rules.inputs["rules"]))
        elif rules.name.startswith("site-pages"):
            found["pages bucket"] = ", then ".join(
                ["until deleted", *(f"{days} days" for days in _expiry(rules.inputs["rules"]))]
            )
    if graph.of("EventBus"):
        found["events on the bus"] = _ASYNCHRONOUS
    if graph.of("aws:cognito/userPool:UserPool"):
        found["user pool"] = "until erased"
    return found


def _remembered(graph: Graph) -> str:
    """Return the number of days for which `send_email` remembers sent emails."""
    function = graph.one("aws:lambda/function:Function", "send-email")
    return str(function.inputs["environment"]["variables"]["REMEMBERED_DAYS"])


def _logs(graph: Graph) -> Iterator[tuple[str, str]]:
    exact = {
        "rest-api-access-log": "log of restApi",
        "http-api-access-log": "log of httpApi",
        "rest-api-execution-log": "execution log of the REST API",
        "rest-api-waf-log": "log of the firewall",
        "order-workflow-standard-log": "log of standard",
        "order-workflow-express-log": "log of express",
    }
    for group in graph.of("LogGroup"):
        name = exact.get(group.name, f"log of {group.name.removesuffix('-log').replace('-', '_')}")
        yield name, f"{group.inputs['retentionInDays']} days"


def _queues(graph: Graph) -> Iterator[tuple[str, str]]:
    kept = {each.inputs["name"]: each.inputs["messageRetentionSeconds"] // 86_400 for each in graph.of("Queue")}
    for each in graph.outputs["ops"]["failureQueues"].values():
        yield _QUEUES[each["kind"]], f"{kept[each['url'].rpartition('/')[2]]} days"


def _expiry(rules: list[dict[str, Any]]) -> Iterator[int]:
    """Yield the number of days after which each lifecycle rule of a bucket deletes objects or their old versions."""
    for rule in rules:
        if "days" in rule.get("expiration", {}):
            yield rule["expiration"]["days"]
        if "noncurrentVersionExpiration" in rule:
            yield rule["noncurrentVersionExpiration"]["noncurrentDays"]


def _custom(graph: Graph, kind: str) -> list[Resource]:
    return [each for each in graph.of(kind) if each.custom]
