"""The platform's architecture rules. Each rule receives a resource graph and yields a message for each violation.

Rules for any AWS platform, for example about encryption, logs and permissions, are in the policy pack (policy/).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, Final, cast

from components.aws.naming import LIMITS
from components.functions.archives import FUNCTIONS, RUNTIME
from contracts.orders import API_TIMEOUT_S
from tests.support.graph import Graph, Resource

Rule = Callable[[Graph], Iterator[str]]

_TAGGABLE: Final = (
    *("Table", "Bucket", "Queue", "Topic", "Role", "Function", "LogGroup", "EventBus", "EventRule", "StateMachine"),
    *("RestApi", "Api", "UserPool", "MetricAlarm", "Key", "WebAcl", "EmailIdentity"),
)
_PHYSICAL: Final = {
    "Function": "function",
    "Role": "role",
    "Queue": "queue",
    "Topic": "topic",
    "Table": "table",
    "LogGroup": "log-group",
    "EventRule": "rule",
    "EventArchive": "archive",
    "StateMachine": "state-machine",
}
VISIBILITY_FACTOR: Final = 6


def statements(graph: Graph) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Yield each statement of the policies of all roles, with the policy resource that contains the statement."""
    for policy in graph.of("RolePolicy"):
        for statement in json.loads(policy.inputs["policy"])["Statement"]:
            yield policy, statement


def resource_policies(graph: Graph) -> Iterator[tuple[Resource, dict[str, Any]]]:
    """Yield each statement of the policies of queues, topics and buckets, with the resource that contains it."""
    for kind in ("QueuePolicy", "TopicPolicy", "BucketPolicy"):
        for policy in graph.of(kind):
            for statement in json.loads(policy.inputs["policy"])["Statement"]:
                yield policy, statement


def each_function_has_its_own_role(graph: Graph) -> Iterator[str]:
    used = Counter(function.inputs["role"] for function in graph.of("Function") if function.custom)
    yield from (f"{role}: {count} functions" for role, count in used.items() if count > 1)


def each_function_logs_to_its_own_group(graph: Graph) -> Iterator[str]:
    groups = {group.inputs["name"]: group for group in graph.of("LogGroup")}
    for function in functions(graph):
        name = function.inputs.get("loggingConfig", {}).get("logGroup")
        if name not in groups or name != f"/aws/lambda/{function.inputs['name']}":
            yield f"{function.name}: expected its own log group, got {name}"


def no_function_may_make_log_groups(graph: Graph) -> Iterator[str]:
    roles = {str(function.inputs["role"]).rsplit("/", 1)[-1] for function in functions(graph)}
    for policy, statement in statements(graph):
        if policy.inputs["role"] in roles and "logs:CreateLogGroup" in statement["Action"]:
            yield policy.name


def each_function_is_versioned_and_named_to_its_logs(graph: Graph) -> Iterator[str]:
    for function in functions(graph):
        inputs = function.inputs
        # The packages in the layers are built for RUNTIME, so all functions must use this runtime.
        wanted = {"runtime": RUNTIME, "publish": True}
        for key, value in wanted.items():
            if inputs.get(key) != value:
                yield f"{function.name}: {key}: got {inputs.get(key)}; allowed: {value}"
        variables = inputs["environment"]["variables"]
        if not variables.get("POWERTOOLS_SERVICE_NAME") or not variables.get("LOG_LEVEL"):
            yield f"{function.name}: lacks the variable POWERTOOLS_SERVICE_NAME or LOG_LEVEL"
        if len(inputs["layers"]) != 2:
            yield f"{function.name}: does not have exactly two layers (Powertools and common)"


def each_function_is_called_by_its_alias(graph: Graph) -> Iterator[str]:
    unqualified = {function.state["arn"] for function in functions(graph)}
    for resource in graph.resources:
        for key in ("arn", "functionName", "body", "definition"):
            value = str(resource.inputs.get(key, ""))
            for arn in unqualified:
                if re.search(re.escape(arn) + r"(?!:live)([\"/]|$)", value):
                    yield f"{resource.name}.{key}: {arn}"
    for permission in graph.of("Permission"):
        if permission.inputs.get("qualifier") != "live":
            yield f"{permission.name}: does not refer to the alias live"


