"""Adapters that deploy EventBridge's resources to the emulator.

The Pulumi types of these resources start with `aws:cloudwatch`, because the first name of EventBridge was CloudWatch
Events.
"""

from __future__ import annotations

from typing import Any, Final

from local.adapters.base import Adapter, Made, Props, Put, adapts, changed_tags, only, pascal, tag_list
from local.aws import Aws

_RULE: Final = {
    "description": "Description",
    "eventBusName": "EventBusName",
    "eventPattern": "EventPattern",
    "name": "Name",
    "roleArn": "RoleArn",
    "scheduleExpression": "ScheduleExpression",
    "state": "State",
}
_TARGET: Final = {
    "arn": "Arn",
    "deadLetterConfig": "DeadLetterConfig",
    "input": "Input",
    "inputPath": "InputPath",
    "retryPolicy": "RetryPolicy",
    "roleArn": "RoleArn",
    "sqsTarget": "SqsParameters",
    "targetId": "Id",
}


@adapts("aws:cloudwatch/eventBus:EventBus")
class EventBus(Adapter):
    """An event bus."""

    applies = frozenset({"name", "description", "tags"})
    replaced_by = frozenset({"name"})

    def create(self, aws: Aws, new: Props) -> Made:
        arn: str = aws(
            "events",
            "create_event_bus",
            Name=new["name"],
            Description=new.get("description"),
            Tags=tag_list(new.get("tags")),
        )["EventBusArn"]
        return Made(new["name"], {"arn": arn})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        aws("events", "update_event_bus", Name=identity, Description=new.get("description", ""))
        _tag(aws, aws.arn("events", f"event-bus/{identity}"), old, new)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        for rule in aws("events", "list_rules", EventBusName=identity)["Rules"]:
            _delete_rule(aws, rule["Name"], identity)
        aws("events", "delete_event_bus", Name=identity)


@adapts("aws:cloudwatch/eventRule:EventRule")
class EventRule(Put):
    """A rule that selects events by a pattern or runs on a schedule."""

    applies = frozenset({"tags", *_RULE})
    replaced_by = frozenset({"name", "eventBusName"})

    def create(self, aws: Aws, new: Props) -> Made:
        wanted = {target: new[source] for source, target in _RULE.items() if source in new}
        arn: str = aws("events", "put_rule", **wanted, Tags=tag_list(new.get("tags")))["RuleArn"]
        bus = new.get("eventBusName", "default")
        return Made(new["name"] if bus == "default" else f"{bus}/{new['name']}", {"arn": arn})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        _delete_rule(aws, old["name"], old.get("eventBusName", "default"))


@adapts("aws:cloudwatch/eventTarget:EventTarget")
class EventTarget(Put):
    """A target to which a rule sends its events."""

    applies = frozenset({"rule", "eventBusName", "inputTransformer", *_TARGET})
    replaced_by = frozenset({"rule", "eventBusName", "targetId"})

    def create(self, aws: Aws, new: Props) -> Made:
        wanted: dict[str, Any] = {target: pascal(new[source]) for source, target in _TARGET.items() if source in new}
        if transformer := new.get("inputTransformer"):
            only(transformer, ("inputPaths", "inputTemplate"), "inputTransformer")
            wanted["InputTransformer"] = {
                "InputPathsMap": transformer.get("inputPaths", {}),
                "InputTemplate": transformer["inputTemplate"],
            }
        answer = aws("events", "put_targets", Rule=new["rule"], EventBusName=new.get("eventBusName"), Targets=[wanted])
        # PutTargets returns status 200 even if it refuses a target, so the response must be checked. FailedEntries
        # lists the refused targets.
        if answer["FailedEntryCount"]:
            raise ValueError(f"events:put_targets: {answer['FailedEntries']}")
        return Made(f"{new['rule']}-{new['targetId']}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        bus = old.get("eventBusName")
        aws("events", "remove_targets", Rule=old["rule"], EventBusName=bus, Ids=[old["targetId"]])


@adapts("aws:cloudwatch/eventArchive:EventArchive")
class EventArchive(Adapter):
    """An archive whose events can be replayed."""

    applies = frozenset({"name", "description", "eventPattern", "eventSourceArn", "retentionDays"})
    replaced_by = frozenset({"name", "eventSourceArn"})

    def create(self, aws: Aws, new: Props) -> Made:
        arn: str = aws("events", "create_archive", EventSourceArn=new["eventSourceArn"], **self._content(new))[
            "ArchiveArn"
        ]
        return Made(new["name"], {"arn": arn})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del identity, old
        aws("events", "update_archive", **self._content(new))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("events", "delete_archive", ArchiveName=identity)

    def _content(self, new: Props) -> dict[str, Any]:
        return {
            "ArchiveName": new["name"],
            "Description": new.get("description"),
            "EventPattern": new.get("eventPattern"),
            "RetentionDays": new.get("retentionDays"),
        }


def _delete_rule(aws: Aws, name: str, bus: str) -> None:
    targets = aws("events", "list_targets_by_rule", Rule=name, EventBusName=bus)["Targets"]
    if targets:
        aws("events", "remove_targets", Rule=name, EventBusName=bus, Ids=[target["Id"] for target in targets])
    aws("events", "delete_rule", Name=name, EventBusName=bus)


def _tag(aws: Aws, arn: str, old: Props, new: Props) -> None:
    if gone := changed_tags(old, new):
        aws("events", "untag_resource", ResourceARN=arn, TagKeys=gone)
    if new.get("tags"):
        aws("events", "tag_resource", ResourceARN=arn, Tags=tag_list(new["tags"]))
