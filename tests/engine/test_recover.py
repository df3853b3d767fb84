"""Tests that a stack can be deployed again after an update was killed or failed, and that its state matches AWS."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from operations import pending
from tests.engine.engine import Engine, copy_of, operations
from tests.proof.plugin import Dose
from tests.support.graph import ROOT

STACK = "dev"


@pytest.fixture
def fresh(tmp_path: Path) -> Engine:
    """An engine with a stack that has never been deployed."""
    engine = Engine(tmp_path / "home", copy_of(ROOT, tmp_path / "orders"), {"STAND_IN_DELAY": "0.4"})
    engine.create(STACK)
    return engine


def recovered(engine: Engine) -> list[str]:
    """Recover the stack as an operator does, and return the lines that `make recover` printed.

    If the command needs ids that AWS chose, looks these ids up, and runs the command again with them.
    """
    ended = engine.operation("recover", STACK)
    if "empty .attrs file" in ended.err:
        subprocess.run(["/bin/sh", "-c", ended.err.split("run `")[1].split("`")[0]], check=True)
        ended = engine.operation("recover", STACK)
    said = ended.out
    if "AWS chooses the ids" in ended.out:
        assert ended.code == 1
        with engine.cloud.locked() as things:
            ids = {(thing["type"], thing["urn"].rsplit("::", 1)[-1]): thing["id"] for thing in things.values()}
        lines = [line.split(": ")[0].split() for line in ended.out.splitlines() if line.startswith("  ")]
        given = [f"{name}={ids.get((type_, name), 'none')}" for type_, name in lines]
        ended = engine.operation("recover", STACK, "--ids", *given)
        said += ended.out
    assert ended.code == 0, ended.said
    assert ended.out.endswith(f"stack dev is recovered; complete the update: `make deploy STACK={STACK}`\n")
    return said.splitlines()


def killed(engine: Engine, calls: int) -> list[str]:
    """Kill an update after `calls` calls to AWS, recover the stack, and return the output lines of `make recover`."""
    engine.killed_at(calls, "up", "--stack", STACK, "--yes", "--skip-preview")
    said = recovered(engine)
    assert pending.operations(engine.exported(STACK)) == []
    assert engine.differences() == []
    return said


@pytest.mark.full
def test_update_killed_at_random_moments_can_be_completed_after_recovery(fresh: Engine) -> None:
    choice = random.Random(12)  # noqa: S311 - the moments must be the same in each run
    said = [line for _ in range(10) for line in killed(fresh, choice.randint(20, 30))]
    assert any(line.endswith("exists on AWS and is now in the state") for line in said)
    assert any(line.startswith("locked: the stack is currently locked by 1 lock(s)") for line in said)
    fresh.must_up(STACK)
    assert fresh.differences() == []


def test_empty_attrs_file_is_reported_with_a_command_that_deletes_it(fresh: Engine) -> None:
    [attributes] = (fresh.home / "state").rglob(f"{STACK}.json.attrs")
    attributes.write_text("")
    recovered(fresh)
    assert fresh.operation("drift", STACK).code == 0


@pytest.mark.full
def test_killed_update_of_existing_resources_can_be_completed_after_recovery(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    settings = engine.checkout / f"Pulumi.{STACK}.yaml"
    settings.write_text(settings.read_text().replace("logLevel: DEBUG", "logLevel: INFO"))
    killed(engine, 4)
    engine.must_up(STACK)
    assert engine.differences() == []


REFUSED = (
    *(
        "lambda/function:Function",
        "kms/key:Key",
        "dynamodb/table:Table",
        "cognito/userPool:UserPool",
        "s3/bucket:Bucket",
    ),
    *("iam/role:Role", "sqs/queue:Queue", "sns/topic:Topic", "cloudwatch/eventBus:EventBus"),
    *("apigateway/deployment:Deployment", "lambda/layerVersion:LayerVersion", "lambda/alias:Alias"),
    *("lambda/permission:Permission", "iam/rolePolicy:RolePolicy", "sfn/stateMachine:StateMachine"),
    *("apigateway/restApi:RestApi", "apigateway/stage:Stage", "apigatewayv2/api:Api"),
    *("cloudwatch/metricAlarm:MetricAlarm", "lambda/eventSourceMapping:EventSourceMapping"),
)


def test_next_update_completes_after_aws_refused_to_create_a_resource(tmp_path: Path, dose: Dose) -> None:
    checkout = copy_of(ROOT, tmp_path / "orders")
    for number, kind in enumerate(REFUSED[: dose(1, len(REFUSED))]):
        engine = Engine(tmp_path / f"home-{number}", checkout)
        engine.create(STACK)
        refused = engine.up(STACK, variables={"STAND_IN_FAIL": f"create=aws:{kind}::"})
        assert refused.code, refused.said
        assert "AccessDenied" in refused.said
        engine.must_up(STACK)
        assert engine.differences() == []


@pytest.mark.full
def test_update_with_refresh_restores_a_changed_alias_and_a_deleted_dashboard(
    deployed: Callable[[str], Engine],
) -> None:
    engine = deployed(STACK)
    with engine.cloud.locked() as things:
        key = next(key for key in things if key.startswith("aws:lambda/alias:Alias|orders-dev-orders-api/"))
        things[key]["inputs"]["functionVersion"] = "0"
        [dashboard] = [key for key in things if key.startswith("aws:cloudwatch/dashboard")]
        del things[dashboard]

    drift = engine.operation("drift", STACK)
    assert drift.code == 1
    assert drift.out.splitlines() == [
        'aws:lambda/alias:Alias orders-api-live: functionVersion: state has "1", AWS has "0"',
        "aws:cloudwatch/dashboard:Dashboard observability-dashboard: deleted on AWS (id orders-dev-overview)",
        (
            "stack dev: 2 difference(s); to make AWS match the program again, run "
            "`make deploy STACK=dev PULUMI_UP_FLAGS=--refresh`"
        ),
    ]
    engine.must_up(STACK)
    assert operations(engine.cloud.calls()) == {}, "without --refresh, Pulumi compares the program only with the state"
    engine.must_up(STACK, "--refresh")
    changes = {kind: names for kind, names in operations(engine.cloud.calls()).items() if kind in ("update", "create")}
    assert changes == {"update": ["orders-api-live"], "create": ["observability-dashboard"]}
    assert engine.differences() == []
    assert engine.operation("drift", STACK).out == "stack dev: AWS matches Pulumi's state\n"


def test_violated_mandatory_policy_rule_stops_the_deployment_before_the_first_aws_call(fresh: Engine) -> None:
    """`make deploy` starts with a preview, which checks all rules of the policy pack.

    A violated mandatory rule therefore stops the deployment before it changes anything.
    """
    engine = Engine(fresh.home, fresh.checkout)
    (engine.checkout / "policy" / "enforcement" / f"{STACK}.json").write_text("{}")
    ended = engine.run(*engine.command_of("deploy", f"STACK={STACK}", "PULUMI_UP_FLAGS=--yes"))
    assert ended.code
    assert "rest-stage-is-behind-a-firewall" in ended.said
    assert engine.cloud.calls() == []


@pytest.mark.full
def test_pulumi_still_ignores_resources_passed_with_import_pending_creates(fresh: Engine) -> None:
    """A bug in Pulumi: `pulumi refresh --import-pending-creates` does not add the given resources to the state.

    If this test fails, Pulumi has fixed the bug, and operations/pending.py is no longer needed (docs/decisions/23).
    """
    fresh.killed_at(20, "up", "--stack", STACK, "--yes", "--skip-preview")
    fresh.must("cancel", "--stack", STACK, "--yes")
    urns = {resource["urn"] for resource in pending.creates(fresh.exported(STACK))}
    with fresh.cloud.locked() as things:
        ids = {thing["urn"]: thing["id"] for thing in things.values() if thing["urn"] in urns}
    options = [part for pair in ids.items() for text in pair for part in ("--import-pending-creates", text)]
    fresh.must("refresh", "--stack", STACK, "--yes", "--skip-preview", *options)
    assert ids
    assert not set(ids) & {resource["urn"] for resource in fresh.state(STACK)}
