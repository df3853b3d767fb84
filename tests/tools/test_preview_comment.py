"""Tests of the comment on a pull request, with recorded output of the real engine (see record_previews.py)."""

from __future__ import annotations

import json
import lzma
from collections.abc import Callable, Iterator
from functools import cache
from itertools import chain
from typing import Any

import pytest

from tests.support.graph import ROOT, Graph, Resource
from tests.tools.record_previews import CASES, FIRST, FOLDER
from tools.preview_comment import permissions, state
from tools.preview_comment.arns import Place
from tools.preview_comment.comment import GITHUB_LIMIT, comment, marker
from tools.preview_comment.preview import UNKNOWN, Change, read

PLACE = Place("123456789012", "ap-northeast-1")
TABLE = "arn:aws:dynamodb:ap-northeast-1:123456789012:table/orders"
STACKS = {FIRST: "dev", **{name: stack for name, (stack, _) in CASES.items()}}


@cache
def recorded(name: str) -> list[dict[str, Any]]:
    text = lzma.decompress((FOLDER / f"{name}.jsonl.xz").read_bytes()).decode()
    return [json.loads(line) for line in text.splitlines()]


def printed(events: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(event) + "\n" for event in events if "program" not in event)


def program(events: list[dict[str, Any]]) -> Graph:
    [resources] = [event["program"] for event in events if "program" in event]
    return Graph("", [resource(*each) for each in resources])


def resource(type_: str, name: str, inputs: dict[str, Any]) -> Resource:
    return Resource(type_, name, inputs, {}, "", "", True, False, False, (), {}, False)


def written(name: str) -> str:
    return comment(STACKS[name], read(printed(recorded(name))), lambda: program(recorded(name)))


def no_program() -> Graph:
    raise AssertionError("the program was run, although the preview has every value")


