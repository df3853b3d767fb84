"""Rules for every state of both workflow definitions."""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

import botocore.session
import pytest

from components.workflow import state_machine
from contracts.orders import HTTP_STATUS
from shared import errors

DEFINITION: Final = state_machine.load("order.asl.json")
STATES: Final = dict(state_machine.states(DEFINITION))
ACCEPTED: Final = state_machine.load("accepted-order.asl.json")
TASKS: Final = dict(state_machine.tasks(DEFINITION)) | {
    f"accepted-order {name}": task for name, task in state_machine.tasks(ACCEPTED)
}
PARALLELS: Final = {name: state for name, state in STATES.items() if state["Type"] == "Parallel"}

# Step Functions defines the errors in STATES_ERRORS. Lambda or its SDK client reports those in LAMBDA_ERRORS. They are
# listed here, because botocore's service model of Lambda does not contain them.
STATES_ERRORS: Final = {"States.ALL", "States.Timeout"}
LAMBDA_ERRORS: Final = {
    *("Lambda.AWSLambdaException", "Lambda.SdkClientException", "Lambda.ClientExecutionTimeoutException"),
    # Lambda reports these errors if it stopped the function because of its timeout, its memory or a crash.
    *("Lambda.Unknown", "Sandbox.Timedout", "Runtime.ExitError"),
}
SDK_ERROR: Final = "SdkClientException"
# Errors are transient if AWS throttled the call, did not respond, had an internal error, or found a conflict with
# another write.
TRANSIENT: Final = re.compile(
    r"States\.Timeout|Sandbox\.Timedout|Runtime\.ExitError|StockContention|Lambda\.(Unknown|AWSLambdaException)"
    r"|\w+\.(ServiceException|SdkClientException|ClientExecutionTimeoutException|TooManyRequestsException"
    r"|ProvisionedThroughputExceededException|RequestLimitExceededException|ThrottlingException|ThrottledException"
    r"|KMSThrottlingException|InternalServerErrorException|InternalErrorException|TransactionConflictException"
    r"|AmazonDynamoDBException|DynamoDbException|AmazonSNSException|SfnException)"
)
# The Tasks without a Retry. A second attempt of SendNotification would delay the response of POST /process. The other
# two Tasks belong to the STANDARD workflow. After an error in either of them, the execution waits in the state
# WaitToRetry, and then starts again with DecideOrder.
SINGLE_ATTEMPT: Final = {"SendNotification", "accepted-order DecideOrder", "accepted-order ReadOrder"}
RETRIED: Final = TASKS.keys() - SINGLE_ATTEMPT
# The service in botocore for each service integration, and the prefix of its error names in Step Functions. DynamoDB
# has two prefixes: one in its optimized integration, and one in the AWS SDK integration.
PREFIXES: Final = {
    "lambda": ("lambda", "Lambda"),
    "sns": ("sns", "SNS"),
    "dynamodb": ("dynamodb", "DynamoDB"),
    "aws-sdk:dynamodb": ("dynamodb", "DynamoDb"),
    "aws-sdk:sfn": ("stepfunctions", "Sfn"),
}
# The SDK reports an error that the service's model does not list, such as a 503 response, under one of these general
# names. The name alone does not show whether a retry can help: a missing permission can have the same name.
GENERAL: Final = {
    "lambda": "Lambda.AWSLambdaException",
    "sns": "SNS.AmazonSNSException",
    "dynamodb": "DynamoDB.AmazonDynamoDBException",
    "aws-sdk:dynamodb": "DynamoDb.DynamoDbException",
    "aws-sdk:sfn": "Sfn.SfnException",
}


def integration(state: Mapping[str, Any]) -> tuple[str, str]:
    """Return a Task's service integration and operation, for example `aws-sdk:dynamodb` and `batchGetItem`."""
    service, _, operation = str(state["Resource"]).removeprefix("arn:aws:states:::").rpartition(":")
    return service, operation


def test_required_states_exist_with_their_types() -> None:
    wanted = {
        "ValidateInput": "Task",
        "CheckInventory": "Task",
        "IsInStock": "Choice",
        "ProcessOrder": "Parallel",
        "UpdateInventory": "Task",
        "SendNotification": "Task",
        "Success": "Succeed",
        "OutOfStock": "Fail",
        "HandleValidationError": "Fail",
    }
    assert {name: STATES[name]["Type"] for name in wanted} == wanted
    assert [branch["StartAt"] for branch in STATES["ProcessOrder"]["Branches"]] == [
        "UpdateInventory",
        "SendNotification",
    ]
    assert DEFINITION["StartAt"] == "ValidateInput"
    assert STATES["HandleValidationError"]["Error"] == "ValidationError"


def test_state_names_are_unique() -> None:
    assert len(list(state_machine.states(DEFINITION))) == len(STATES)


@pytest.mark.parametrize("name", TASKS)
def test_every_task_has_a_timeout_and_a_catch_all_and_most_have_a_retry(name: str) -> None:
    task = TASKS[name]
    assert isinstance(task["TimeoutSeconds"], int)
    assert ("Retry" not in task) == (name in SINGLE_ATTEMPT)
    assert task["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", PARALLELS)
