from __future__ import annotations

import io
import json
import socket
import time
import zipfile
from typing import Any

import pytest

from local.aws import CallError
from local.instance import ONCE
from tests.local.cloud import Cloud, allow, unique

TRUST = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}


def apis(cloud: Cloud, name: str) -> list[str]:
    found = cloud("apigateway", "get_rest_apis", limit=500)["items"]
    return [each["id"] for each in found if each["name"] == name]


def test_emulator_runs_a_call_once_if_it_is_repeated_with_the_same_token(cloud: Cloud) -> None:
    name, answers = unique("api"), list[str]()
    for _ in range(2):
        with cloud.once(name):
            answers.append(cloud("apigateway", "create_rest_api", name=name)["id"])

    assert answers == apis(cloud, name) * 2


def test_connection_is_still_usable_after_a_large_call_is_repeated(cloud: Cloud) -> None:
    name, buffer = unique("layer"), io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("large", bytes(1_000_000))
    for _ in range(20):
        with cloud.once(name):
            cloud("lambda", "publish_layer_version", LayerName=name, Content={"ZipFile": buffer.getvalue()})

        assert len(cloud("lambda", "list_layer_versions", LayerName=name)["LayerVersions"]) == 1


def test_call_with_other_arguments_or_another_token_runs_again(cloud: Cloud) -> None:
    name = unique("api")
    for token, description in (("a", "one"), ("a", "another"), ("b", "one")):
        with cloud.once(f"{name}-{token}"):
            cloud("apigateway", "create_rest_api", name=name, description=description)
    cloud("apigateway", "create_rest_api", name=name, description="one")

    assert len(apis(cloud, name)) == 4


def test_two_equal_calls_for_one_resource_both_run(cloud: Cloud) -> None:
    name = unique("api")
    for _ in range(2):
        with cloud.once(name):
            cloud("apigateway", "create_rest_api", name=name)
            cloud("apigateway", "create_rest_api", name=name)

    assert len(apis(cloud, name)) == 2


def test_refused_call_runs_again_when_repeated(cloud: Cloud) -> None:
    role = unique("role")
    trust, content = (json.dumps({"Version": "2012-10-17", "Statement": [each]}) for each in (TRUST, allow("sqs:*")))
    policy = {"RoleName": role, "PolicyName": "p", "PolicyDocument": content}
    with cloud.once(role), pytest.raises(CallError, match="NoSuchEntity"):
        cloud("iam", "put_role_policy", **policy)
    cloud("iam", "create_role", RoleName=role, AssumeRolePolicyDocument=trust)
    with cloud.once(role):
        cloud("iam", "put_role_policy", **policy)

    assert cloud("iam", "list_role_policies", RoleName=role)["PolicyNames"] == ["p"]


def test_repeated_call_runs_if_the_first_request_was_incomplete(cloud: Cloud) -> None:
    name, sent = unique("api"), list[Any]()

    def keep(request: Any, **_: Any) -> None:
        sent.append(request)

    events = cloud.client("apigateway").meta.events
    events.register_last("before-send", keep, unique_id=name)
    with cloud.once("first"):
        cloud("apigateway", "create_rest_api", name=name)
    events.unregister("before-send", unique_id=name)
    headers = {_text(key): _text(value) for key, value in sent[0].headers.items()}
    headers[ONCE] = headers[ONCE].replace("first", "second")
    lines = "".join(f"{key}: {value}\r\n" for key, value in headers.items())
    with socket.create_connection(("127.0.0.1", cloud.instance.port)) as caller:
        caller.sendall(f"POST /restapis HTTP/1.1\r\nHost: {caller.getpeername()[0]}\r\n{lines}\r\n".encode())
        caller.sendall(sent[0].body[:5])
        time.sleep(0.3)
    with cloud.once("second"):
        cloud("apigateway", "create_rest_api", name=name)

    assert len(apis(cloud, name)) == 2


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.decode()
