"""Each granted permission is needed, and each needed permission is granted.

On the emulator, the attack first runs all scenarios with all permissions. IAM's decisions in this run show which
scenarios use which permission. Then the attack removes each permission that the emulator checks, one after the other.
At least one of the scenarios that use the permission must fail without it.

Some permissions are checked only by AWS. The attack derives from the resources which of these the platform needs. Each
needed permission must be granted, and each granted one must be needed.

Further tests grant unneeded permissions, and remove needed ones, and the attack must find each change. In a copy of the
program, the attack reported DeleteItem of users_api and PutItem of the STANDARD state machine as unused. After
SendEmail, Query and UpdateLogDelivery were removed, the attack reported them as missing.
"""

from __future__ import annotations

import copy
import dataclasses
import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from tests.conftest import STACKS
from tests.journeys.breakages import queue_attributes, received_at_most
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person
from tests.journeys.stack import Stack
from tests.proof.least_privilege import policies as privilege_policies
from tests.proof.least_privilege.audit import asked_by_aws_alone, audit
from tests.proof.least_privilege.audited_stack import AuditedStack
from tests.proof.least_privilege.grants import Grant, of_graph, plain_grant
from tests.proof.least_privilege.needs import needed
from tests.proof.least_privilege.removal import Removal, clean_run, removals, sign_of
from tests.proof.least_privilege.scenarios import QUEUES, scenarios
from tests.proof.plugin import Dose, Proof
from tests.support.graph import Graph, stack_config

pytestmark = [pytest.mark.attack("least-privilege")]
# `make test` runs only these scenarios. Each of them takes little time, and together they use permissions from every
# kind of policy.
SAMPLE = ("profile read", "order confirmed", "order processed", "process_order deployed", "standard machine deployed")


@pytest.mark.parametrize("stack", STACKS)
def test_program_grants_exactly_the_needed_permissions(
    graph_of: Callable[[str], Graph], stack: str, proof: Proof
) -> None:
    graph = graph_of(stack)
    found = audit(graph)
    if stack == "prod":
        proof.tried(permissions=len(of_graph(graph)))
        proof.found(unused=len(found.unused), missing=len(found.missing), wildcard_actions=len(found.wildcard_actions))
    assert not found.faults()


def test_all_stacks_grant_the_same_permissions(graph_of: Callable[[str], Graph]) -> None:
    def given(stack: str) -> set[Grant]:
        # Replace the sender of emails before the comparison, because each stack has its own setting for it.
        sender = json.loads(stack_config(stack)["orders:mail"])["sender"]
        return {
            plain_grant(grant, lambda text: text.replace(sender, "SENDER"))
            for grant in of_graph(graph_of(stack))
            # Leave out the permission on the site's bucket, because the stack local has no site.
            if not grant.policy.startswith("bucket ")
        }

    assert given("local") == given("dev") == given("prod")


Change = Callable[[Graph], Graph]


def statements(kind: str, name: str, change: Callable[[list[Any]], object], key: str = "policy") -> Change:
    """Return a function that changes the statements of one resource's policy in a graph."""

    def spoil(inputs: dict[str, Any]) -> None:
        document = json.loads(inputs[key])
        change(document["Statement"])
        inputs[key] = json.dumps(document)

    return resource(kind, name, spoil)


def resource(kind: str, name: str, spoil: Callable[[dict[str, Any]], object]) -> Change:
    """Return a function that changes one resource's inputs in a graph."""

    def apply(graph: Graph) -> Graph:
        made = graph.one(kind, name)
        inputs = copy.deepcopy(dict(made.inputs))
        spoil(inputs)
        others = [each for each in graph.resources if each is not made]
        return dataclasses.replace(graph, resources=[*others, dataclasses.replace(made, inputs=inputs)])

    return apply


def without(kind: str, name: str) -> Change:
    """Return a function that removes one resource from a graph."""

    def apply(graph: Graph) -> Graph:
        made = graph.one(kind, name)
        return dataclasses.replace(graph, resources=[each for each in graph.resources if each is not made])

    return apply


def allow(action: str, on: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [action], "Resource": [on], **more}


def for_every_path(inputs: dict[str, Any]) -> None:
    inputs["sourceArn"] = inputs["sourceArn"].partition("/*/")[0] + "/*"


