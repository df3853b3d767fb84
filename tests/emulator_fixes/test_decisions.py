import json
import os
from collections.abc import Iterator
from typing import Any

import pytest

from local import emulator
from local.instance import Instance
from local.instances import free_port, stopped_at_the_end
from tests.local.cloud import Cloud, allow, eventually, left_out, let
from tests.local.fixtures import REGION

READ = """
    import boto3
    def handle(event, context):
        return boto3.client("dynamodb").describe_limits()["AccountMaxReadCapacityUnits"] > 0
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    """An emulator that logs its IAM decisions to the file `decisions.jsonl`."""
    home = tmp_path_factory.mktemp("told")
    instance = Instance(port=free_port(), home=home)
    environment = {"LOCAL_WARM": "0", "LOCAL_DECISIONS": str(home / "decisions.jsonl")}
    with stopped_at_the_end(instance):
        emulator.start(instance, region=REGION, without=left_out(), environment=environment).wait()
        yield Cloud(instance, REGION)


def decisions(cloud: Cloud, action: str) -> list[dict[str, Any]]:
    path = cloud.instance.home / "decisions.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    return [line for line in map(json.loads, lines) if line["action"] == action]


def test_iam_decisions_about_a_role_are_logged_with_its_name(told: Cloud) -> None:
    may, may_not = told.role(allow("dynamodb:DescribeLimits")), told.role(allow("dynamodb:GetItem"))

    assert told.invoke(told.function(READ, Role=may), {}) is True
    assert "not authorized" in told.invoke(told.function(READ, Role=may_not), {})["errorMessage"]

    found = decisions(told, "dynamodb:DescribeLimits")
    assert {(line["who"], line["allowed"]) for line in found} == {
        (may.rpartition("/")[2], True),
        (may_not.rpartition("/")[2], False),
    }
    taken = decisions(told, "sts:AssumeRole")
    assert ("lambda.amazonaws.com", may, True) in {(line["who"], line["resource"], line["allowed"]) for line in taken}


def test_iam_decisions_about_a_service_are_logged_with_the_source_arn(told: Cloud) -> None:
    bus = told.bus()
    rule = told.rule(bus)
    url, arn = told.queue(let("events.amazonaws.com", "sqs:SendMessage", rule))
    told.target(rule, arn)
    told.put(bus, {"n": 1})
    told.messages(url)

    (line,) = eventually(lambda: decisions(told, "sqs:SendMessage"))
    assert (line["who"], line["resource"], line["allowed"]) == ("events.amazonaws.com", arn, True)
    assert line["context"]["aws:sourcearn"] == rule


def test_iam_decisions_are_not_logged_by_default(cloud: Cloud) -> None:
    assert "LOCAL_DECISIONS" not in os.environ
    cloud.invoke(cloud.function(READ, allow("dynamodb:DescribeLimits")), {})
    assert decisions(cloud, "dynamodb:DescribeLimits") == []
