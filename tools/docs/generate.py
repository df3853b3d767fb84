"""Writes the parts of the documents that are generated from the resource graph, between their markers.

`make generate` runs `python -m tools.docs.generate`. A test fails if a document is out of date.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from operations.api_document import routes
from tests.policy import tables
from tests.proof.least_privilege import table as privilege_table
from tests.support.graph import ROOT, Graph, Resource, record
from tools.cost import cases
from tools.cost import report as cost

_MARK: Final = "<!-- {}: made by `make generate` -->"
_END: Final = "<!-- end -->"


def between(text: str, part: str, content: str) -> str:
    """Return `text` with `content` between the markers of `part`. Raises ValueError if the markers are missing."""
    mark = _MARK.format(part)
    if mark not in text or _END not in text.split(mark, 1)[1]:
        raise ValueError(f"no markers for {part}; add {mark!r} and {_END!r}")
    before, after = text.split(mark, 1)
    return f"{before}{mark}\n{content}\n{_END}{after.split(_END, 1)[1]}"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a Markdown table with the header `head`."""
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def functions(graph: Graph) -> str:
    """Return a table of the functions: invokers, limits, and permissions beyond logs, traces and failed events."""
    prod = {
        made.inputs["functionName"].replace("-prod-", "-dev-"): made
        for made in recorded("prod").of("ProvisionedConcurrencyConfig")
    }
    rows: list[tuple[str, ...]] = []
    for made in sorted(_functions(graph), key=lambda made: made.name):
        name = str(made.inputs["name"])
        provisioned = prod[name].inputs["provisionedConcurrentExecutions"] if name in prod else 0
        limits = f"{made.inputs['timeout']} s, {made.inputs['memorySize']} MiB"
        rows.append(
            (f"`{made.name}`", "; ".join(_invokers(graph, name)), limits, str(provisioned), _rights(graph, made))
        )
    return table(("Function", "Invoked by", "Limits", "Provisioned concurrency in prod", "May call"), rows)


@cache
def recorded(stack: str) -> Graph:
    """Return the resource graph of a stack."""
    return record(stack, build_archives=False)


def _functions(graph: Graph) -> list[Resource]:
    return [made for made in graph.of("aws:lambda/function:Function") if made.custom]


def _invokers(graph: Graph, name: str) -> Iterator[str]:
    for kind in ("aws:apigateway/restApi:RestApi", "aws:apigatewayv2/api:Api"):
        for route in routes(graph.of(kind)[0].inputs["body"]):
            if f":function:{name}:" in str(route.integration.get("uri")):
                yield f"`{route.name}`"
    for target in graph.of("EventTarget"):
        if f":function:{name}:" in str(target.inputs["arn"]):
            yield f"rule `{_short(target.inputs['rule'])}`"
    for mapping in graph.of("EventSourceMapping"):
        if f":function:{name}:" in mapping.inputs["functionName"]:
            source = str(mapping.inputs["eventSourceArn"])
            yield f"{'queue' if ':sqs:' in source else 'stream of'} `{_short(source)}`"
    if f":function:{name}:" in graph.of("StateMachine")[0].inputs["definition"]:
        yield "order workflow"


def _rights(graph: Graph, function: Resource) -> str:
    described: list[str] = []
    own = {"logs", "xray"}
    for statement in graph.policy("RolePolicy", f"{function.name}-policy"):
        if statement["Action"][0].split(":")[0] in own or str(statement["Resource"]).count("-dlq"):
            continue
        actions = ", ".join(action.split(":")[1] for action in statement["Action"])
        described.append(f"{actions} on {', '.join(f'`{_short(arn)}`' for arn in statement['Resource'])}")
    return "; ".join(described) or "-"


def _short(arn: str) -> str:
    """Return the resource's name in an ARN, without project and stack."""
    name = arn.split("/stream/", maxsplit=1)[0].split(":", 5)[-1]
    for prefix in ("table/", "event-bus/", "stateMachine:", "function:"):
        name = name.removeprefix(prefix)
    return re.sub(r"orders-dev-", "", name)


