"""Rules for SQS, SNS and EventBridge."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, Stack, of_resource, of_stack
from aws_rules.policies import accounts, actions, allowing, open_to_everybody, refuses_plain_http

QUEUE: Final = "aws:sqs/queue:Queue"
QUEUE_POLICY: Final = "aws:sqs/queuePolicy:QueuePolicy"
TOPIC: Final = "aws:sns/topic:Topic"
TOPIC_POLICY: Final = "aws:sns/topicPolicy:TopicPolicy"
SUBSCRIPTION: Final = "aws:sns/topicSubscription:TopicSubscription"
TARGET: Final = "aws:cloudwatch/eventTarget:EventTarget"
BUS_POLICY: Final = "aws:cloudwatch/eventBusPolicy:EventBusPolicy"
BUS_PERMISSION: Final = "aws:cloudwatch/eventPermission:EventPermission"
# Each entry is (resource type, property). The property refers to the queue that receives failed work.
_DEAD_LETTERS: Final = (
    (QUEUE, "redrivePolicy"),
    (SUBSCRIPTION, "redrivePolicy"),
    (TARGET, "deadLetterConfig"),
    ("aws:lambda/function:Function", "deadLetterConfig"),
    ("aws:lambda/functionEventInvokeConfig:FunctionEventInvokeConfig", "destinationConfig"),
    ("aws:lambda/eventSourceMapping:EventSourceMapping", "destinationConfig"),
)
_PEOPLE: Final = ("email", "email-json", "sms", "application")
_ACCOUNT: Final = re.compile(r"(\d{12}|arn:aws:iam::(\d{12}):.*)")


@of_resource(QUEUE, ids=("AwsSolutions-SQS2", "CKV_AWS_27", "CKV2_AWS_73"))
def queue_is_encrypted(queue: Resource) -> Iterator[str]:
    """An SQS queue is encrypted, with SQS's own key or with a customer managed key."""
    if not queue.has("sqsManagedSseEnabled") and not queue.has("kmsMasterKeyId"):
        yield "set sqsManagedSseEnabled"
    elif not queue.has("sqsManagedSseEnabled") and queue.at("kmsMasterKeyId") == "alias/aws/sqs":
        yield "no other service can use the key alias/aws/sqs; set sqsManagedSseEnabled or a customer managed key"


@of_stack(
    QUEUE,
    ids=("AwsSolutions-SQS3", "Serverless-SQSRedrivePolicy"),
    narrowed="The rule skips queues that already receive failed work: dead-letter queues and on-failure destinations.",
)
def queue_has_a_dead_letter_queue(queue: Resource, stack: Stack) -> Iterator[str]:
    """An SQS queue with a consumer has a dead-letter queue."""
    takes_failures = any(stack.made_from(queue, type_token, prop) for type_token, prop in _DEAD_LETTERS)
    if not takes_failures and not queue.has("redrivePolicy"):
        yield "has no redrivePolicy, and does not receive failed work"


@of_stack(QUEUE, ids=("AwsSolutions-SQS4",))
def queue_refuses_plain_http(queue: Resource, stack: Stack) -> Iterator[str]:
    """A queue's policy denies requests without TLS."""
    policies = stack.made_from(queue, QUEUE_POLICY, "queueUrl")
    if not any(refuses_plain_http(policy.at("policy"), "sqs:*", queue.at("arn")) for policy in policies):
        yield "has no policy that denies sqs:* without aws:SecureTransport"


@of_resource(QUEUE_POLICY, ids=("CKV_AWS_168", "CKV_AWS_387"))
def queue_admits_named_principals(policy: Resource) -> Iterator[str]:
    """A queue's policy never grants permissions to everybody."""
    yield from open_to_everybody(policy.at("policy"))


@of_resource(QUEUE_POLICY, ids=("CKV_AWS_72",))
def queue_policy_names_each_action(policy: Resource) -> Iterator[str]:
    """A queue's policy lists each allowed action by name, without a wildcard."""
    for statement in allowing(policy.at("policy")):
        yield from (f"allows {action}; name each action" for action in actions(statement) if "*" in action)


@of_resource(TOPIC, ids=("CKV_AWS_26",))
def topic_is_encrypted(topic: Resource) -> Iterator[str]:
    """A KMS key encrypts the messages of an SNS topic."""
    if not topic.has("kmsMasterKeyId"):
        yield "has no kmsMasterKeyId"


@of_stack(TOPIC, ids=("AwsSolutions-SNS3",))
def topic_refuses_plain_http(topic: Resource, stack: Stack) -> Iterator[str]:
    """A topic's policy denies messages that are published without TLS."""
    policies = stack.made_from(topic, TOPIC_POLICY, "arn")
    if not any(refuses_plain_http(policy.at("policy"), "sns:Publish", topic.at("arn")) for policy in policies):
        yield "has no policy that denies sns:Publish without aws:SecureTransport"


@of_resource(TOPIC_POLICY, ids=("CKV_AWS_169",))
def topic_admits_named_principals(policy: Resource) -> Iterator[str]:
    """A topic's policy never grants permissions to everybody."""
    yield from open_to_everybody(policy.at("policy"))


@of_resource(TOPIC_POLICY, ids=("CKV_AWS_385",))
def topic_admits_its_own_account(policy: Resource) -> Iterator[str]:
    """A topic's policy never grants permissions to principals of another account."""
    own = str(policy.at("arn")).split(":")[4:5]
    for statement in allowing(policy.at("policy")):
        for principal in accounts(statement):
            found = _ACCOUNT.fullmatch(principal)
            if found and [found[2] or found[1]] != own:
                yield f"allows {', '.join(actions(statement))} to {principal}, which is in another account"


@of_resource(
    SUBSCRIPTION,
    ids=("Serverless-SNSRedrivePolicy",),
    narrowed="The rule skips subscriptions of people, such as email addresses. Their messages are alarms, which are "
    "of no use when somebody finds them in a queue later.",
)
def subscription_has_a_dead_letter_queue(subscription: Resource) -> Iterator[str]:
    """An SNS subscription has a dead-letter queue for messages that SNS cannot deliver."""
    if subscription.at("protocol") not in _PEOPLE and not subscription.has("redrivePolicy"):
        yield "has no redrivePolicy"


@of_resource(TARGET, ids=("Serverless-EventBusDLQ",))
def event_target_has_a_dead_letter_queue(target: Resource) -> Iterator[str]:
    """A target of an EventBridge rule has a dead-letter queue for events that EventBridge cannot deliver."""
    if not target.has("deadLetterConfig", "arn"):
        yield "has no deadLetterConfig"


@of_resource(BUS_POLICY, BUS_PERMISSION, ids=("AwsSolutions-EVB1",))
def event_bus_admits_named_principals(policy: Resource) -> Iterator[str]:
    """An event bus accepts events only from principals that its policy lists."""
    yield from open_to_everybody(policy.at("policy"))
    if policy.at("principal") == "*" and not policy.has("condition"):
        yield "lets everybody put events; name the account"


RULES: Final = (
    queue_is_encrypted,
    queue_has_a_dead_letter_queue,
    queue_refuses_plain_http,
    queue_admits_named_principals,
    queue_policy_names_each_action,
    topic_is_encrypted,
    topic_refuses_plain_http,
    topic_admits_named_principals,
    topic_admits_its_own_account,
    subscription_has_a_dead_letter_queue,
    event_target_has_a_dead_letter_queue,
    event_bus_admits_named_principals,
)