@pytest.mark.parametrize("name", STACKS)
def test_comment_about_a_recorded_preview_equals_the_reviewed_comment(name: str) -> None:
    assert written(name) == (FOLDER / f"{name}.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_recorded_change_still_applies_to_the_program(name: str) -> None:
    for edit in CASES[name][1]:
        assert edit.old in (ROOT / edit.path).read_text(encoding="utf-8"), f"adapt record_previews.py: {edit.path}"


@pytest.mark.parametrize("name", STACKS)
def test_first_line_of_a_comment_identifies_its_stack(name: str) -> None:
    assert written(name).splitlines()[0] == marker(STACKS[name])
    assert marker("dev") != marker("prod")


def test_json_document_gives_the_same_comment_as_streamed_events() -> None:
    events = recorded("deleted-table")
    metadata = [event["resourcePreEvent"]["metadata"] for event in events if "resourcePreEvent" in event]
    steps = [
        {
            "op": each["op"],
            "urn": each["urn"],
            "oldState": each.get("old"),
            "newState": each.get("new"),
            "diffReasons": each.get("diffs"),
            "replaceReasons": each.get("keys"),
        }
        for each in metadata
    ]
    document = json.dumps({"config": {}, "steps": steps, "changeSummary": {"delete": 1}}, indent=4)
    found = comment("dev", read(f"Installing packages\n{document}\n"), lambda: program(events))
    assert found == written("deleted-table")


@pytest.mark.parametrize("text", ["", "make: *** [preview] Error 1\n", '{"sequence": 0, "resou', '{\n    "steps": ['])
def test_preview_without_a_result_is_reported_as_failed(text: str) -> None:
    found = comment("dev", read(text), no_program)
    assert "**The preview failed" in found
    assert "No resource with data" not in found


def test_engine_error_is_shown_and_cannot_end_the_code_block() -> None:
    event = {"diagnosticEvent": {"severity": "error", "message": "protected ```\n<!-- pulumi -->"}}
    found = comment("dev", read(json.dumps(event)), no_program)
    assert "protected '''" in found
    assert found.count("```") == 2
    assert found.count("<!--") == 1


def step(type_: str, name: str, op: str, **states: dict[str, Any]) -> dict[str, Any]:
    urn = f"urn:pulumi:dev::orders::{type_}::{name}"
    sides = {side: {"custom": True, "inputs": inputs} for side, inputs in states.items()}
    return {"resourcePreEvent": {"metadata": {"op": op, "urn": urn, "type": type_, **sides}}}


KINDS = ("deleted tables", "new roles", "statements of one role", "routes", "renamed queues", "updates", "everything")


def thousand(kind: str) -> Iterator[dict[str, Any]]:
    for number in range(1000):
        name = f"resource-with-a-long-name-{number:04}"
        inputs = {"name": name, "policy": json.dumps({"Statement": [statement("s3:*", f"{TABLE}{number}")]})}
        match kind:
            case "deleted tables":
                yield step("aws:dynamodb/table:Table", name, "delete", old=inputs)
            case "new roles":
                yield step("aws:iam/rolePolicy:RolePolicy", name, "create", new={**inputs, "role": name})
            case "renamed queues":
                yield step("aws:sqs/queue:Queue", f"{name}-old", "delete", old=inputs)
                yield step("aws:sqs/queue:Queue", name, "create", new=inputs)
            case "statements of one role":
                statements = [statement(f"s3:Action{each}", f"{TABLE}{each}") for each in range(1000)] * (number == 0)
                policy = {"role": "one", "policy": json.dumps({"Statement": statements})}
                yield step("aws:iam/rolePolicy:RolePolicy", name, "create", new=policy)
            case "routes":
                answer = {"get": {"x-amazon-apigateway-integration": {"type": "aws_proxy"}}}
                paths = {f"/{name}/{each}": answer for each in range(1000)} if number == 0 else {}
                yield step("aws:apigatewayv2/api:Api", name, "create", new={"body": json.dumps({"paths": paths})})
            case "everything":
                yield from chain.from_iterable(thousand(each) for each in KINDS if each != kind) if number == 0 else ()
            case _:
                diff = {"old": {"value": f"{number}" * 50}, "new": {"value": f"{number}x" * 50}}
                changed = step("aws:sqs/queue:Queue", name, "update", **diff)
                changed["resourcePreEvent"]["metadata"]["diffs"] = ["value"]
                yield changed


def statement(action: str, on: str, **more: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": action, "Resource": on, **more}


@pytest.mark.parametrize("kind", KINDS)
def test_comment_about_a_thousand_changes_is_shorter_than_the_limit_of_github(kind: str) -> None:
    events = [*thousand(kind), {"summaryEvent": {"result": "succeeded"}}]
    found = comment("dev", read(printed(events)), lambda: Graph(""))
    assert len(found) < GITHUB_LIMIT
    assert found.count("<details>") == found.count("</details>")
    assert found.count("```") % 2 == 0
    assert "the job's log has all of them" in found


def policies(old: list[dict[str, Any]] | None, new: list[dict[str, Any]] | None) -> permissions.Changed:
    old_inputs, new_inputs = (
        None if each is None else {"role": "orders-dev-api", "policy": json.dumps({"Statement": each})}
        for each in (old, new)
    )
    urn = "urn:pulumi:dev::orders::aws:iam/rolePolicy:RolePolicy::api-policy"
    return permissions.changed([Change(urn, "update", old_inputs, new_inputs)], PLACE, no_program)


ROLE = "The role `orders-dev-api`"
EVERY = "**every resource** (`*`)"
DENIED = statement("s3:*", "*") | {"Effect": "Deny"}
IF_TLS = statement("s3:GetObject", "*", Condition={"Bool": {"aws:SecureTransport": "true"}})


@pytest.mark.parametrize(
    ("old", "new", "wider", "narrower"),
    [
        (
            [statement("dynamodb:GetItem", TABLE)],
            [statement("dynamodb:GetItem", f"{TABLE}*")],
            [f"{ROLE} may now call `dynamodb:GetItem` on the table `orders*` (before: on the table `orders`)."],
            [],
        ),
        (
            [statement("dynamodb:*", TABLE)],
            [statement("dynamodb:GetItem", TABLE)],
            [],
            [f"{ROLE} may no longer call `dynamodb:*` on the table `orders`."],
        ),
        (
            [IF_TLS],
            [statement("s3:GetObject", "*")],
            [f"{ROLE} may now call `s3:GetObject` on {EVERY} (before: if `aws:SecureTransport` is `true`)."],
            [],
        ),
        ([DENIED], [], [f"{ROLE} is no longer forbidden to call `s3:*` on {EVERY}."], []),
        (
            [statement("sqs:SendMessage", "arn:aws:sqs:ap-northeast-1:123456789012:a")],
            [statement("sqs:SendMessage", "arn:aws:sqs:ap-northeast-1:999999999999:a")],
            [f"{ROLE} may now call `sqs:SendMessage` on the queue `999999999999:a` (before: on the queue `a`)."],
            [f"{ROLE} may no longer call `sqs:SendMessage` on the queue `a`."],
        ),
        (
            [],
            [{"Effect": "Allow", "NotAction": ["iam:*"], "Resource": "*"}],
            [f"{ROLE} may now call every action except `iam:*` on {EVERY}."],
            [],
        ),
        ([statement("s3:GetObject", "*"), statement("s3:PutObject", "*")], [statement("s3:*", "*")], None, []),
    ],
)
def test_changed_policy_of_a_role_is_described(
    old: list[dict[str, Any]], new: list[dict[str, Any]], wider: list[str] | None, narrower: list[str]
) -> None:
    found = policies(old, new)
    assert found.narrower == narrower
    if wider is not None:
        assert found.wider == wider


def test_permission_for_everybody_is_listed_first() -> None:
    urn = "urn:pulumi:dev::orders::aws:sqs/queuePolicy:QueuePolicy::analytics-policy"
    public = [statement("sqs:SendMessage", "*", Principal="*"), statement("sqs:*", "*", Principal={"Service": "a.b"})]
    inputs = {"queueUrl": "https://sqs/1/analytics", "policy": json.dumps({"Statement": public})}
    found = permissions.changed([Change(urn, "create", None, inputs)], PLACE, no_program)
    assert found.wider[0] == "Everybody may now call `sqs:SendMessage` on the queue `analytics`."


def test_loss_of_every_protected_resource_type_is_described(graph_of: Callable[[str], Graph]) -> None:
    protected = {made.type for made in graph_of("prod").resources if made.protect and made.custom}
    assert protected
    assert protected <= state.LOST.keys()


def test_retained_resource_is_reported_as_left_on_aws() -> None:
    urn = "urn:pulumi:dev::orders::aws:dynamodb/table:Table::data-orders"
    [line] = state.losses([Change(urn, "delete", {"name": "orders"}, is_retained=True)])
    assert line == "Pulumi forgets the table `orders`. It stays on AWS (`retainOnDelete`)."


def test_moved_resource_gets_an_alias_with_its_old_urn() -> None:
    old = "urn:pulumi:dev::orders::orders:index:Old$aws:sqs/queue:Queue::analytics"
    new = old.replace("index:Old", "index:New")
    pairs = state.renames(
        [Change(new, "create", None, {"name": "orders-dev-a"}), Change(old, "delete", {"name": "orders-dev-a"})]
    )
    assert f'Add `aliases=["{old}"]`' in state.renaming(*pairs[0])


def test_new_resource_with_another_name_on_aws_is_not_reported_as_a_rename() -> None:
    urn = "urn:pulumi:dev::orders::aws:sqs/queue:Queue::"
    created = [Change(f"{urn}new", "create", None, {"name": name}) for name in ("other", UNKNOWN)]
    assert state.renames([Change(f"{urn}old", "delete", {"name": "queue"}), *created]) == []


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        (
            {"retentionInDays": 14},
            {"retentionInDays": 3},
            "`retentionInDays` 14 → 3: AWS deletes older log lines of `a`.",
        ),
        (
            {"retentionInDays": 0},
            {"retentionInDays": 3},
            "`retentionInDays` 0 → 3: AWS deletes older log lines of `a`.",
        ),
        ({"retentionInDays": 3}, {"retentionInDays": 14}, None),
        ({"retentionInDays": 3}, {"retentionInDays": 0}, None),
        (
            {"pointInTimeRecovery": {"enabled": True}},
            {"pointInTimeRecovery": {"enabled": False}},
            "`pointInTimeRecovery`: nobody can restore an earlier state of `a`.",
        ),
        ({"deletionProtection": "ACTIVE"}, {}, "`deletionProtection`: nothing on AWS prevents the deletion of `a`."),
        (
            {},
            {"forceDestroy": True},
            "`forceDestroy`: Pulumi can now delete a bucket that contains objects: `a`.",
        ),
        ({"forceDestroy": True}, {}, None),
    ],
)
def test_weaker_protection_of_data_is_reported(old: dict[str, Any], new: dict[str, Any], sentence: str | None) -> None:
    change = Change("urn:pulumi:dev::orders::aws:x/y:Z::a", "update", {"name": "a", **old}, {"name": "a", **new})
    assert list(state.weakened([change])) == ([sentence] if sentence else [])
