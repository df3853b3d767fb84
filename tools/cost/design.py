"""Reads from the resources of a stack everything that its cost depends on, such as memory sizes and log levels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from operations.api_document import routes
from operations.resource_graph import Graph, Resource

PER_ORDER: Final[Mapping[str, str]] = {
    "apigateway/restApi:RestApi": "a price for each request",
    "lambda/function:Function": "a price for each request, and for each second by memory and architecture",
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": "a message for each handled event",
    "lambda/eventSourceMapping:EventSourceMapping": "a price for each receive and delete; stream reads are free",
    "dynamodb/table:Table": "a price for each on-demand request unit",
    "cloudwatch/eventBus:EventBus": "a price for each event put",
    "cloudwatch/eventArchive:EventArchive": "a price for each GB",
    "sqs/queue:Queue": "a price for each request; failure queues receive requests only after failures",
    "sns/topic:Topic": "a price for each message",
    "sfn/stateMachine:StateMachine": "a price for each transition, or for each EXPRESS execution and its duration",
    "cloudwatch/logGroup:LogGroup": "a price for each GB written, by log class, and for each GB stored",
    "s3/bucket:Bucket": "a price for each PUT",
    "sesv2/emailIdentity:EmailIdentity": "a price for each email",
}
PER_MONTH: Final[Mapping[str, str]] = {
    "lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": "initialized execution environments, by memory",
    "kms/key:Key": "key_month",
    "cloudwatch/metricAlarm:MetricAlarm": "alarm_month",
    "cloudwatch/dashboard:Dashboard": "dashboard_month",
    "wafv2/webAcl:WebAcl": "web_acl_month, and web_acl_rule_month for each rule",
    "cloudwatch/logMetricFilter:LogMetricFilter": "metric_month",
    "apigateway/methodSettings:MethodSettings": "metric_month, for the detailed metrics of each method",
}
FREE: Final[Mapping[str, str]] = {
    "apigatewayv2/api:Api": "its requests read the catalog, and no request is part of an order",
    "cognito/userPool:UserPool": "a price for each active user per month, but no price for an order",
    "apigateway/": "parts of the API",
    "apigatewayv2/": "parts of the API",
    "cloudwatch/eventRule:": "rules are free",
    "cloudwatch/eventTarget:": "deliveries to AWS services are free",
    "cognito/": "parts of the user pool",
    "iam/": "free",
    "kms/alias:": "free",
    "lambda/alias:": "free",
    "lambda/layerVersion:": "free below 75 GB per account",
    "lambda/permission:": "free",
    "s3/": "settings of the bucket; with a bucket key, one KMS call serves many objects",
    "sns/topicPolicy:": "free",
    "sns/topicSubscription:": "emails to operators about alarms",
    "sqs/queuePolicy:": "free",
    "wafv2/webAclAssociation:": "free",
    "wafv2/webAclLoggingConfiguration:": "the log contains only refused requests",
}
"""Reasons why types of resources cost nothing. A key is a whole type or the start of one."""
INFREQUENT: Final = "INFREQUENT_ACCESS"
_HOURS_OF_A_MONTH: Final = 730
# API Gateway writes five metrics for each method: Count, Latency, IntegrationLatency, 4XXError and 5XXError.
_METRICS_OF_A_METHOD: Final = 5
# For an idle queue, Lambda runs five pollers, and each long poll waits 20 s (Lambda guide, "SQS event sources").
_LOOKS_OF_AN_HOUR: Final = 5 * 3600 // 20


@dataclass(frozen=True)
class Log:
    """Retention and class of a log group."""

    retention_days: int
    is_infrequent: bool = False


@dataclass(frozen=True)
class FunctionDesign:
    """The properties of a Lambda function that its cost depends on."""

    memory_mb: int
    architecture: str
    log: Log
    tells_success: bool = False
    """Whether Lambda notifies an SNS topic of each handled event."""


@dataclass(frozen=True)
class MachineDesign:
    """The properties of a state machine that its cost depends on."""

    kind: str
    """Type of the state machine: STANDARD or EXPRESS."""
    log: Log
    log_level: str = "ALL"


@dataclass(frozen=True)
class Design:
    """The properties of a stack that its cost depends on."""

    api: str
    """Name of the price of an API request (see prices.toml)."""
    has_firewall: bool
    access_log: Log
    functions: Mapping[str, FunctionDesign]
    machines: Mapping[str, MachineDesign]
    projections: Mapping[str, Mapping[str, str]]
    """Projection of each index, ALL or KEYS_ONLY, by table and index."""
    queue: str
    """Name of the price of a request to the analytics queue (see prices.toml)."""
    has_archive: bool
    is_traced: bool
    """Whether X-Ray traces requests. It traces a sample unless `is_traced_whole` is set."""
    monthly: Mapping[str, float]
    """Quantity per month by name of the price, independent of the number of orders."""
    is_traced_whole: bool = False
    """Whether X-Ray traces every request."""


def kind_of(made: Resource) -> str:
    """Return whether AWS bills a resource per `order`, per `month`, or not at all (`free`).

    Raises KeyError for a type of resource that this module does not list.
    """
    token = made.type.removeprefix("aws:")
    if token in PER_ORDER:
        return "order"
    if token in PER_MONTH:
        return "month"
    if any(token.startswith(beginning) for beginning in FREE):
        return "free"
    raise KeyError(f"{made.type}: this type has no price; say in tools/cost/design.py what it costs, or why it is free")


def read(graph: Graph) -> Design:
    """Return the properties of the stack of `graph` that its cost depends on."""
    for made in graph.resources:
        if made.custom and made.type.startswith("aws:"):
            kind_of(made)
    logs = {str(made.inputs["name"]): _log(made) for made in graph.of("LogGroup")}
    (stage,) = graph.of("aws:apigateway/stage:Stage")
    return Design(
        api="rest_request",
        has_firewall=bool(graph.of("WebAclAssociation")),
        access_log=_log_of(stage.inputs["accessLogSettings"]["destinationArn"], logs),
        functions=_functions(graph, logs),
        machines={made.name.rpartition("-")[2]: _machine(made, logs) for made in graph.of("StateMachine")},
        projections=_projections(graph),
        queue=_queue_price(graph),
        has_archive=bool(graph.of("EventArchive")),
        is_traced=bool(stage.inputs["xrayTracingEnabled"]),
        monthly=dict(_monthly(graph)),
    )


def _log(made: Resource) -> Log:
    return Log(made.inputs["retentionInDays"], made.inputs.get("logGroupClass") == INFREQUENT)


def _log_of(arn: str, logs: Mapping[str, Log]) -> Log:
    return logs[arn.partition(":log-group:")[2].removesuffix(":*")]


def _machine(made: Resource, logs: Mapping[str, Log]) -> MachineDesign:
    logging = made.inputs["loggingConfiguration"]
    return MachineDesign(made.inputs["type"], _log_of(logging["logDestination"], logs), logging["level"])


def _functions(graph: Graph, logs: Mapping[str, Log]) -> dict[str, FunctionDesign]:
    telling = {
        made.inputs["functionName"]
        for made in graph.of("FunctionEventInvokeConfig")
        if made.inputs["destinationConfig"].get("onSuccess")
    }
    return {
        made.name.replace("-", "_"): FunctionDesign(
            memory_mb=made.inputs["memorySize"],
            architecture=made.inputs["architectures"][0],
            log=logs[made.inputs["loggingConfig"]["logGroup"]],
            tells_success=made.inputs["name"] in telling,
        )
        for made in graph.of("aws:lambda/function:Function")
    }


def _projections(graph: Graph) -> dict[str, dict[str, str]]:
    return {
        made.name.rpartition("-")[2]: {
            index["name"]: index["projectionType"]
            for index in cast("list[Any]", made.inputs.get("globalSecondaryIndexes") or [])
        }
        for made in graph.of("Table")
    }


def _queue_price(graph: Graph) -> str:
    return "fifo_queue_request" if graph.one("Queue", "analytics").inputs.get("fifoQueue") else "queue_request"


def _monthly(graph: Graph) -> Iterator[tuple[str, float]]:
    functions = {made.inputs["name"]: made for made in graph.of("aws:lambda/function:Function")}
    kept = Counter[str]()
    for made in graph.of("ProvisionedConcurrencyConfig"):
        function = functions[made.inputs["functionName"]].inputs
        gb = made.inputs["provisionedConcurrentExecutions"] * function["memorySize"] / 1024
        kept[f"lambda_{function['architectures'][0]}_provisioned_second"] += int(gb * _HOURS_OF_A_MONTH * 3600)
    yield from kept.items()
    yield "key_month", len(graph.of("aws:kms/key:Key"))
    yield "alarm_month", len(graph.of("MetricAlarm"))
    queues = [made for made in graph.of("EventSourceMapping") if ":sqs:" in made.inputs["eventSourceArn"]]
    yield _queue_price(graph), len(queues) * _LOOKS_OF_AN_HOUR * _HOURS_OF_A_MONTH
    yield "dashboard_month", len(graph.of("Dashboard"))
    (api,) = graph.of("aws:apigateway/restApi:RestApi")
    methods = [route for route in routes(api.inputs["body"]) if route.method != "OPTIONS"]
    detailed = any(made.inputs["settings"].get("metricsEnabled") for made in graph.of("MethodSettings"))
    yield "metric_month", len(graph.of("LogMetricFilter")) + detailed * _METRICS_OF_A_METHOD * len(methods)
    firewalls = graph.of("WebAcl")
    yield "web_acl_month", len(firewalls)
    yield "web_acl_rule_month", sum(len(made.inputs["rules"]) for made in firewalls)
