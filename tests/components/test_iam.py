"""Tests of the builders of IAM policy documents."""

import json
from collections.abc import Callable

import pulumi
import pytest

from components.aws.iam import allow, policy_document, trust
from tests.support.graph import run


def document(made: Callable[[], pulumi.Output[str]]) -> object:
    seen: list[str] = []

    def program() -> None:
        made().apply(seen.append)

    run(program, config={})
    return json.loads(seen[0])


@pytest.mark.parametrize("action", ["*", "s3:*", "s3:Get*", "PutItem"])
def test_wildcard_or_incomplete_action_is_refused(action: str) -> None:
    with pytest.raises(ValueError, match="one exact service:Action"):
        allow(action, on="arn:aws:s3:::b")


@pytest.mark.parametrize("on", ["*", ["arn:aws:s3:::b", "*"]])
def test_wildcard_resource_needs_a_reason(on: str | list[str]) -> None:
    with pytest.raises(ValueError, match="without a reason"):
        allow("s3:GetObject", on=on)
    assert allow("xray:PutTraceSegments", on=on, because="no resource")


def test_policy_statement_contains_the_given_actions_resources_and_conditions() -> None:
    def made() -> pulumi.Output[str]:
        return policy_document([allow("events:PutEvents", on="arn:bus", when={"StringEquals": {"events:source": "x"}})])

    assert document(made) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["events:PutEvents"],
                "Resource": ["arn:bus"],
                "Condition": {"StringEquals": {"events:source": "x"}},
            }
        ],
    }


def test_trust_policy_allows_one_service_for_one_account_and_resource() -> None:
    def made() -> pulumi.Output[str]:
        return trust("states.amazonaws.com", source_account="1", source_arn="arn:machine")

    assert document(made) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "states.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceAccount": "1"},
                    "ArnLike": {"aws:SourceArn": "arn:machine"},
                },
            }
        ],
    }