def every_target_may_invoke_its_function(graph: Graph) -> Iterator[str]:
    permitted = {permission.inputs["function"] for permission in graph.of("Permission")}
    for target in graph.of("EventTarget"):
        name = str(target.inputs["arn"]).split(":function:")[-1].split(":")[0]
        if ":lambda:" in target.inputs["arn"] and name not in permitted:
            yield f"{target.name}: EventBridge has no permission to invoke {name}"


def asynchronous_functions(graph: Graph) -> set[str]:
    """Return the names of the functions that EventBridge invokes asynchronously."""
    arns = [str(target.inputs["arn"]) for target in graph.of("EventTarget")]
    return {arn.split(":function:")[1].split(":")[0] for arn in arns if ":lambda:" in arn}


def scheduled_functions(graph: Graph) -> set[str]:
    """Return the names of the functions that a schedule invokes."""
    schedules = {rule.inputs["name"] for rule in graph.of("EventRule") if "scheduleExpression" in rule.inputs}
    targets = [target.inputs for target in graph.of("EventTarget")]
    return {each["arn"].split(":function:")[1].split(":")[0] for each in targets if each["rule"] in schedules}


def every_asynchronous_hop_has_its_failure_destination(graph: Graph) -> Iterator[str]:
    queues = {queue.state["arn"] for queue in graph.of("Queue")}
    configured = {config.inputs["functionName"]: config.inputs for config in graph.of("FunctionEventInvokeConfig")}
    scheduled = scheduled_functions(graph)
    for name in asynchronous_functions(graph):
        is_swept = _is_swept(name)
        config = configured.get(name, {})
        destination = config.get("destinationConfig", {})
        limits = (config.get("maximumEventAgeInSeconds"), config.get("maximumRetryAttempts"))
        # `wanted` is the maximum event age in seconds and the number of retries. A scheduled invocation needs no retry,
        # because the next one repeats its work. The platform's specification requires 300 s for process_order. The
        # events of all other functions wait as long as Lambda allows.
        wanted = (60, 0) if name in scheduled else (300 if name.endswith("-process-order") else 21_600, 2)
        if limits != wanted:
            yield f"{name}: maximum event age in s and retries: got {limits}; allowed: {wanted}"
        if destination.get("onFailure", {}).get("destination") not in queues and not is_swept:
            yield f"{name}: lacks an on-failure destination"
        if is_swept and destination:
            yield f"{name}: has an on-failure destination, although the sweep repeats its work"
        if config.get("qualifier") != "live":
            yield f"{name}: the invocation settings do not apply to the alias live"
    for target in graph.of("EventTarget"):
        dead = _dead_letters_of(target)
        if not (dead in queues or _is_swept(target.name.removesuffix("-target"))) or not target.inputs.get(
            "retryPolicy"
        ):
            yield f"{target.name}: lacks a dead-letter queue or a retry policy"
    # A redrive sends all events of a dead-letter queue to one function or queue, so targets with different functions or
    # queues must not share a dead-letter queue.
    dead_letters = {
        (dead["arn"], target.inputs["arn"])
        for target in graph.of("EventTarget")
        if (dead := target.inputs.get("deadLetterConfig"))
    }
    yield from (
        f"{arn}: targets with different functions or queues share this dead-letter queue"
        for arn, count in Counter(arn for arn, _ in dead_letters).items()
        if count > 1
    )
    yield from _mappings(graph, queues)


def _dead_letters_of(target: Resource) -> str | None:
    """Return the ARN of the queue for events that EventBridge cannot deliver to the target, or None."""
    config: dict[str, str] = target.inputs.get("deadLetterConfig") or {}
    return config.get("arn")


