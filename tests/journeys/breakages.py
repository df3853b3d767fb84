"""Context managers that change or break one part of the stack, and restore it at the end of the `with` block."""

from __future__ import annotations

import json
from collections.abc import Generator
from contextlib import contextmanager

from tests.journeys.stack import Stack


@contextmanager
def denied(stack: Stack, role: str, action: str) -> Generator[None]:
    """Deny `action` to an IAM role. `role` is its name without the prefix `orders-STACK-`, for example `send-email`."""
    document = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": action, "Resource": "*"}]}
    named = {"RoleName": f"orders-{stack.frontend['stage']}-{role}", "PolicyName": "broken-by-a-test"}
    stack.aws("iam", "put_role_policy", **named, PolicyDocument=json.dumps(document))
    try:
        yield
    finally:
        stack.aws("iam", "delete_role_policy", **named)


@contextmanager
def without_permission(stack: Stack, alias: str) -> Generator[None]:
    """Remove EventBridge's permission to invoke the Lambda alias with the ARN `alias`."""
    function, _, qualifier = alias.rpartition(":")
    named = {"FunctionName": function, "Qualifier": qualifier}
    policy = json.loads(stack.aws("lambda", "get_policy", **named)["Policy"])
    (statement,) = policy["Statement"]
    stack.aws("lambda", "remove_permission", **named, StatementId=statement["Sid"])
    try:
        yield
    finally:
        stack.aws(
            "lambda",
            "add_permission",
            **named,
            StatementId=statement["Sid"],
            Action=statement["Action"],
            Principal=statement["Principal"]["Service"],
            SourceArn=statement["Condition"]["ArnLike"]["AWS:SourceArn"],
        )


@contextmanager
def queue_attributes(stack: Stack, url: str, **attributes: str) -> Generator[None]:
    """Change the attributes `attributes` of the queue with the URL `url`."""
    names = list(attributes)
    before = stack.aws("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=names)["Attributes"]
    stack.aws("sqs", "set_queue_attributes", QueueUrl=url, Attributes=attributes)
    try:
        yield
    finally:
        stack.aws("sqs", "set_queue_attributes", QueueUrl=url, Attributes=before)


@contextmanager
def received_at_most(stack: Stack, source: str, times: int) -> Generator[None]:
    """Let the function `source`, which reads a queue, receive each message at most `times` times.

    If the function fails each time, the message moves to the failure queue. Without the lower limit, a message moves
    there only after six hours.
    """
    alias = stack.ops["functions"][source]
    function, _, name = alias.rpartition(":")
    found = stack.aws("lambda", "get_function_configuration", FunctionName=alias)
    variables, url = found["Environment"]["Variables"], found["Environment"]["Variables"]["QUEUE_URL"]
    fewer = {**variables, "RECEIVED_AT_MOST": str(times)}
    redrive = stack.aws("sqs", "get_queue_attributes", QueueUrl=url, AttributeNames=["RedrivePolicy"])["Attributes"]
    policy = json.dumps({**json.loads(redrive["RedrivePolicy"]), "maxReceiveCount": times})
    with queue_attributes(stack, url, RedrivePolicy=policy):
        stack.aws("lambda", "update_function_configuration", FunctionName=function, Environment={"Variables": fewer})
        version = stack.aws("lambda", "publish_version", FunctionName=function)["Version"]
        stack.aws("lambda", "update_alias", FunctionName=function, Name=name, FunctionVersion=version)
        try:
            yield
        finally:
            before = {"Variables": variables}
            stack.aws("lambda", "update_alias", FunctionName=function, Name=name, FunctionVersion=found["Version"])
            stack.aws("lambda", "update_function_configuration", FunctionName=function, Environment=before)
            stack.aws("lambda", "delete_function", FunctionName=function, Qualifier=version)


@contextmanager
def closed_bucket(stack: Stack, keys: str) -> Generator[None]:
    """Deny writing objects to the analytics bucket if their keys match the pattern `keys`."""
    bucket = stack.ops["analyticsBucket"]
    policy = stack.aws("s3", "get_bucket_policy", Bucket=bucket)["Policy"]
    refused = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/{keys}",
    }
    document = json.loads(policy)
    document["Statement"].append(refused)
    stack.aws("s3", "put_bucket_policy", Bucket=bucket, Policy=json.dumps(document))
    try:
        yield
    finally:
        stack.aws("s3", "put_bucket_policy", Bucket=bucket, Policy=policy)


@contextmanager
def rule_disabled(stack: Stack, rule: str, bus: str) -> Generator[None]:
    """Disable an EventBridge rule, so that its targets receive no events.

    `rule` is its name without the prefix `orders-STACK-`, for example `order-created`.
    """
    named = {"Name": f"orders-{stack.frontend['stage']}-{rule}", "EventBusName": bus}
    stack.aws("events", "disable_rule", **named)
    try:
        yield
    finally:
        stack.aws("events", "enable_rule", **named)
