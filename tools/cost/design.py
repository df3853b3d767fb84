"""Reads everything that affects the cost from a stack's resource graph, so that no figure is entered by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from engine.graph import Graph, Resource
from operations.api_document import routes
from tools.cost.capacity import projection_type

_NAME_IN_ARN: Final = 6
"""Position of the function's name in the ARN of an alias: arn:aws:lambda:REGION:ACCOUNT:function:NAME:ALIAS."""
PER_ORDER: Final[Mapping[str, str]] = {
    "apigateway/restApi:RestApi": "a price for each request",
    "lambda/function:Function": "a price for each request, and for each second by memory and architecture",
    "lambda/functionEventInvokeConfig:FunctionEventInvokeConfig": "a price for each message about a processed event",
    "lambda/eventSourceMapping:EventSourceMapping": "a price for each SQS request by Lambda; stream reads are free",
    "dynamodb/table:Table": "request units, on demand",
    "cloudwatch/eventBus:EventBus": "a price for each published event",
    "cloudwatch/eventArchive:EventArchive": "a price for each GB",
    "sqs/queue:Queue": "a price for each request; failure queues get requests only after failures",
    "sns/topic:Topic": "a price for each message",
    "sfn/stateMachine:StateMachine": "a price for each transition (STANDARD), or each execution and its time (EXPRESS)",
    "cloudwatch/logGroup:LogGroup": "a price for each GB that is written, by log class, and for each GB that is stored",
    "s3/bucket:Bucket": "a price for each PUT",
    "sesv2/emailIdentity:EmailIdentity": "a price for each email",
}
PER_MONTH: Final[Mapping[str, str]] = {
    "lambda/provisionedConcurrencyConfig:ProvisionedConcurrencyConfig": "a price for the memory that is provisioned",
    "kms/key:Key": "the price key_month",
    "cloudwatch/metricAlarm:MetricAlarm": "the price alarm_month, for each metric of the alarm",
    "cloudwatch/dashboard:Dashboard": "the price dashboard_month",
    "wafv2/webAcl:WebAcl": "the price web_acl_month, and a price for each rule",
    "cloudwatch/logMetricFilter:LogMetricFilter": "the price metric_month",
    "apigateway/methodSettings:MethodSettings": "the price metric_month, for the detailed metrics of each method",
}
FREE: Final[Mapping[str, str]] = {
    "apigatewayv2/api:Api": "only catalog requests use this API; orders do not",
    "cognito/userPool:UserPool": "a price for each active user per month, independent of orders",
    "apigateway/": "no price apart from the API's",
    "apigatewayv2/": "no price apart from the API's",
    "acm/": "public certificates are free",
    "cloudfront/": "a price for the requests of visitors and the data transferred to them, independent of orders",
    "route53/": "records are free, and the hosted zone is not part of the stack",
    "cloudwatch/eventRule:": "rules are free",
    "cloudwatch/eventTarget:": "deliveries to AWS services are free",
    "cognito/": "no price apart from the user pool's",
    "iam/": "free",
    "kms/alias:": "free",
    "lambda/alias:": "free",
    "lambda/layerVersion:": "free, below 75 GB in an account",
    "lambda/permission:": "free",
    "s3/": "bucket settings are free; with a bucket key, one KMS request serves many objects",
    "sns/topicPolicy:": "free",
    "sns/topicSubscription:": "only alarms send messages to the subscriptions",
    "sqs/queuePolicy:": "free",
    "wafv2/webAclAssociation:": "free",
    "wafv2/webAclLoggingConfiguration:": "only blocked requests are logged",
}
"""Resource type, or the beginning of several resource types -> why orders cause no cost."""
READ: Final = frozenset(
    {
        *PER_ORDER,
        *PER_MONTH,
        "apigateway/stage:Stage",
        "cloudwatch/eventTarget:EventTarget",
        "wafv2/webAclAssociation:WebAclAssociation",
    }
)
"""The resource types that `read` needs. Some of them are free, but determine the cost of other resources."""
INFREQUENT: Final = "INFREQUENT_ACCESS"
HOURS_OF_A_MONTH: Final = 730
# API Gateway writes five metrics for each method: Count, Latency, IntegrationLatency, 4XXError and 5XXError.
_METRICS_OF_A_METHOD: Final = 5
# Lambda polls an idle queue with five pollers, and each long poll takes 20 s (AWS Lambda Developer Guide, "SQS event
# sources").
_LOOKS_OF_AN_HOUR: Final = 5 * 3600 // 20


@dataclass(frozen=True)
class Log:
    """The settings of a log group."""

    retention_days: int
    is_infrequent: bool = False


@dataclass(frozen=True)
class FunctionDesign:
    """The properties of a function that affect its cost."""

    memory_mb: int
    architecture: str
    log: Log
    tells_success: bool = False
    """Whether Lambda sends a message to a topic for each processed event."""


@dataclass(frozen=True)
class MachineDesign:
    """The properties of a state machine that affect its cost."""

    kind: str
    """STANDARD or EXPRESS."""
    log: Log
    log_level: str = "ALL"