def _is_swept(name: str) -> bool:
    """Return whether a later sweep repeats the failed work of the function `name`.

    Such a function needs no queue for its failed events. A sweep restarts late orders every few minutes.
    """
    return name.endswith(("fail-order", "restart-late-orders"))


def _mappings(graph: Graph, queues: set[str]) -> Iterator[str]:
    undelivered = {_dead_letters_of(target) for target in graph.of("EventTarget")}
    redriven = {
        q.state["arn"]: json.loads(q.inputs["redrivePolicy"]) for q in graph.of("Queue") if "redrivePolicy" in q.inputs
    }
    for mapping in graph.of("EventSourceMapping"):
        inputs = mapping.inputs
        source = str(inputs["eventSourceArn"])
        if inputs.get("functionResponseTypes") != ["ReportBatchItemFailures"]:
            yield f"{mapping.name}: one failed record fails its whole batch"
        if ":sqs:" in source and source not in undelivered:
            dead = redriven.get(source, {}).get("deadLetterTargetArn", "")
            if dead not in queues or dead.endswith(".fifo") != source.endswith(".fifo"):
                yield f"{mapping.name}: lacks a dead-letter queue of the same type, standard or FIFO"
        elif ":sqs:" not in source:
            failed = inputs.get("destinationConfig", {}).get("onFailure", {}).get("destinationArn")
            if failed not in queues:
                yield f"{mapping.name}: lacks an on-failure destination"
            limits = (inputs.get("maximumRetryAttempts", -1), inputs.get("maximumRecordAgeInSeconds", -1))
            if limits != (-1, -1):
                yield f"{mapping.name}: Lambda stops retrying a record before the stream deletes the record"
            if not inputs.get("bisectBatchOnFunctionError"):
                yield f"{mapping.name}: does not split a failed batch"


def timeouts_are_below_the_callers(graph: Graph) -> Iterator[str]:
    timeouts = {function.inputs["name"]: function.inputs["timeout"] for function in functions(graph)}
    for permission in graph.of("Permission"):
        if permission.inputs["principal"] == "apigateway.amazonaws.com":
            name = permission.inputs["function"]
            if timeouts[name] >= API_TIMEOUT_S:
                yield f"{name}: timeout: got {timeouts[name]} s; allowed behind an API: less than {API_TIMEOUT_S} s"
    for machine in graph.of("StateMachine"):
        yield from _task_timeouts(machine, timeouts)
    visible = {queue.state["arn"]: queue.inputs.get("visibilityTimeoutSeconds", 30) for queue in graph.of("Queue")}
    for mapping in graph.of("EventSourceMapping"):
        name = mapping.inputs["functionName"].split(":function:")[-1].split(":")[0]
        source = mapping.inputs["eventSourceArn"]
        least = VISIBILITY_FACTOR * timeouts[name]
        if source in visible and visible[source] < least:
            yield f"{mapping.name}: visibility timeout: got {visible[source]} s; allowed: at least {least} s"


def _task_timeouts(machine: Resource, timeouts: dict[str, int]) -> Iterator[str]:
    definition = json.loads(machine.inputs["definition"])
    whole = definition.get("TimeoutSeconds", 0)
    if not whole or (machine.inputs.get("type") == "EXPRESS" and whole >= API_TIMEOUT_S):
        yield f"{machine.name}: timeout: got {whole} s; allowed: more than 0 s, EXPRESS less than {API_TIMEOUT_S} s"
    for state in _states(definition):
        if state.get("Type") != "Task":
            continue
        if not 0 < state.get("TimeoutSeconds", 0) < whole:
            yield f"{machine.name}: a Task has no timeout, or one that is not shorter than the execution's"
        arn = str(state.get("Arguments", {}).get("FunctionName", ""))
        name = arn.rsplit(":function:", maxsplit=1)[-1].split(":", maxsplit=1)[0]
        if name in timeouts and timeouts[name] >= state["TimeoutSeconds"]:
            yield f"{machine.name}: the timeout of {name} is not shorter than that of its Task"


