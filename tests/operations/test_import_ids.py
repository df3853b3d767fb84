"""Tests that `make recover` imports resources by ids in the form that the AWS provider documents."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable

import pytest

from operations import import_ids
from tests.support.graph import Graph

# These parts of an id can be ARNs, URLs or paths. They may contain `:` and `,`, which usually separate the parts of an
# id. The test therefore accepts any characters in them.
COMPOSED = ("arn", "resourceArn", "webAclArn", "queueUrl", "methodPath", "ID")
# The test skips these resource types, because pulumi_aws documents an id of a different form than `make recover` uses.
# For example, the documented id of an EventTarget is for the default event bus, so it contains no event bus.
UNUSUAL_EXAMPLES = ("aws:cloudwatch/eventTarget:EventTarget", "aws:apigateway/account:Account")


def examples(type_: str) -> list[str]:
    """Return the ids in the `pulumi import` examples that pulumi_aws documents for the resource type `type_`."""
    _, module, name = [*re.split(r"[:/]", type_)[:2], type_.rsplit(":", 1)[-1]]
    package = importlib.import_module(f"pulumi_aws.{'lambda_' if module == 'lambda' else module}")
    source = inspect.getsource(getattr(package, name))
    return re.findall(r"\$ pulumi import \S+ \S+ (\S+)", source)


@pytest.mark.parametrize("type_", sorted(set(import_ids.FORMS) - set(UNUSUAL_EXAMPLES)))
def test_import_id_has_the_form_of_the_documented_example(type_: str) -> None:
    form = import_ids.FORMS[type_].text
    pattern = "".join(
        re.escape(part) if number % 2 == 0 else ".+" if part in COMPOSED else "[^:,]+"
        for number, part in enumerate(re.split(r"\{(\w+)\}", form))
    )
    found = examples(type_)
    assert found
    # Accept any host in a queue URL. The documented URL has the old host queue.amazonaws.com, but `make recover` uses
    # the host of a region.
    pattern = re.sub(r"https://sqs.*amazonaws\\?\.com", "https://.+", pattern)
    assert [example for example in found if re.fullmatch(pattern, example)], (pattern, found)


@pytest.mark.parametrize("stack", ["dev", "prod"])
def test_every_aws_resource_type_of_the_program_has_an_import_id(stack: str, graph_of: Callable[[str], Graph]) -> None:
    types = {made.type for made in graph_of(stack).resources if made.type.startswith("aws:")}
    assert types - set(import_ids.FORMS) == set()


def test_import_id_is_none_if_a_part_is_unknown() -> None:
    pool = {"type": "aws:cognito/userPool:UserPool", "inputs": {"name": "orders-dev-users"}}
    assert import_ids.import_id(pool, {"region": "r"}) is None
    assert import_ids.import_id(pool, {"region": "r"}, "r_1") == "r_1"
    assert import_ids.find_command(pool) == (
        "aws cognito-idp list-user-pools --max-results 60 --query 'UserPools[?Name=='\"'\"'orders-dev-users'\"'\"'].Id'"
    )
    role = {"type": "aws:iam/role:Role", "inputs": {"namePrefix": "orders-dev-"}}
    assert import_ids.import_id(role, {"region": "r"}) is None
    topic = {"type": "aws:sns/topic:Topic", "inputs": {"name": "t"}}
    assert import_ids.import_id(topic, import_ids.place_of("", "r")) is None
    assert import_ids.import_id(topic, import_ids.place_of('"arn:aws:iam::123456789012:role/x"', "")) is None
    place = import_ids.place_of('"arn:aws:iam::123456789012:role/x"', "r")
    assert import_ids.import_id(topic, place) == "arn:aws:sns:r:123456789012:t"


def test_arn_of_a_kms_key_is_accepted_as_its_id() -> None:
    key = {"type": "aws:kms/key:Key", "inputs": {"tags": {"Project": "orders", "Stack": "dev", "Component": "logs"}}}
    assert import_ids.import_id(key, {}, "arn:aws:kms:r:123456789012:key/1-2") == "1-2"
    assert "Key=Project,Values=orders Key=Stack,Values=dev Key=Component,Values=logs" in import_ids.find_command(key)
