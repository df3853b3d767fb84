"""Rules for AWS Lambda."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, Stack, of_resource, of_stack

FUNCTION: Final = "aws:lambda/function:Function"
ALIAS: Final = "aws:lambda/alias:Alias"
PERMISSION: Final = "aws:lambda/permission:Permission"
INVOCATION: Final = "aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig"
EVENT_SOURCE: Final = "aws:lambda/eventSourceMapping:EventSourceMapping"
QUEUE: Final = "aws:sqs/queue:Queue"
TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"

# When this list was written, AWS had deprecated none of these Python runtimes, and planned to deprecate none of them
# within a year (AWS Lambda Developer Guide, "Deprecated runtimes").
_SUPPORTED: Final = frozenset({"python3.11", "python3.12", "python3.13", "python3.14"})
_SECRETS: Final = (
    re.compile(r"\b(AKIA|ASIA)[A-Z0-9]{16}\b"),
    # This pattern matches AWS secret access keys and similar random keys, which contain letters of both cases and
    # digits.
    re.compile(r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[A-Za-z0-9/+=]{40}$"),
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"),
)
_SECRET_NAMES: Final = re.compile(r"(PASSWORD|SECRET|PRIVATE_KEY|API_KEY|ACCESS_KEY|_TOKEN)$")


@of_resource(FUNCTION, ids=("CKV_AWS_363",))
def function_runs_on_a_supported_runtime(function: Resource) -> Iterator[str]:
    """A Lambda function uses a runtime that Lambda still patches."""
    if function.at("packageType") != "Image" and function.at("runtime") not in _SUPPORTED:
        yield f"runtime: got {function.at('runtime')}; allowed: {', '.join(sorted(_SUPPORTED))}"


@of_resource(FUNCTION, ids=("Serverless-LambdaTracing", "CKV_AWS_50"))
def function_is_traced(function: Resource) -> Iterator[str]:
    """X-Ray traces each Lambda function."""
    if function.at("tracingConfig", "mode") != "Active":
        yield f"tracing: got {function.at('tracingConfig', 'mode')}; set tracingConfig.mode to Active"


@of_resource(FUNCTION, ids=("Serverless-LambdaDefaultMemorySize",))
def function_states_its_memory(function: Resource) -> Iterator[str]:
    """A Lambda function sets its memory size and does not rely on Lambda's default."""
    if not function.has("memorySize"):
        yield "has no memorySize"


@of_resource(FUNCTION, ids=("Serverless-LambdaDefaultTimeout",))
def function_states_its_timeout(function: Resource) -> Iterator[str]:
    """A Lambda function sets its timeout and does not rely on Lambda's default."""
    if not function.has("timeout"):
        yield "has no timeout"


@of_resource(FUNCTION, ids=("CKV_AWS_45",))
def function_environment_holds_no_secret(function: Resource) -> Iterator[str]:
    """A Lambda function's environment variables contain no key, password or token."""
    for name in function.at("environment", "variables") or ():
        if _SECRET_NAMES.search(name):
            yield f"environment variable {name} has a name that suggests a secret"
        elif any(found.search(str(function.at("environment", "variables", name))) for found in _SECRETS):
            yield f"environment variable {name} has a value that looks like a secret"


@of_resource(PERMISSION, ids=("CKV_AWS_364",))
def function_is_invoked_by_one_source(permission: Resource) -> Iterator[str]:
    """A Lambda permission allows an AWS service to invoke a function only for one source: a resource or an account."""
    if not permission.has("sourceArn") and not permission.has("sourceAccount"):
        yield f"lets {permission.at('principal')} invoke the function for any source; set sourceArn"


@of_resource(PERMISSION, ids=("CKV_AWS_301",))
def function_is_not_public(permission: Resource) -> Iterator[str]:
    """No Lambda permission allows everybody to invoke a function."""
    if permission.at("principal") == "*" or permission.at("functionUrlAuthType") == "NONE":
        yield "lets everybody invoke the function; name the principal"


@of_resource(INVOCATION, ids=("Serverless-LambdaAsyncFailureDestination",))
def asynchronous_invocation_has_a_failure_destination(invocation: Resource) -> Iterator[str]:
    """If all retries of an asynchronous invocation fail, Lambda reports the invocation to an on-failure destination."""
    if not invocation.has("destinationConfig", "onFailure", "destination"):
        yield "has no destinationConfig.onFailure"


@of_stack(
    EVENT_SOURCE,
    ids=("Serverless-LambdaEventSourceMappingDestination",),
    narrowed="If the event source is an SQS queue, the rule requires a redrive policy on the queue, because Lambda "
    "supports no on-failure destination for SQS queues. The rule skips dead-letter queues of EventBridge targets, "
    "because they contain only failed work.",
)
def event_source_has_a_failure_destination(mapping: Resource, stack: Stack) -> Iterator[str]:
    """An event source mapping of a stream has an on-failure destination for records whose retries all failed."""
    queues = [source for source in stack.sources(mapping, "eventSourceArn") if source.type == QUEUE]
    if queues and all(queue.has("redrivePolicy") or _is_dead_letter_queue(queue, stack) for queue in queues):
        return
    if not mapping.has("destinationConfig", "onFailure", "destinationArn"):
        yield "the SQS queue has no redrivePolicy" if queues else "has no destinationConfig.onFailure"


def _is_dead_letter_queue(queue: Resource, stack: Stack) -> bool:
    return bool(stack.made_from(queue, TARGET, "deadLetterConfig"))


RULES: Final = (
    function_runs_on_a_supported_runtime,
    function_is_traced,
    function_states_its_memory,
    function_states_its_timeout,
    function_environment_holds_no_secret,
    function_is_invoked_by_one_source,
    function_is_not_public,
    asynchronous_invocation_has_a_failure_destination,
    event_source_has_a_failure_destination,
)