def _states(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        for branch in state.get("Branches", []):
            yield from _states(branch)


def trust_is_limited_where_the_service_sends_its_source(graph: Graph) -> Iterator[str]:
    for role in graph.of("Role"):
        for statement in json.loads(role.inputs["assumeRolePolicy"])["Statement"]:
            service = statement["Principal"].get("Service")
            limited = "aws:SourceAccount" in json.dumps(statement.get("Condition", {}))
            if not limited:
                yield f"{role.name}: trusts {service} on behalf of any AWS account"


def resource_policies_let_one_source_in(graph: Graph) -> Iterator[str]:
    for policy, statement in resource_policies(graph):
        if statement["Effect"] != "Allow":
            continue
        # The names of condition keys are not case-sensitive in IAM, so this rule ignores their case, too.
        condition = json.dumps(statement.get("Condition", {})).lower()
        if "aws:sourcearn" not in condition and "aws:sourceaccount" not in condition:
            yield f"{policy.name}: allows requests from any source"


def everything_taggable_is_tagged(graph: Graph) -> Iterator[str]:
    for kind in _TAGGABLE:
        for made in graph.of(kind):
            tags = cast("dict[str, str]", made.inputs.get("tags") or {})
            if made.custom and not {"Project", "Stack", "Component"} <= set(tags):
                yield f"{made.name}: required tags are missing; got {sorted(tags)}"


def physical_names_are_unique_and_within_limits(graph: Graph) -> Iterator[str]:
    for kind, limit in _PHYSICAL.items():
        # The AWS provider appends 26 characters to a name prefix, so this rule appends 26 zeros.
        names = [
            str(made.inputs.get("name") or f"{made.inputs['namePrefix']}{'0' * 26}")
            for made in graph.of(kind)
            if made.custom
        ]
        yield from (
            f"{kind} {name}: {count} resources share this name" for name, count in Counter(names).items() if count > 1
        )
        yield from (
            f"{kind} {name}: got {len(name)} characters; allowed: at most {LIMITS[limit]}"
            for name in names
            if len(name) > LIMITS[limit]
        )
    logical = Counter((made.type, made.name) for made in graph.resources)
    yield from (f"{made}: registered {count} times" for made, count in logical.items() if count > 1)


def every_component_registers_its_outputs(graph: Graph) -> Iterator[str]:
    for made in graph.resources:
        if not made.custom and made.urn not in graph.components_with_outputs:
            yield made.name


def every_resource_belongs_to_a_component(graph: Graph) -> Iterator[str]:
    for made in graph.resources:
        if made.custom and made.parent.endswith(f"::orders-{graph.stack}"):
            yield made.name


def functions(graph: Graph) -> list[Resource]:
    """Return the Lambda functions of a resource graph."""
    return [made for made in graph.of("aws:lambda/function:Function") if made.custom]


def every_function_folder_is_declared_once(graph: Graph) -> Iterator[str]:
    declared = Counter(function.inputs["handler"].split(".")[0] for function in functions(graph))
    for folder in sorted(path.parent.name for path in FUNCTIONS.glob("*/handler.py")):
        if declared[folder] != 1:
            yield f"functions/{folder}: declared {declared[folder]} times; allowed: once"


RULES: Final[tuple[Rule, ...]] = (
    each_function_has_its_own_role,
    each_function_logs_to_its_own_group,
    no_function_may_make_log_groups,
    each_function_is_versioned_and_named_to_its_logs,
    each_function_is_called_by_its_alias,
    every_target_may_invoke_its_function,
    every_asynchronous_hop_has_its_failure_destination,
    timeouts_are_below_the_callers,
    trust_is_limited_where_the_service_sends_its_source,
    resource_policies_let_one_source_in,
    everything_taggable_is_tagged,
    physical_names_are_unique_and_within_limits,
    every_component_registers_its_outputs,
    every_resource_belongs_to_a_component,
    every_function_folder_is_declared_once,
)