EXPRESS = "order-workflow-express-policy"
MACHINE = "order-workflow-standard-role"
CHANGES: list[tuple[str, str, Change]] = [
    (
        "unused",
        "order-express may sqs:SendMessage",
        statements("RolePolicy", EXPRESS, lambda s: s.append(allow("sqs:SendMessage"))),
    ),
    ("unused", "order-express may dynamodb:BatchGetItem", statements("RolePolicy", EXPRESS, lambda s: s.extend(s))),
    (
        "unused",
        "users-api may kms:Decrypt",
        statements("RolePolicy", "users-api-policy", lambda s: s.append(allow("kms:Decrypt"))),
    ),
    ("unused", "process-order-delivery", without("EventTarget", "process-order-target")),
    ("unused", "alarms-key", resource("Topic", "alarms", lambda i: i.update(kmsMasterKeyId="arn:aws:kms:::key/other"))),
    ("unused", "sqs:DeleteMessage", without("EventSourceMapping", "record-analytics-queue")),
    (
        "unused",
        "xray:GetSamplingRules",
        resource("StateMachine", "order-workflow-express", lambda i: i.update(tracingConfiguration={"enabled": False})),
    ),
    ("missing", "order-express may sns:Publish", statements("RolePolicy", EXPRESS, lambda s: s.pop(3))),
    (
        "missing",
        "process-order may sqs:SendMessage",
        statements("RolePolicy", "process-order-policy", lambda s: s.pop(2)),
    ),
    ("missing", "STAGE/*/orders*", without("Permission", "orders-api-rest-api-orders")),
    ("unused", "API/STAGE/*", resource("Permission", "orders-api-rest-api-orders", for_every_path)),
    ("missing", "queue analytics.fifo", statements("QueuePolicy", "analytics-policy", lambda s: s.pop())),
    ("missing", "topic alarms", statements("TopicPolicy", "alarms-policy", lambda s: s.pop())),
    ("missing", "kms:GenerateDataKey", statements("Key", "alarms-key", lambda s: s.pop())),
    # Removing a condition causes two findings. The permission with the condition is missing, and the permission without
    # the condition is unused.
    (
        "missing",
        "trust order-standard",
        statements("Role", MACHINE, lambda s: s[0].pop("Condition"), "assumeRolePolicy"),
    ),
    (
        "unused",
        "trust order-standard",
        statements("Role", MACHINE, lambda s: s[0].pop("Condition"), "assumeRolePolicy"),
    ),
    (
        "unused",
        "trust users-api: ec2",
        statements(
            "Role",
            "users-api-role",
            lambda s: s[0].update(Principal={"Service": "ec2.amazonaws.com"}),
            "assumeRolePolicy",
        ),
    ),
    (
        "missing",
        "analytics-delivery",
        statements("QueuePolicy", "analytics-delivery-policy", lambda s: s[-1].pop("Condition")),
    ),
    (
        "wildcard_actions",
        "dynamodb:*",
        statements("RolePolicy", "users-api-policy", lambda s: s.append(allow("dynamodb:*"))),
    ),
    (
        "wide",
        "dynamodb:GetItem",
        statements("RolePolicy", "users-api-policy", lambda s: s.append(allow("dynamodb:GetItem"))),
    ),
    (
        "unread",
        "bus-policy",
        lambda graph: dataclasses.replace(
            graph,
            resources=[
                *graph.resources,
                dataclasses.replace(
                    graph.of("QueuePolicy")[0], type="aws:cloudwatch/eventBusPolicy:EventBusPolicy", urn="bus-policy"
                ),
            ],
        ),
    ),
    (
        "unread",
        "attached",
        lambda graph: dataclasses.replace(
            graph,
            resources=[
                *graph.resources,
                dataclasses.replace(
                    graph.of("Role")[0], type="aws:iam/rolePolicyAttachment:RolePolicyAttachment", urn="attached"
                ),
            ],
        ),
    ),
    (
        "shared",
        "role/orders-local-users-api",
        resource(
            "aws:lambda/function:Function",
            "orders-api",
            lambda i: i.update(role="arn:aws:iam::123456789012:role/orders-local-users-api"),
        ),
    ),
]


@pytest.mark.parametrize(("kind", "named", "change"), CHANGES, ids=[f"{kind} {named}" for kind, named, _ in CHANGES])
def test_audit_reports_each_kind_of_wrong_permission(
    kind: str, named: str, change: Change, graph_of: Callable[[str], Graph]
) -> None:
    found = getattr(audit(change(graph_of("local"))), kind)
    assert [each for each in found if named in each], found


