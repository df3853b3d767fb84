"""Adapters that deploy SQS queues and their policies to the emulator."""

from __future__ import annotations

from typing import Final

from local.adapters.base import Adapter, Made, Props, Put, adapts, changed_tags
from local.aws import Aws

_ATTRIBUTES: Final = {
    "contentBasedDeduplication": "ContentBasedDeduplication",
    "deduplicationScope": "DeduplicationScope",
    "delaySeconds": "DelaySeconds",
    "fifoQueue": "FifoQueue",
    "fifoThroughputLimit": "FifoThroughputLimit",
    "kmsDataKeyReusePeriodSeconds": "KmsDataKeyReusePeriodSeconds",
    "kmsMasterKeyId": "KmsMasterKeyId",
    "maxMessageSize": "MaximumMessageSize",
    "messageRetentionSeconds": "MessageRetentionPeriod",
    "receiveWaitTimeSeconds": "ReceiveMessageWaitTimeSeconds",
    "redriveAllowPolicy": "RedriveAllowPolicy",
    "redrivePolicy": "RedrivePolicy",
    "sqsManagedSseEnabled": "SqsManagedSseEnabled",
    "visibilityTimeoutSeconds": "VisibilityTimeout",
}


@adapts("aws:sqs/queue:Queue")
class Queue(Adapter):
    """An SQS queue, standard or FIFO."""

    applies = frozenset({"name", "tags", *_ATTRIBUTES})
    replaced_by = frozenset({"name", "fifoQueue"})

    def create(self, aws: Aws, new: Props) -> Made:
        url: str = aws("sqs", "create_queue", QueueName=new["name"], Attributes=_attributes(new), tags=new.get("tags"))[
            "QueueUrl"
        ]
        return Made(url, {"url": url, "arn": aws.arn("sqs", new["name"])})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        # If the program no longer sets an attribute, the attribute must return to its default. SetQueueAttributes
        # cannot remove an attribute, so a new queue replaces the old one.
        if set(_attributes(old)) - set(_attributes(new)):
            return None
        wanted = {key: value for key, value in _attributes(new).items() if key != "FifoQueue"}
        aws("sqs", "set_queue_attributes", QueueUrl=identity, Attributes=wanted)
        if gone := changed_tags(old, new):
            aws("sqs", "untag_queue", QueueUrl=identity, TagKeys=gone)
        if new.get("tags"):
            aws("sqs", "tag_queue", QueueUrl=identity, Tags=new["tags"])
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("sqs", "delete_queue", QueueUrl=identity)


@adapts("aws:sqs/queuePolicy:QueuePolicy")
class QueuePolicy(Put):
    """The policy that states who may send to a queue."""

    applies = frozenset({"queueUrl", "policy"})
    replaced_by = frozenset({"queueUrl"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("sqs", "set_queue_attributes", QueueUrl=new["queueUrl"], Attributes={"Policy": new["policy"]})
        return Made(new["queueUrl"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("sqs", "set_queue_attributes", QueueUrl=identity, Attributes={"Policy": ""})


def _attributes(new: Props) -> dict[str, str]:
    """Return the attributes of a queue as strings, because SQS accepts only strings."""
    given = {target: new[source] for source, target in _ATTRIBUTES.items() if new.get(source) is not None}
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
