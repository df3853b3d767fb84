"""Shared by several tests: names in the resource graph of the event bus, and checks of the policies in this graph."""

from __future__ import annotations

from typing import Any

from contracts.orders import DETAIL_TYPES
from contracts.queues import GROUP_DIGITS
from tests.support.graph import ACCOUNT, REGION, Graph

FUNCTIONS = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:orders-dev"
QUEUES = f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders-dev"
TABLES = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/orders-dev"
RULES = f"arn:aws:events:{REGION}:{ACCOUNT}:rule"
SUCCESSES = f"arn:aws:sns:{REGION}:{ACCOUNT}:orders-dev-order-successes"
ALL = list(DETAIL_TYPES.values())
ANALYTICS = [f"analytics-{digit}" for digit in GROUP_DIGITS]
# The queues whose events a function receives. Each value is a tuple: the function, the failure queue, and the
# dead-letter queue for events that EventBridge could not deliver to the queue.
CONSUMED = {
    "analytics": ("record-analytics", "analytics-dlq", "analytics-delivery"),
    "email": ("send-email", "send-email-failures", "send-email-delivery"),
}


def rule_arn(rule: str) -> str:
    """Return the ARN of the EventBridge rule `rule` of the stack dev.

    The ARN of a rule on the default bus contains no bus name.
    """
    return f"{RULES}/{'' if rule in ('execution-ended', 'late-orders') else 'orders-dev-bus/'}orders-dev-{rule}"


def allowed(graph: Graph, function: str, service: str) -> set[tuple[str, str]]:
    """Return the (action, resource) pairs that the role of `function` allows for the AWS service `service`."""
    return {
        (action, resource)
        for statement in graph.policy("RolePolicy", f"{function}-policy")
        for action in statement["Action"]
        for resource in statement["Resource"]
        if action.startswith(f"{service}:")
    }


def statement_of(graph: Graph, function: str, action: str) -> dict[str, Any]:
    """Return the policy statement that allows `action` for `function`. Fails unless there is exactly one."""
    (found,) = (s for s in graph.policy("RolePolicy", f"{function}-policy") if action in s["Action"])
    return found


def sent_by_rules(graph: Graph, name: str, queue: str) -> list[str]:
    """Return the ARNs of the EventBridge rules that may send messages to the queue with the ARN `queue`.

    `name` is the logical name of the queue. Fails if anyone else may send messages, or if the policy allows plain HTTP.
    """
    statements = graph.policy("QueuePolicy", f"{name}-policy")
    allows = [statement for statement in statements if statement["Effect"] == "Allow"]
    denies = [statement for statement in statements if statement["Effect"] == "Deny"]
    assert [deny["Condition"] for deny in denies] == [{"Bool": {"aws:SecureTransport": "false"}}]
    for statement in allows:
        assert (statement["Action"], statement["Resource"]) == ("sqs:SendMessage", queue)
        assert statement["Principal"] == {"Service": "events.amazonaws.com"}
        assert list(statement["Condition"]) == ["ArnEquals"]
    arns = [statement["Condition"]["ArnEquals"]["aws:SourceArn"] for statement in allows]
    return [arn for each in arns for arn in ([each] if isinstance(each, str) else each)]


def matches(pattern: Any, record: Any) -> bool:
    """Return whether the Lambda event filter `pattern` matches `record`.

    A filter is a nested JSON object. Each of its keys must match the same key of `record`. The list at the end of a
    path contains the values that match.
    """
    if isinstance(pattern, list):
        return record in pattern
    return all(key in record and matches(part, record[key]) for key, part in pattern.items())