def test_parallel_state_catches_all_errors(name: str) -> None:
    assert PARALLELS[name]["Catch"][-1]["ErrorEquals"] == ["States.ALL"]


@pytest.mark.parametrize("name", sorted(RETRIED))
def test_retries_have_jitter_backoff_and_a_maximum_delay(name: str) -> None:
    for retrier in TASKS[name]["Retry"]:
        assert retrier["JitterStrategy"] == "FULL"
        assert retrier["BackoffRate"] > 1
        assert 1 <= retrier["IntervalSeconds"] <= retrier["MaxDelaySeconds"] <= 30
        assert retrier["MaxAttempts"] >= 1


@pytest.mark.parametrize("name", sorted(RETRIED))
def test_only_transient_errors_are_retried(name: str) -> None:
    repeated = {error for retrier in TASKS[name]["Retry"] for error in retrier["ErrorEquals"]}
    assert {error for error in repeated if not TRANSIENT.fullmatch(error)} == set()
    assert "States.Timeout" in repeated


@pytest.mark.parametrize("name", sorted(RETRIED))
def test_general_sdk_errors_are_retried_at_most_ten_times(name: str) -> None:
    (retrier,) = [each for each in TASKS[name]["Retry"] if GENERAL[integration(TASKS[name])[0]] in each["ErrorEquals"]]
    assert retrier["MaxAttempts"] <= 10


@pytest.mark.parametrize("name", TASKS)
def test_every_error_name_in_retry_and_catch_exists(name: str) -> None:
    task = TASKS[name]
    named = {error for rule in (*task.get("Retry", ()), *task["Catch"]) for error in rule["ErrorEquals"]}
    assert named - STATES_ERRORS - _service_errors(task) - _own_errors(task) == set()


def _own_errors(task: Mapping[str, Any]) -> set[str]:
    """Return the names of all domain errors for a Task that invokes a function, and no names for other Tasks."""
    if integration(task)[0] != "lambda":
        return set()
    found, pending = set[str](), list[type[errors.OrdersError]]([errors.OrdersError])
    while pending:
        subclasses = pending.pop().__subclasses__()
        found |= {each.__name__ for each in subclasses}
        pending += subclasses
    return found


def _service_errors(task: Mapping[str, Any]) -> set[str]:
    """Return the service's error names as Step Functions reports them: in the form of the SDK for Java."""
    service, prefix = PREFIXES[integration(task)[0]]
    shapes = cast("Any", botocore.session.get_session()).get_service_model(service)
    codes = {name for name in shapes.shape_names if shapes.shape_for(name).metadata.get("exception")}
    java = {code if code.endswith("Exception") else f"{code}Exception" for code in codes}
    names = {f"{prefix}.{code}" for code in (*java, SDK_ERROR)} | {GENERAL[integration(task)[0]]}
    return names | LAMBDA_ERRORS if service == "lambda" else names


def test_business_errors_are_never_retried() -> None:
    business = {"ValidationError", "OutOfStock", "ProductNotFound", "InvalidTransition", "IdempotencyConflict"}
    for task in TASKS.values():
        assert not business & {error for retrier in task.get("Retry", ()) for error in retrier["ErrorEquals"]}


def test_no_state_sets_an_order_to_failed() -> None:
    """Only update_inventory (CONFIRMED) and RecordRejected (REJECTED) may decide an order."""
    written = {
        name: values[":status"]["S"]
        for name, task in TASKS.items()
        if (values := task["Arguments"].get("ExpressionAttributeValues"))
    }
    assert written == {"RecordRejected": "REJECTED"}
    changing = {name for name, task in TASKS.items() if integration(task)[1] in ("putItem", "updateItem")}
    # RecordOrder decides no order: it creates the row of a PENDING order, and fails if the order already has a row.
    assert changing == {"RecordRejected", "RecordOrder"}
    assert TASKS["RecordOrder"]["Arguments"]["ConditionExpression"] == "attribute_not_exists(order_id)"


def test_only_errors_with_a_4xx_status_reject_an_order() -> None:
    caught = {
        (name, error)
        for name, task in TASKS.items()
        for rule in task["Catch"]
        if "reason" in rule.get("Assign", {}) or "REJECTED" in str(rule.get("Output"))
        for error in rule["ErrorEquals"]
    }
    assert caught
    assert {error for _, error in caught if HTTP_STATUS.get(error, 500) >= 500} == set()


def test_reads_are_strongly_consistent() -> None:
    reads = [json.dumps(task["Arguments"]) for task in TASKS.values() if "get" in integration(task)[1].lower()]
    assert len(reads) == 3
    assert all('"ConsistentRead": true' in arguments for arguments in reads)


def test_longest_path_ends_before_the_api_timeout() -> None:
    # The time limit of the EXPRESS execution is 28 s, because API Gateway stops waiting for the response after 29 s.
    # The longest path must leave a reserve of 4 s.
    assert state_machine.longest_way_s(DEFINITION) <= 28 - 4


