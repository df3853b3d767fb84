"""Each AWS call fails in each possible way, and every order still ends correctly, by itself or after `make redrive`.

The test first records the AWS calls of these scenarios:

- An accepted order is confirmed, is rejected, or is cancelled after its confirmation or during its processing.
- The first EXPRESS execution of an accepted order fails, and a later one confirms the order ("confirmed in a later
  run").
- The STANDARD execution of an accepted order is aborted, so the sweep must restart the workflow ("abandoned").
- A synchronous order is confirmed, is rejected, or is sent twice.
- A client reads and writes profiles and the catalog, and reads orders.

Each recorded call, combined with each fault that can occur there (tests/proof/aws_faults/plan.py), is a fault point.
Each fault point gets its own customer, product and order. The test itself invokes the sweep, which restarts late
orders. Waiting for the sweep's schedule would take minutes.

An email is allowed to be sent twice if SES's response was lost, or if the function died before it recorded the email as
sent. The platform cannot avoid this, because SES has no idempotency token. An event is allowed to be published twice if
the response of PutEvents was lost, but consumers must not act on it twice. The report counts both kinds of duplicates.

We broke copies of the program and of this test on purpose. For each defect, we ran the fault points of the calls that
it affects. The attack found every defect:

- `update_inventory` without the condition on the order: 4 of 13 fault points oversold stock.
- createOrder without attribute_not_exists: 5 of 5 fault points left the order PENDING.
- `send_email` without a check for emails already sent: 3 emails were sent twice.
- `process_order` with neither an on-failure destination nor a dead-letter queue: 4 of 4 fault points left the order
  PENDING. If only the destination is missing, nothing is lost, because the dead-letter queue has a copy.
- A workflow that sets orders to FAILED after an error: the scenario "confirmed in a later run" ends as FAILED.
- A copy of this test that invokes no sweep: the scenario "abandoned" leaves the order PENDING.
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
from tests.proof.aws_faults.checks import check_cases, is_complete, waits
from tests.proof.aws_faults.faulty_stack import RETRY_BASE_S, FaultyStack, faulty_stack
from tests.proof.aws_faults.run import FaultPoint, Run, is_waiting, points_of
from tests.proof.plugin import Dose, Proof

pytestmark = [pytest.mark.attack("aws-faults"), pytest.mark.emulator]

SAMPLE = 10
SEED = 4
REDRIVES = 3
"""The maximum number of redrives. A redriven message can fail again because of another message before it."""
FOR_THE_SAMPLE = ("accepted and confirmed", "abandoned", "processed at once")


@pytest.mark.timeout(1800)
def test_every_order_ends_correctly_whichever_aws_call_fails(
    dose: Dose,
    proof: Proof,
    free_port: Callable[[], int],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # In the full attack, some calls are so slow that functions time out. The full attack therefore uses the configured
    # time limits, and long waits before Lambda's retries (see RETRY_BASE_S). The sample has no such calls. It uses
    # longer time limits, in case the machine is slow, and shorter waits, which save time.
    retry_base_s, patience = (RETRY_BASE_S, 1) if dose.full else (1, PATIENCE)
    with faulty_stack(free_port(), tmp_path, retry_base_s=retry_base_s, patience=patience) as faulty:
        run = _run(faulty)
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
            _redrive(faulty, monkeypatch)
            seen = run.settle(lambda case, seen: is_complete(case, seen) or waits(case, seen))
            if not any(seen.failed.values()):
                break
        findings = check_cases(run.cases, seen)
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
        **{kind: findings.counts[kind] for kind in ("lost", "duplicated", "oversold", "stuck")},
        **{kind: findings.counts[kind] for kind in ("mails_twice", "events_twice")},
    )
    assert findings.wrong == []
    assert not any(seen.failed.values())
    assert ended == len(run.cases)


def _run(faulty: FaultyStack) -> Run:
    plain = client_of(faulty.stack.outputs)
    # All concurrent customers share this client, so its pool must have a connection for each of them.
    client = CheckedClient(plain.frontend, plain.cognito_url, urllib3.PoolManager(maxsize=16, retries=False))
    return Run(faulty, People(faulty.stack, client).somebody("admin"))


def _redrive(faulty: FaultyStack, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the command of `make redrive` in this process, for the attack's own instance."""

    def outputs_file(port: int) -> Path:
        assert port == faulty.stack.instance.port
        return faulty.stack.instance.outputs

    monkeypatch.setattr(stack_outputs, "outputs_file", outputs_file)
    assert redrive.main(["local", "--port", str(faulty.stack.instance.port)]) in (0, 1)


def _is_quick(point: FaultPoint) -> bool:
    """Return whether the case of this fault point ends within seconds.

    A quick case neither waits for a time limit nor blocks other orders.
    """
    call, fault = point.call, point.fault
    if fault.kind in ("too slow", "timed out", "died"):
        return False
    if call.caller in ("publish_order_events", "record_analytics"):
        return fault.extent != "ever" and not fault.kind.startswith("killed")
    # Leave out faults after which send_email can neither complete nor release its claim (the row that prevents a second
    # email). Such a claim lasts until the function's timeout, so these cases take longer.
    return not (call.caller == "send_email" and (fault.kind.startswith("killed") or call.operation == "UpdateItem"))
