"""Tests that recorded_order.json is up to date: records an order again and compares the two recordings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.graph import Graph
from tools.cost.recorded import RECORDED_ORDER
from tools.cost.recording import recorded

# The sizes of logs and events may differ by 5 %, because log lines contain durations with different numbers of digits.
# Ids cause no difference, because their length is fixed.
NEARLY = 0.05
# With POST /process, process_order can receive OrderCreated before or after the workflow confirms the order. If the
# event arrives before the confirmation, the invocation fails, and Lambda retries it. The number of process_order's
# invocations therefore varies, and the tests don't compare it.
EITHER = "process_order"
# Sets the pause before the next delivery of a message. send_email makes this call if it receives both events of an
# order at the same time: the later email waits for the earlier one. This happens on a busy machine.
RETRY = " ChangeMessageVisibility"


def batched(graph: Graph) -> set[str]:
    """Return the names of the functions that read a queue or a stream.

    On a busy machine, one invocation can receive both events of an order, or the function receives the events in the
    wrong sequence. The numbers of invocations and calls and the size of the logs therefore vary. The tests don't
    compare these figures.
    """
    sources = {made.inputs["name"]: made.name.replace("-", "_") for made in graph.of("aws:lambda/function:Function")}
    return {
        name
        for made in graph.of("EventSourceMapping")
        for full, name in sources.items()
        if f":{full}:" in made.inputs["functionName"]
    }


def counts(way: dict[str, Any], left_out: set[str]) -> dict[str, Any]:
    """Return the counts that must be the same in every recording of an order.

    The number of calls by the functions in `left_out` varies, so `any number` replaces it. For example, `send_email`
    sends only one email if it receives the order's events in the wrong sequence.
    """
    functions = {name: each["invocations"] for name, each in way["functions"].items() if name not in left_out}
    workflows = {
        name: {key: each[key] for key in ("executions", "transitions", "tasks", "lines")}
        for name, each in way["workflows"].items()
    }
    calls = {
        call: "any number" if call.split(" ")[0] in left_out else number
        for call, number in way["calls"].items()
        if EITHER not in call and not call.endswith(RETRY)
    }
    rows = Counter(
        (each["caller"], each["kind"], each["table"], str(each.get("is_transactional")))
        for each in way["accesses"]
        if each["caller"] != EITHER
    )
    accesses = {row: "any number" if row[0] in left_out else number for row, number in rows.items()}
    return {"functions": functions, "workflows": workflows, "calls": calls, "accesses": accesses}


def bytes_of(way: dict[str, Any], left_out: set[str]) -> dict[str, int]:
    logs = {**way["functions"], **way["workflows"], "access": way["access_log"]}
    return {name: each["bytes"] for name, each in logs.items() if name not in left_out} | {"events": sum(way["events"])}


def test_retry_of_an_email_does_not_change_the_comparison() -> None:
    known = json.loads(RECORDED_ORDER.read_text())["ways"]["standard"]
    calls = {**known["calls"], "send_email ChangeMessageVisibility": 1}
    assert counts({**known, "calls": calls}, {"send_email"}) == counts(known, {"send_email"})
    assert counts({**known, "calls": {**calls, "send_email Scan": 1}}, {"send_email"}) != counts(known, {"send_email"})


@pytest.mark.emulator
def test_order_makes_the_recorded_calls(
    free_port: Callable[[], int], tmp_path: Path, graph_of: Callable[[str], Graph]
) -> None:
    left_out = {EITHER, *batched(graph_of("local"))}
    assert len(left_out) > 1
    known = json.loads(RECORDED_ORDER.read_text())["ways"]
    now = recorded(free_port(), tmp_path)["ways"]
    for way in ("standard", "express"):
        assert counts(now[way], left_out) == counts(known[way], left_out), (
            "if the change is intended, run `make record`"
        )
        assert bytes_of(now[way], left_out) == pytest.approx(bytes_of(known[way], left_out), rel=NEARLY), (
            "sizes differ by more than 5 %; run `make record`"
        )
