"""Breakages: context managers that break one part of a deployed stack, as an operator or an accident could."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from typing import Any, Final

from tests.journeys.breakages import queue_attributes
from tests.journeys.stack import Stack
from tests.proof.least_privilege.policies import RolePolicy
from tests.proof.repeated_events.broken import released

Breakage = Callable[[Stack], AbstractContextManager[None]]
CANNOT_BE_IMPORTED: Final = "raise ImportError('broken by a test')\n"
_HANGS_S: Final = 20
HANGS: Final = f"""\
import time


def lambda_handler(event, context):
    time.sleep({_HANGS_S})
    raise TimeoutError
"""
_NOBODY_MAY: Final = json.dumps({"Version": "2012-10-17", "Statement": []})


def function_without_policies(source: str) -> Breakage:
    """Remove all policies from the role of a function."""
    return lambda stack: _without_policies(stack, _configuration(stack, source)["Role"])


def machine_without_policies(kind: str) -> Breakage:
    """Remove all policies from the role of a state machine (`standard` or `express`)."""

    def breakage(stack: Stack) -> AbstractContextManager[None]:
        arn = stack.ops["stateMachines"][kind]
        return _without_policies(
            stack, stack.aws("stepfunctions", "describe_state_machine", stateMachineArn=arn)["roleArn"]
        )

    return breakage


def cannot_be_imported(source: str) -> Breakage:
    """Release a version of a function that cannot be imported, because the module raises ImportError."""
    return lambda stack: released(stack, source, CANNOT_BE_IMPORTED)


def hangs(source: str) -> Breakage:
    """Release a version of a function that sleeps for _HANGS_S seconds, or until its time limit, and then fails.

    The sleep is short, because the emulator runs only a few invocations of a function at the same time
    (emulator_fixes/environments.py). The others wait until these end. After a sleep of minutes, invocations of the
    broken version would still start long after the repair.
    """
    return lambda stack: released(stack, source, HANGS)


def throttled(source: str) -> Breakage:
    """Reserve a concurrency of 0 for a function, so that Lambda throttles all of its invocations."""
    return lambda stack: _throttled(stack, source)


def queue_without_policy(failure_queue: str) -> Breakage:
    """Remove a queue's policy, so that EventBridge can no longer send events to the queue.

    `failure_queue` is the name of the dead-letter queue that receives these events instead.
    """
    return lambda stack: queue_attributes(
        stack, stack.ops["failureQueues"][failure_queue]["redriveTo"], Policy=_NOBODY_MAY
    )


def _configuration(stack: Stack, source: str) -> dict[str, Any]:
    return stack.aws("lambda", "get_function_configuration", FunctionName=stack.ops["functions"][source])


@contextmanager
def _without_policies(stack: Stack, role_arn: str) -> Generator[None]:
    role = role_arn.rpartition("/")[2]
    names = stack.aws("iam", "list_role_policies", RoleName=role)["PolicyNames"]
    assert names, f"{role} has no policies"
    with ExitStack() as repairs:
        for policy in [RolePolicy(stack.aws, role, name) for name in names]:
            repairs.callback(policy.write, policy.read())
            policy.write({"Statement": []})
        yield


@contextmanager
def _throttled(stack: Stack, source: str) -> Generator[None]:
    function = stack.ops["functions"][source].rpartition(":")[0]
    before = stack.aws("lambda", "get_function_concurrency", FunctionName=function).get("ReservedConcurrentExecutions")
    stack.aws("lambda", "put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=0)
    try:
        yield
    finally:
        if before is None:
            stack.aws("lambda", "delete_function_concurrency", FunctionName=function)
        else:
            stack.aws("lambda", "put_function_concurrency", FunctionName=function, ReservedConcurrentExecutions=before)
