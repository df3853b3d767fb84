"""Each call of AWS goes wrong in each way, and every order ends right, by itself or by `make redrive`.

The calls are recorded: of an order accepted and confirmed, rejected, cancelled, cancelled while it is processed,
failed, abandoned by its execution, processed at once, rejected at once, processed twice; of a profile, of the
catalogue, of lists. Each call of each function and of both workflows is a fault point for each fault
(tests/proof/aws_faults/plan.py), and each fault point has a customer, a product and an order of its own.

A mail may come twice if SES took it and its answer was lost, or if the function's process died before that was noted:
SES has no idempotency token. An event may be twice on the bus if PutEvents' answer was lost, and must not be acted on
twice. Both are counted.

Broken on purpose in a copy of the program, each with the fault points near it, and found:
the order's condition of update_inventory's transaction always true: 4 of 13 oversold; createOrder without
attribute_not_exists: 5 of 5 stuck; send_email although the mail is done: 3 mails twice; no failure destination and no
dead-letter queue: 4 of 4 stuck (without the destination alone nothing is lost: the dead-letter queue has a copy); the
workflow's Retry of three attempts with none: 11 of 30 failed; fail_order not told of executions that ended: 5 of 8
stuck.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3

from local.client import client_of
from local.patience import PATIENCE
from operations import redrive, stack_outputs
from tests.journeys.checked_client import CheckedClient
from tests.journeys.people import People
from tests.proof.aws_faults.cases import SCENARIOS
from tests.proof.aws_faults.judge import is_complete, judge, waits
from tests.proof.aws_faults.run import FaultPoint, Run, is_waiting, points_of
from tests.proof.aws_faults.world import RETRY_BASE_S, World, faulty_world
from tests.proof.plugin import Dose, Proof

pytestmark = [pytest.mark.attack("aws-faults"), pytest.mark.emulator]

SAMPLE = 15
SEED = 4
REDRIVES = 3
"""At most: a message that is sent back may fail again, behind another one."""
FOR_THE_SAMPLE = ("accepted and confirmed", "abandoned", "processed at once")


@pytest.mark.timeout(900)
def test_each_order_ends_right_whichever_call_of_aws_goes_wrong(
    dose: Dose,
    proof: Proof,
    free_port: Callable[[], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The full run contains calls that are slower than the time limits of the settings, so it uses longer pauses. The
    # sample contains no such calls.
    retry_base_s, patience = (RETRY_BASE_S, 1) if dose.full else (1, PATIENCE)
    with faulty_world(free_port(), tmp_path, retry_base_s=retry_base_s, patience=patience) as world:
        run = _run(world)
        recorded = run.record([each for each in SCENARIOS.values() if dose.full or each.name in FOR_THE_SAMPLE])
        points = points_of(recorded)
        if not dose.full:
            quick = [point for point in points if _is_quick(point)]
            points = random.Random(SEED).sample(quick, SAMPLE)  # noqa: S311 - each run needs the same numbers
        run.attack(points)
        seen = run.settle(is_waiting)
        at_once = sum(is_complete(case, seen) for case in run.cases)
        run.lift()
        for _ in range(REDRIVES):
            _redrive(world, monkeypatch)
            seen = run.settle(lambda case, seen: is_complete(case, seen) or waits(case, seen))
            if not any(seen.failed.values()):
                break
        verdict = judge(run.cases, seen)
        ended = sum(is_complete(case, seen) for case in run.cases)
    proof.tried(
        calls=sum(map(len, recorded.values())),
        fault_points=len(points),
        kinds=len({point.fault for point in points}),
        cases=len(run.cases),
    )
    proof.found(
        ended_by_themselves=at_once,
        ended_by_redrive=ended - at_once,
        **{kind: verdict.counts[kind] for kind in ("lost", "duplicated", "oversold", "stuck")},
        **{kind: verdict.counts[kind] for kind in ("mails_twice", "events_twice")},
    )
    assert verdict.wrong == []
    assert not any(seen.failed.values())
    assert ended == len(run.cases)


def _run(world: World) -> Run:
    plain = client_of(world.stack.outputs)
    # The pool has as many connections as there are concurrent customers.
    client = CheckedClient(plain.frontend, plain.cognito_url, urllib3.PoolManager(maxsize=16, retries=False))
    return Run(world, People(world.stack, client).somebody("admin"))


def _redrive(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the command, as `make redrive` does."""

    def outputs_file(port: int) -> Path:
        assert port == world.stack.instance.port
        return world.stack.instance.outputs

    monkeypatch.setattr(stack_outputs, "outputs_file", outputs_file)
    assert redrive.main(["local", "--port", str(world.stack.instance.port)]) in (0, 1)


def _is_quick(point: FaultPoint) -> bool:
    """Say whether it ends within seconds: no time limit must run out, and no other order waits for it."""
    call, fault = point.call, point.fault
    if fault.kind in ("too slow", "timed out", "died"):
        return False
    if call.caller in ("publish_order_events", "record_analytics"):
        return fault.extent != "ever" and not fault.kind.startswith("killed")
    return not (call.caller == "send_email" and fault.kind.startswith("killed"))