@dataclass(frozen=True)
class Design:
    """Everything in a stack that influences its cost."""

    has_firewall: bool
    access_log: Log
    functions: Mapping[str, FunctionDesign]
    machines: Mapping[str, MachineDesign]
    projections: Mapping[str, Mapping[str, str]]
    """{table: {index: projection type}}, see `capacity.units`."""
    queues: Mapping[str, str]
    """{function: name of the price of one request to its queue}, for all functions that read a queue."""
    has_archive: bool
    is_traced: bool
    """Whether X-Ray traces requests: a sample of them, or all requests if `is_traced_whole` is true."""
    monthly: Mapping[str, float]
    """{name of the price: quantity per month}, for everything that does not depend on the number of orders."""
    sweep_s: int
    """Seconds between two sweeps. The batching window of `mark_late_orders` has the same length.

    The value is 0 for a stack of an older release, which has no sweep.
    """
    is_traced_whole: bool = False
    """Whether X-Ray traces every request."""


def kind_of(made: Resource) -> str:
    """Return how a resource is billed: `order`, `month` or `free`. Raises KeyError for a type without a price."""
    token = made.type.removeprefix("aws:")
    if token in PER_ORDER:
        return "order"
    if token in PER_MONTH:
        return "month"
    if any(token.startswith(beginning) for beginning in FREE):
        return "free"
    raise KeyError(f"{made.type}: unknown price; say in tools/cost/design.py what it costs, or why it is free")


def read(graph: Graph) -> Design:
    """Return everything on which the cost of a stack depends."""
    for made in graph.resources:
        if made.custom and made.type.startswith("aws:"):
            kind_of(made)
    logs = {str(made.inputs["name"]): _log(made) for made in graph.of("LogGroup")}
    (stage,) = graph.of("aws:apigateway/stage:Stage")
    return Design(
        has_firewall=bool(graph.of("WebAclAssociation")),
        access_log=_log_of(stage.inputs["accessLogSettings"]["destinationArn"], logs),
        functions=_functions(graph, logs),
        machines={made.name.rpartition("-")[2]: _machine(made, logs) for made in graph.of("StateMachine")},
        projections=_projections(graph),
        queues=_queues(graph),
        has_archive=bool(graph.of("EventArchive")),
        is_traced=bool(stage.inputs["xrayTracingEnabled"]),
        monthly=dict(_monthly(graph)),
        sweep_s=_sweep_s(graph),
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
        if cast("dict[str, Any]", made.inputs.get("destinationConfig") or {}).get("onSuccess")
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
            index["name"]: projection_type(index["keySchemas"][0]["attributeName"], index["projectionType"])
            for index in cast("list[Any]", made.inputs.get("globalSecondaryIndexes") or [])
        }
        for made in graph.of("Table")
    }


def _sweep_s(graph: Graph) -> int:
    windows = (made.inputs.get("maximumBatchingWindowInSeconds") for made in graph.of("EventSourceMapping"))
    return max((int(window) for window in windows if window), default=0)


def _queues(graph: Graph) -> dict[str, str]:
    # A graph from a preview has no outputs, so it does not contain the ARNs of aliases. The event source mapping
    # contains the function's physical name, so find the function by this name.
    sources = {made.inputs["name"]: made.name.replace("-", "_") for made in graph.of("aws:lambda/function:Function")}
    dead_letters = {
        cast("dict[str, str]", made.inputs.get("deadLetterConfig") or {}).get("arn") for made in graph.of("EventTarget")
    }
    return {
        sources[made.inputs["functionName"].split(":")[_NAME_IN_ARN]]: _request(made)
        for made in _queue_mappings(graph)
        if made.inputs["eventSourceArn"] not in dead_letters
    }


def _queue_mappings(graph: Graph) -> Iterator[Resource]:
    return (made for made in graph.of("EventSourceMapping") if ":sqs:" in made.inputs["eventSourceArn"])


def _request(mapping: Resource) -> str:
    return "fifo_queue_request" if mapping.inputs["eventSourceArn"].endswith(".fifo") else "queue_request"


def _monthly(graph: Graph) -> Iterator[tuple[str, float]]:
    functions = {made.inputs["name"]: made for made in graph.of("aws:lambda/function:Function")}
    kept = Counter[str]()
    for made in graph.of("ProvisionedConcurrencyConfig"):
        function = functions[made.inputs["functionName"]].inputs
        gb = made.inputs["provisionedConcurrentExecutions"] * function["memorySize"] / 1024
        kept[f"lambda_{function['architectures'][0]}_provisioned_second"] += int(gb * HOURS_OF_A_MONTH * 3600)
    yield from kept.items()
    yield "key_month", len(graph.of("aws:kms/key:Key"))
    yield "alarm_month", sum(_metrics_of(made) for made in graph.of("MetricAlarm"))
    for price, number in sorted(Counter(_request(made) for made in _queue_mappings(graph)).items()):
        yield price, number * _LOOKS_OF_AN_HOUR * HOURS_OF_A_MONTH
    yield "dashboard_month", len(graph.of("Dashboard"))
    (api,) = graph.of("aws:apigateway/restApi:RestApi")
    methods = [route for route in routes(api.inputs["body"]) if route.method != "OPTIONS"]
    detailed = any(made.inputs["settings"].get("metricsEnabled") for made in graph.of("MethodSettings"))
    yield "metric_month", len(graph.of("LogMetricFilter")) + detailed * _METRICS_OF_A_METHOD * len(methods)
    firewalls = graph.of("WebAcl")
    yield "web_acl_month", len(firewalls)
    yield "web_acl_rule_month", sum(len(made.inputs["rules"]) for made in firewalls)


def _metrics_of(alarm: Resource) -> int:
    queries = cast("list[dict[str, Any]]", alarm.inputs.get("metricQueries") or [])
    return sum("metric" in query for query in queries) or 1
