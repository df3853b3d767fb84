"""Derives the permissions that a Pulumi program needs from its resources, without reading its policies.

The AWS calls in the functions' own code are left out, because only running the code shows them. Each permission has a
reason, which usually names the AWS document that describes the need. The table of docs/permissions.md shows these
reasons.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

from operations.api_document import Route, routes
from tests.proof.least_privilege.grants import Grant, When, plain, plain_grant
from tests.proof.least_privilege.workflow import calls
from tests.support.graph import ACCOUNT, REGION, Graph, Resource, rule_path

Need = tuple[Grant, str]

_DELIVERY: Final = (
    *("CreateLogDelivery", "GetLogDelivery", "UpdateLogDelivery", "DeleteLogDelivery", "ListLogDeliveries"),
    *("PutResourcePolicy", "DescribeResourcePolicies", "DescribeLogGroups"),
)
_API_LOG: Final = (
    *("CreateLogGroup", "CreateLogStream", "DescribeLogGroups", "DescribeLogStreams"),
    *("PutLogEvents", "GetLogEvents", "FilterLogEvents"),
)
_STREAM: Final = ("DescribeStream", "GetRecords", "GetShardIterator")
_QUEUE: Final = ("ReceiveMessage", "DeleteMessage", "GetQueueAttributes")
_KEY: Final = (
    *(
        "DescribeKey",
        "GetKeyPolicy",
        "GetKeyRotationStatus",
        "ListResourceTags",
        "PutKeyPolicy",
        "UpdateKeyDescription",
    ),
    *("EnableKey", "DisableKey", "EnableKeyRotation", "DisableKeyRotation", "TagResource", "UntagResource"),
    *("ScheduleKeyDeletion", "CancelKeyDeletion", "CreateAlias", "UpdateAlias", "DeleteAlias"),
)
_LOG_ENCRYPTION: Final = (
    *("Encrypt", "Decrypt", "ReEncryptFrom", "ReEncryptTo"),
    *("GenerateDataKey", "GenerateDataKeyWithoutPlaintext", "DescribeKey"),
)
_SENDS: Final = {"sqs": "sqs:SendMessage", "sns": "sns:Publish"}
_DELIVERS: Final = (
    'EventBridge delivers events to the rule\'s target (see Amazon EventBridge User Guide, "Resource policies")'
)
_STORES_UNDELIVERED: Final = (
    'EventBridge stores undelivered events in the queue (see Amazon EventBridge User Guide, "Dead-letter queues")'
)
_SOURCE: Final = "aws:sourcearn"
_ENCRYPTED_GROUP: Final = "kms:encryptioncontext:aws:logs:arn"
_ROLE: Final = f"arn:aws:iam::{ACCOUNT}:role/"


def needed(graph: Graph) -> dict[Grant, str]:
    """Return {permission: reason} for all permissions that the resources in `graph` need."""
    found: dict[Grant, str] = {}

    def cut(text: str) -> str:
        return plain(text, graph.stack)

    stated = (
        _functions,
        _mappings,
        _destinations,
        _machines,
        _methods,
        _routes,
        _targets,
        _alarms,
        _log_groups,
        _pages,
    )
    for derive in (*stated, _log_role):
        for grant, reason in derive(graph):
            found.setdefault(plain_grant(grant, cut), reason)
    return found


def _of_role(role: str, action: str, resource: str, reason: str) -> Need:
    name = role.removeprefix(_ROLE)
    return Grant(policy=f"role {name}", who=name, action=action, resource=resource), reason


def _trust(role: str, service: str, when: When = ()) -> Need:
    name = role.removeprefix(_ROLE)
    grant = Grant(policy=f"trust {name}", who=service, action="sts:AssumeRole", resource=role, when=when)
    return grant, 'The service assumes the role (see IAM User Guide, "Roles terms and concepts")'


def _functions(graph: Graph) -> Iterator[Need]:
    groups = {made.inputs["name"]: made.state["arn"] for made in graph.of("LogGroup")}
    for made in _made_functions(graph):
        role: str = made.inputs["role"]
        # AWS does not document whether Lambda sends the key aws:SourceAccount when it assumes the role. The condition
        # therefore applies only if the request contains the key.
        yield _trust(role, "lambda.amazonaws.com", (("StringEqualsIfExists", "aws:sourceaccount", (ACCOUNT,)),))
        streams = f"{groups[made.inputs['loggingConfig']['logGroup']]}:log-stream:*"
        for action in ("CreateLogStream", "PutLogEvents"):
            yield _of_role(
                role,
                f"logs:{action}",
                streams,
                'The function writes its log (see AWS Managed Policy Reference, "AWSLambdaBasicExecutionRole")',
            )
        if made.inputs["tracingConfig"]["mode"] == "Active":
            for action in ("PutTraceSegments", "PutTelemetryRecords"):
                yield _of_role(
                    role,
                    f"xray:{action}",
                    "*",
                    'The function sends its traces (see AWS Lambda Developer Guide, "Using X-Ray")',
                )
        if dead_letters := made.inputs.get("deadLetterConfig"):
            yield _sends(
                role,
                dead_letters["targetArn"],
                "Lambda sends failed events to the dead-letter queue "
                '(see AWS Lambda Developer Guide, "Dead-letter queues")',
            )


def _made_functions(graph: Graph) -> list[Resource]:
    return [made for made in graph.of("aws:lambda/function:Function") if made.custom]


def _role_of(graph: Graph, function: str) -> str:
    """Return the role of the function with the given name or ARN."""
    name = function.partition(":function:")[2].partition(":")[0] or function
    return next(made.inputs["role"] for made in _made_functions(graph) if made.inputs["name"] == name)


def _sends(role: str, target: str, reason: str) -> Need:
    return _of_role(role, _SENDS[target.split(":")[2]], target, reason)


def _mappings(graph: Graph) -> Iterator[Need]:
    for made in graph.of("EventSourceMapping"):
        role, source = _role_of(graph, made.inputs["functionName"]), str(made.inputs["eventSourceArn"])
        if ":sqs:" in source:
            for action in _QUEUE:
                yield _of_role(
                    role,
                    f"sqs:{action}",
                    source,
                    'Lambda reads the queue (see AWS Managed Policy Reference, "AWSLambdaSQSQueueExecutionRole")',
                )
        else:
            reason = (
                "Lambda reads the stream of the orders table "
                '(see AWS Managed Policy Reference, "AWSLambdaDynamoDBExecutionRole")'
            )
            for action in _STREAM:
                yield _of_role(role, f"dynamodb:{action}", source, reason)
            yield _of_role(role, "dynamodb:ListStreams", "*", reason)
        if target := made.inputs.get("destinationConfig", {}).get("onFailure", {}).get("destinationArn"):
            yield _sends(
                role,
                target,
                "Lambda reports failed stream records to the queue, and publish-order-events also sends records itself "
                '(see AWS Lambda Developer Guide, "On-failure destinations")',
            )


def _destinations(graph: Graph) -> Iterator[Need]:
    for made in graph.of("FunctionEventInvokeConfig"):
        role = _role_of(graph, made.inputs["functionName"])
        for kind, target in cast("dict[str, Any]", made.inputs.get("destinationConfig") or {}).items():
            outcome = (
                "handled events to the success topic" if kind == "onSuccess" else "failed events to the failure queue"
            )
            reason = f'Lambda sends {outcome} (see AWS Lambda Developer Guide, "Destinations")'
            yield _sends(role, target["destination"], reason)


def _machines(graph: Graph) -> Iterator[Need]:
    for made in graph.of("StateMachine"):
        inputs, role = made.inputs, str(made.inputs["roleArn"])
        arn = f"arn:aws:states:{REGION}:{ACCOUNT}:stateMachine:{inputs['name']}"
        limits: When = (("ArnLike", _SOURCE, (arn,)), ("StringEquals", "aws:sourceaccount", (ACCOUNT,)))
        yield _trust(role, "states.amazonaws.com", limits)
        if inputs["loggingConfiguration"]["level"] != "OFF":
            for action in _DELIVERY:
                yield _of_role(
                    role,
                    f"logs:{action}",
                    "*",
                    "The state machine writes its log "
                    '(see AWS Step Functions Developer Guide, "Logging to CloudWatch Logs")',
                )
        if inputs["tracingConfiguration"]["enabled"]:
            for action in ("PutTraceSegments", "PutTelemetryRecords", "GetSamplingRules", "GetSamplingTargets"):
                yield _of_role(
                    role,
                    f"xray:{action}",
                    "*",
                    "The state machine sends its traces "
                    '(see AWS Step Functions Developer Guide, "IAM policies for X-Ray")',
                )
        steps = calls(json.loads(inputs["definition"]), synchronous=inputs["type"] == "EXPRESS")
        for action, resource in sorted(steps):
            yield _of_role(role, action, resource, "The state machine runs its steps (defined in workflows/)")


def _methods(graph: Graph) -> Iterator[Need]:
    """Yield the permissions that the methods of REST APIs need."""
    stages = {made.inputs["restApi"]: made.inputs["stageName"] for made in graph.of("aws:apigateway/stage:Stage")}
    for made in graph.of("aws:apigateway/restApi:RestApi"):
        identity = f"{made.name}-id"
        found = routes(made.inputs["body"])
        yield from _invocations(found, identity, stages[identity])
        for route in found:
            integration, uri = route.integration, str(route.integration.get("uri", ""))
            if uri and ":lambda:path/" not in uri:
                service, action = uri.split(":")[4], uri.rpartition("/")[2]
                machine = re.search(
                    r'"stateMachineArn": "([^"]+)"', integration["requestTemplates"]["application/json"]
                )
                if service != "states" or machine is None:
                    raise ValueError(f"{route.name}: unknown integration {uri}; derive its permissions in {__name__}")
                yield _of_role(
                    integration["credentials"],
                    f"states:{action}",
                    machine[1],
                    "API Gateway starts the workflow for `POST /process`",
                )
                yield _trust(integration["credentials"], "apigateway.amazonaws.com", _if_sent())


def _routes(graph: Graph) -> Iterator[Need]:
    """Yield the permissions that the routes of HTTP APIs need."""
    for made in graph.of("aws:apigatewayv2/api:Api"):
        yield from _invocations(routes(made.inputs["body"]), f"{made.name}-id", "*")


def _pages(graph: Graph) -> Iterator[Need]:
    """Yield the permission that allows CloudFront to read the pages of the site from their bucket."""
    for distribution in graph.of("aws:cloudfront/distribution:Distribution"):
        names = {str(origin["domainName"]).partition(".s3.")[0] for origin in distribution.inputs["origins"]}
        for bucket in graph.of("Bucket"):
            if bucket.inputs["bucket"] not in names:
                continue
            yield (
                Grant(
                    policy=f"bucket {bucket.inputs['bucket']}",
                    who="cloudfront.amazonaws.com",
                    action="s3:GetObject",
                    resource=f"{bucket.state['arn']}/*",
                    when=(("StringEquals", "aws:sourcearn", (distribution.state["arn"],)),),
                ),
                'CloudFront reads the pages (see Amazon CloudFront Developer Guide, "Restrict access to an S3 origin")',
            )


def _invocations(found: list[Route], api: str, stage: str) -> Iterator[Need]:
    """Yield the permissions that allow an API to invoke its functions.

    There is one permission for each function and each first segment of its paths, for example `orders`. A permission
    for each route would need more resources, but would not be safer: API Gateway invokes a function only for the routes
    in the API's document.
    """
    first = {(str(route.integration.get("uri", "")), route.path.split("/")[1]) for route in found}
    yield from (_invoked(uri, api, f"{stage}/*/{part}*") for uri, part in sorted(first) if ":lambda:path/" in uri)


def _invoked(uri: str, api: str, path: str) -> Need:
    """Return the permission that allows an API to invoke a function for the methods under a path."""
    arn = uri.partition("/functions/")[2].removesuffix("/invocations")
    source = f"arn:aws:execute-api:{REGION}:{ACCOUNT}:{api}/{path}"
    reason = 'API Gateway invokes the function for a route (see AWS Lambda Developer Guide, "API Gateway")'
    return _invocation(arn, "apigateway.amazonaws.com", source), reason


def _invocation(arn: str, service: str, source: str) -> Grant:
    policy = f"function {arn.partition(':function:')[2]}"
    when: When = (("ArnLike", _SOURCE, (source,)),)
    return Grant(policy=policy, who=service, action="lambda:InvokeFunction", resource=arn, when=when)


def _targets(graph: Graph) -> Iterator[Need]:
    """Yield the permissions that allow EventBridge to deliver events to the targets and dead-letter queues of rules."""
    delivering: defaultdict[str, set[str]] = defaultdict(set)
    for made in graph.of("EventTarget"):
        rule = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{rule_path(made.inputs)}{made.inputs['rule']}"
        target: str = made.inputs["arn"]
        if ":lambda:" in target:
            yield _invocation(target, "events.amazonaws.com", rule), _DELIVERS
        else:
            delivering[target].add(rule)
        if dead_letters := made.inputs.get("deadLetterConfig"):
            delivering[dead_letters["arn"]].add(rule)
    targets = {made.inputs["arn"] for made in graph.of("EventTarget")}
    for queue, rules in delivering.items():
        yield _delivered(queue, rules), _DELIVERS if queue in targets else _STORES_UNDELIVERED


def _delivered(queue: str, rules: Iterable[str]) -> Grant:
    """Return the permission that allows EventBridge to send events of the given rules to a queue."""
    return Grant(
        policy=f"queue {queue.rpartition(':')[2]}",
        who="events.amazonaws.com",
        action="sqs:SendMessage",
        resource=queue,
        when=(("ArnEquals", _SOURCE, tuple(sorted(rules))),),
    )


def _alarms(graph: Graph) -> Iterator[Need]:
    """Yield the permissions that allow alarms to send messages to topics.

    This includes the permissions for the KMS keys that encrypt the topics.
    """
    who, told = "cloudwatch.amazonaws.com", set[str]()
    for made in graph.of("MetricAlarm"):
        told |= {*made.inputs.get("alarmActions", ()), *made.inputs.get("okActions", ())}
    # The names of the stack's alarms begin with this prefix, so the pattern below matches these alarms and no others.
    prefix = f"orders-{graph.stack}-"
    assert all(made.inputs["name"].startswith(prefix) for made in graph.of("MetricAlarm"))
    source = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:{prefix}*"
    for topic in sorted(told):
        policy = f"topic {topic.rpartition(':')[2]}"
        when: When = (("ArnEquals", _SOURCE, (source,)),)
        grant = Grant(policy=policy, who=who, action="sns:Publish", resource=topic, when=when)
        reason = (
            "CloudWatch sends alarm messages to the topic "
            '(see Amazon CloudWatch User Guide, "Notifying users on alarm changes")'
        )
        yield grant, reason
        key = next(made.inputs["kmsMasterKeyId"] for made in graph.of("Topic") if made.state["arn"] == topic)
        limits: When = (("ArnLike", _SOURCE, (source,)), ("StringEquals", "aws:sourceaccount", (ACCOUNT,)))
        name = f"key {key.rpartition('/')[2]}"
        for action in ("kms:Decrypt", "kms:GenerateDataKey"):
            grant = Grant(policy=name, who=who, action=action, resource="*", when=limits)
            yield (
                grant,
                'CloudWatch encrypts alarm messages (see AWS re:Post, "CloudWatch alarm with an encrypted SNS topic")',
            )
        yield from _administration(name)


def _administration(key: str) -> Iterator[Need]:
    for action in _KEY:
        grant = Grant(policy=key, who=f"arn:aws:iam::{ACCOUNT}:root", action=f"kms:{action}", resource="*")
        reason = (
            "The account administers the key "
            '(see AWS CloudFormation Template Reference, "AWS::KMS::Key" and "AWS::KMS::Alias")'
        )
        yield grant, reason


def _log_groups(graph: Graph) -> Iterator[Need]:
    """Yield the permissions that the KMS keys of log groups must grant in their key policies."""
    keys = {str(made.inputs["kmsKeyId"]) for made in graph.of("LogGroup") if made.inputs.get("kmsKeyId")}
    who, groups = f"logs.{REGION}.amazonaws.com", f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:*"
    for key in sorted(keys):
        name = f"key {key.rpartition('/')[2]}"
        for action in _LOG_ENCRYPTION:
            when: When = (("ArnLike", _ENCRYPTED_GROUP, (groups,)),)
            grant = Grant(policy=name, who=who, action=f"kms:{action}", resource="*", when=when)
            reason = (
                "CloudWatch Logs encrypts the log groups "
                '(see Amazon CloudWatch Logs User Guide, "Encrypt log data using AWS KMS")'
            )
            yield grant, reason
        yield from _administration(name)


def _log_role(graph: Graph) -> Iterator[Need]:
    for made in graph.of("aws:apigateway/account:Account"):
        role: str = made.inputs["cloudwatchRoleArn"]
        yield _trust(role, "apigateway.amazonaws.com", _if_sent())
        for action in _API_LOG:
            resource = f"arn:aws:logs:{REGION}:{ACCOUNT}:*"
            yield _of_role(
                role,
                f"logs:{action}",
                resource,
                "API Gateway writes the logs of all APIs "
                '(see AWS Managed Policy Reference, "AmazonAPIGatewayPushToCloudWatchLogs")',
            )


def _if_sent() -> When:
    """Return a condition on aws:SourceAccount that applies only if the request contains this key.

    AWS doesn't document whether every service sends the key with every request.
    """
    return (("StringEqualsIfExists", "aws:sourceaccount", (ACCOUNT,)),)