def queues(graph: Graph) -> str:
    """Return a table of the failure queues: what each queue holds, and where `make redrive` sends its messages."""
    explained = {
        "delivery": "events that EventBridge could not deliver to the function or queue",
        "invocation": "events that failed every retry or became too old, each with its error",
        "dead-letter": "the events of the function's other failure queue, without their errors",
        "stream": "the positions of stream records that failed every retry",
        "queue": "messages that are invalid or that SQS delivered too often",
    }
    rows = [
        (f"`{name}`", explained[entry["kind"]], f"`{_short(entry['redriveTo'].rsplit('/', 1)[-1])}`")
        for name, entry in graph.outputs["ops"]["failureQueues"].items()
    ]
    return table(("Failure queue", "Holds", "`make redrive` sends to"), rows)


def alarms(graph: Graph) -> str:
    """Return a table of the alarms and their descriptions. Alarms that differ only in a name share a row."""
    named: dict[tuple[str, str], list[str]] = {}
    for made in sorted(graph.of("MetricAlarm"), key=lambda made: made.name):
        alarm, description = made.inputs["name"].removeprefix("orders-dev-"), made.inputs["alarmDescription"]
        subject = re.sub(r"-(not-empty|throttles|errors|slow)$", "", alarm)
        row = alarm.replace(subject, "NAME"), description.replace(subject, "NAME")
        named.setdefault(row if subject in description else (alarm, description), []).append(subject)
    rows = [
        (f"`{alarm}`", description, ", ".join(f"`{each}`" for each in subjects) if "NAME" in alarm else "-")
        for (alarm, description), subjects in named.items()
    ]
    return table(("Alarm", "Description", "NAME stands for"), rows)


def workflow(graph: Graph) -> str:
    """Return the states of the workflow as a Mermaid diagram."""
    definition = json.loads(graph.of("StateMachine")[0].inputs["definition"])
    lines = ["```mermaid", "stateDiagram-v2", f"  [*] --> {definition['StartAt']}"]
    lines += list(_transitions(definition["States"]))
    return "\n".join([*lines, "```"])


def _transitions(states: Mapping[str, Any]) -> Iterator[str]:
    for name, state in states.items():
        if state["Type"] in ("Succeed", "Fail"):
            yield f"  {name} --> [*]"
        for branch in state.get("Branches", []):
            yield f"  state {name} {{"
            yield f"    [*] --> {branch['StartAt']}"
            yield from (f"  {line}" for line in _transitions(branch["States"]))
            yield "  }"
        followers = [state.get("Next"), state.get("Default")]
        followers += [choice["Next"] for choice in state.get("Choices", [])]
        followers += [caught["Next"] for caught in state.get("Catch", [])]
        yield from (f"  {name} --> {follower}" for follower in dict.fromkeys(followers) if follower)
        if state.get("End"):
            yield f"  {name} --> [*]"


def permissions(graph: Graph) -> str:
    """Return a table of the permissions of each role."""
    return table(privilege_table.HEAD, privilege_table.rows(graph))


PARTS: Final[Mapping[str, Callable[[Graph], str]]] = {
    "functions": functions,
    "failure queues": queues,
    "alarms": alarms,
    "workflow": workflow,
    "permissions": permissions,
    "cost": lambda _: "\n".join(("```text", *map(str.rstrip, cost.report(recorded("prod"), 1_000_000).lines()), "```")),
    "calls": lambda _: table(*cases.shown()),
    "rules": lambda _: table(*tables.rules()),
    "advisory rules": lambda _: table(*tables.enforcement()),
    "waivers": lambda _: table(*tables.waivers()),
    "checks that are no rule": lambda _: table(*tables.not_taken()),
}
DOCUMENTS: Final = (
    ROOT / "docs" / "architecture.md",
    ROOT / "docs" / "cost.md",
    ROOT / "docs" / "operations.md",
    ROOT / "docs" / "permissions.md",
    ROOT / "policy" / "README.md",
)


def rendered(path: Path) -> str:
    """Return the document with its generated parts up to date."""
    graph, text = recorded("dev"), path.read_text(encoding="utf-8")
    for part, make in PARTS.items():
        if _MARK.format(part) in text:
            text = between(text, part, make(graph))
    return text


if __name__ == "__main__":
    for document in DOCUMENTS:
        document.write_text(rendered(document), encoding="utf-8")
        sys.stdout.write(f"{document.relative_to(ROOT)}\n")