def test_every_state_is_reachable_and_every_path_ends() -> None:
    def check(machine: Mapping[str, Any]) -> None:
        within: dict[str, Any] = machine["States"]
        reached, pending = set[str](), [str(machine["StartAt"])]
        while pending:
            name = pending.pop()
            if name not in reached:
                reached.add(name)
                pending += state_machine.following(within[name])
        assert reached == set(within)
        for name, state in within.items():
            assert list(state_machine.following(state)) or state.get("End") or state["Type"] in ("Succeed", "Fail"), (
                name
            )
            for branch in state.get("Branches", ()):
                check(branch)

    check(DEFINITION)
    check(ACCEPTED)


def test_every_choice_has_a_default() -> None:
    assert all("Default" in state for state in STATES.values() if state["Type"] == "Choice")


def test_each_fail_state_has_its_own_error() -> None:
    ends = state_machine.fail_errors(DEFINITION)
    assert len(set(ends.values())) == len(ends)
    assert state_machine.fail_errors(ACCEPTED).items() <= ends.items()
    business = set(ends.values()) - {"ProcessingFailed", "NotRecorded", "Undecided"}
    assert business <= set(HTTP_STATUS)


def test_expressions_use_jsonata_without_eval() -> None:
    assert DEFINITION["QueryLanguage"] == "JSONata"
    text = json.dumps(DEFINITION)
    assert "$eval" not in text
    assert not re.search(r'"(InputPath|OutputPath|ResultPath|ResultSelector|Parameters|[^"]*\.\$)":', text)


def test_dynamodb_expressions_use_no_reserved_words() -> None:
    reserved_words: frozenset[str] = importlib.import_module("ministack.services._dynamodb_keywords").AWS_KEYWORDS
    assert "STATUS" in reserved_words
    for name, state in TASKS.items():
        arguments = json.dumps(state["Arguments"])
        for expression in re.findall(r'"(?:Condition|Update|Projection)Expression": "([^"]*)"', arguments):
            words = set(re.findall(r"(?<![#:\w])[a-z_]+\b(?!\()", expression))
            assert not {word.upper() for word in words} & reserved_words, f"{name}: {expression}"


# This pattern matches each `$name` that is not a function call. `_reads` returns these names, except `$states` and the
# variables that the expression itself defines.
_VARIABLE: Final = re.compile(r"\$([a-z_]\w*)\b(?!\s*\()")
_LOCAL: Final = re.compile(r"\$([a-z_]\w*)\s*:=")


def _reads(node: Any) -> set[str]:
    found = set[str]()
    for expression in _texts(node):
        found |= set(_VARIABLE.findall(expression)) - set(_LOCAL.findall(expression)) - {"states"}
    return found


def _texts(node: Any) -> Iterator[str]:
    if isinstance(node, str) and node.startswith("{%"):
        yield node
    elif isinstance(node, dict):
        for value in cast("dict[str, Any]", node).values():
            yield from _texts(value)
    elif isinstance(node, list):
        for item in cast("list[Any]", node):
            yield from _texts(item)


def test_assign_reads_no_other_variable_that_it_also_sets() -> None:
    """The results must not depend on the sequence in which an interpreter sets the variables of an Assign.

    AWS evaluates all expressions of an Assign with the old values. Some interpreters use values that are already new.
    """
    for name, state in STATES.items():
        for rule in (state, *state.get("Choices", ()), *state.get("Catch", ())):
            assign: dict[str, Any] = rule.get("Assign", {})
            for variable, template in assign.items():
                assert not _reads(template) & (set(assign) - {variable}), f"{name}: {variable}"


def test_parallel_branches_set_no_variables() -> None:
    """Variables in a branch are of little use, because Step Functions drops them when the branch ends.

    Their names would also have to differ from the names of the variables outside the branch.
    """
    for state in PARALLELS.values():
        for branch in state["Branches"]:
            assert "Assign" not in json.dumps(branch)


def test_variables_are_set_before_they_are_read() -> None:
    known: dict[str, set[str]] = {DEFINITION["StartAt"]: set()}
    pending = [str(DEFINITION["StartAt"])]
    while pending:
        name = pending.pop()
        for following, assigned in _edges(STATES[name]):
            # `known` contains, for each state, the variables that every path to the state sets. Remove the variables
            # that the path through `name` does not set.
            after = known[name] | assigned
            before = known.get(following)
            if before is None or not before <= after:
                known[following] = after if before is None else before & after
                pending.append(following)
    for name, variables in known.items():
        assert _reads(STATES[name]) <= variables, (
            f"{name}: {_reads(STATES[name]) - variables} are not set on every path"
        )


def _edges(state: Mapping[str, Any]) -> Iterator[tuple[str, set[str]]]:
    own = set(state.get("Assign", {}))
    if "Next" in state:
        yield state["Next"], own
    if "Default" in state:
        yield state["Default"], own
    for rule in (*state.get("Choices", ()), *state.get("Catch", ())):
        yield rule["Next"], set(rule.get("Assign", {}))
