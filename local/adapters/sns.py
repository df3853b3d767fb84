"""Adapters that deploy SNS topics, their policies and subscriptions to the emulator."""

from __future__ import annotations

from typing import Final

from local.adapters.base import Adapter, Made, Props, Put, adapts, changed_tags, tag_list
from local.aws import Aws

_TOPIC: Final = {"displayName": "DisplayName", "kmsMasterKeyId": "KmsMasterKeyId", "tracingConfig": "TracingConfig"}
_SUBSCRIPTION: Final = {
    "filterPolicy": "FilterPolicy",
    "filterPolicyScope": "FilterPolicyScope",
    "rawMessageDelivery": "RawMessageDelivery",
    "redrivePolicy": "RedrivePolicy",
}


@adapts("aws:sns/topic:Topic")
class Topic(Adapter):
    """A standard SNS topic."""

    applies = frozenset({"name", "tags", *_TOPIC})
    replaced_by = frozenset({"name"})

    def create(self, aws: Aws, new: Props) -> Made:
        arn: str = aws(
            "sns",
            "create_topic",
            Name=new["name"],
            Attributes=_attributes(_TOPIC, new),
            Tags=tag_list(new.get("tags")),
        )["TopicArn"]
        return Made(arn, {"arn": arn, "owner": aws.account})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        for name, value in (dict.fromkeys(_attributes(_TOPIC, old), "") | _attributes(_TOPIC, new)).items():
            aws("sns", "set_topic_attributes", TopicArn=identity, AttributeName=name, AttributeValue=value)
        if gone := changed_tags(old, new):
            aws("sns", "untag_resource", ResourceArn=identity, TagKeys=gone)
        if new.get("tags"):
            aws("sns", "tag_resource", ResourceArn=identity, Tags=tag_list(new["tags"]))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("sns", "delete_topic", TopicArn=identity)


@adapts("aws:sns/topicPolicy:TopicPolicy")
class TopicPolicy(Put):
    """The policy that states who may publish to a topic."""

    applies = frozenset({"arn", "policy"})
    replaced_by = frozenset({"arn"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("sns", "set_topic_attributes", TopicArn=new["arn"], AttributeName="Policy", AttributeValue=new["policy"])
        return Made(new["arn"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("sns", "set_topic_attributes", TopicArn=identity, AttributeName="Policy", AttributeValue="")


@adapts("aws:sns/topicSubscription:TopicSubscription")
class Subscription(Adapter):
    """A subscription of an endpoint to a topic."""

    applies = frozenset({"topic", "protocol", "endpoint", *_SUBSCRIPTION})
    replaced_by = frozenset({"topic", "protocol", "endpoint"})

    def create(self, aws: Aws, new: Props) -> Made:
        arn: str = aws(
            "sns",
            "subscribe",
            TopicArn=new["topic"],
            Protocol=new["protocol"],
            Endpoint=new["endpoint"],
            Attributes=_attributes(_SUBSCRIPTION, new),
            ReturnSubscriptionArn=True,
        )["SubscriptionArn"]
        return Made(arn, {"arn": arn})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("sns", "unsubscribe", SubscriptionArn=identity)


def _attributes(names: dict[str, str], new: Props) -> dict[str, str]:
    given = {target: new[source] for source, target in names.items() if new.get(source) is not None}
    return {key: str(value).lower() if isinstance(value, bool) else str(value) for key, value in given.items()}