@pytest.fixture(scope="module")
def audited(  # noqa: PLR0917 - the arguments are fixtures
    stack: Stack,
    people: People,
    admin: Person,
    watcher: Watcher,
    notifications: Callable[[str], list[Any]],
    successes: Callable[[str], list[Any]],
) -> Iterator[AuditedStack]:
    # This fixture does not use `watcher`. It has the parameter because pytest creates `watcher` first, so the watcher
    # subscribes to the topics before the first order is placed.
    del watcher
    found = AuditedStack(stack, people, admin, people.somebody().introduce(), notifications, successes)
    with ExitStack() as until_then:
        # SQS must deliver a message at most twice, so that a message that fails reaches the failure queue soon. The
        # function sets the pause before the second delivery. If the function lacks the permission for this, the
        # visibility timeout applies, which is one second here.
        queues = stack.ops["failureQueues"]
        for source, name in QUEUES.items():
            until_then.enter_context(received_at_most(stack, source, 2))
            # Change the dead-letter queue of the EventBridge target as well, because the function also reads that
            # queue.
            undelivered = name.rpartition("-")[0] + "-delivery"
            for queue in (queues[name]["redriveTo"], queues[undelivered]["url"]):
                until_then.enter_context(queue_attributes(stack, queue, VisibilityTimeout="1"))
        yield found
        found.tidy()


@pytest.mark.emulator
def test_deployed_permissions_are_those_of_the_program(audited: AuditedStack, graph_of: Callable[[str], Graph]) -> None:
    # Leave out topic policies and key policies. The emulator does not check them, so `of_stack` does not read them.
    said = {grant for grant in of_graph(graph_of("local")) if not grant.policy.startswith(("topic ", "key "))}
    assert {each.grant for each in privilege_policies.of_stack(audited.stack)} == said


@pytest.mark.emulator
def test_each_removed_permission_makes_a_scenario_fail(
    audited: AuditedStack, dose: Dose, proof: Proof, graph_of: Callable[[str], Graph]
) -> None:
    known = {name: each for name, each in scenarios(audited).items() if dose.full or name in SAMPLE}
    deployed = privilege_policies.of_stack(audited.stack)
    uses = clean_run(audited, known, [each.grant for each in deployed])
    needs = needed(graph_of("local"))
    all_of_them = removals(audited, deployed, uses)
    unproven = [each.title for each in all_of_them if not each.scenarios and not _on_the_graph(each, needs)]
    wanted = [each for each in all_of_them if each.scenarios]
    signs = {each.title: sign_of(audited, each, known, uses) for each in (wanted if dose.full else sample(wanted))}
    unused = [title for title, sign in signs.items() if not sign] + (unproven if dose.full else [])
    proof.tried(removed=len(signs))
    proof.found(failures=sum(1 for sign in signs.values() if sign), unused=len(unused), missing=len(uses.refused))
    assert {each.grant for each in privilege_policies.of_stack(audited.stack)} == {each.grant for each in deployed}
    assert not unused, "unused: " + "\nunused: ".join(unused)
    assert not uses.refused, "missing: " + "\nmissing: ".join(sorted(uses.refused))
    assert len(signs) >= len(SAMPLE)


def _on_the_graph(removal: Removal, needs: dict[Grant, str]) -> bool:
    """Return whether only AWS checks the permission, and the resource graph shows that it is needed."""
    return asked_by_aws_alone(removal.grant) and removal.grant in needs


def sample(wanted: list[Removal]) -> list[Removal]:
    """Return the first removal for each combination of policy kind and AWS service."""
    firsts: dict[tuple[str, str], Removal] = {}
    for each in wanted:
        firsts.setdefault((each.grant.policy.split()[0], each.grant.action.split(":")[0]), each)
    return list(firsts.values())


@pytest.mark.emulator
def test_attack_detects_unneeded_permissions_of_a_running_stack(audited: AuditedStack) -> None:
    """The test grants users_api two permissions that it doesn't need: DeleteItem, and GetItem a second time."""
    table = audited.stack.aws.arn("dynamodb", f"table/{audited.stack.ops['tables']['users']}")
    document = {
        "Version": "2012-10-17",
        "Statement": [allow("dynamodb:DeleteItem", table), allow("dynamodb:GetItem", table)],
    }
    role = f"orders-{audited.stack.frontend['stage']}-users-api"
    named = {"RoleName": role, "PolicyName": "unneeded"}
    audited.stack.aws("iam", "put_role_policy", **named, PolicyDocument=json.dumps(document))
    try:
        known = {name: each for name, each in scenarios(audited).items() if name.startswith("profile")}
        deployed = [
            each for each in privilege_policies.of_stack(audited.stack) if each.grant.policy == "role users-api"
        ]
        uses = clean_run(audited, known, [each.grant for each in deployed])
        wanted = {each.grant: each for each in removals(audited, deployed, uses) if each.resource == table}
        signs = [(grant.action, bool(sign_of(audited, each, known, uses))) for grant, each in wanted.items()]
    finally:
        audited.stack.aws("iam", "delete_role_policy", **named)
    assert sorted(signs) == [
        ("dynamodb:DeleteItem", False),
        ("dynamodb:GetItem", False),
        ("dynamodb:PutItem", True),
    ]
