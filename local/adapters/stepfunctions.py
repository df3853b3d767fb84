"""Adapter that deploys Step Functions state machines to the emulator."""

from __future__ import annotations

from typing import Any

from local.adapters.base import Adapter, Made, Props, adapts, changed_tags, only
from local.aws import Aws


@adapts("aws:sfn/stateMachine:StateMachine")
class StateMachine(Adapter):
    """A state machine of type STANDARD or EXPRESS."""

    applies = frozenset(
        {"name", "definition", "roleArn", "type", "loggingConfiguration", "tracingConfiguration", "tags"}
    )
    replaced_by = frozenset({"name", "type"})

    def create(self, aws: Aws, new: Props) -> Made:
        arn: str = aws(
            "stepfunctions",
            "create_state_machine",
            name=new["name"],
            type=new.get("type"),
            tags=_tags(new),
            **_content(new),
        )["stateMachineArn"]
        return Made(arn, {"arn": arn, "status": "ACTIVE"})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        aws("stepfunctions", "update_state_machine", stateMachineArn=identity, **_content(new))
        if gone := changed_tags(old, new):
            aws("stepfunctions", "untag_resource", resourceArn=identity, tagKeys=gone)
        if new.get("tags"):
            aws("stepfunctions", "tag_resource", resourceArn=identity, tags=_tags(new))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("stepfunctions", "delete_state_machine", stateMachineArn=identity)


def _content(new: Props) -> dict[str, Any]:
    wanted: dict[str, Any] = {"definition": new["definition"], "roleArn": new["roleArn"]}
    if log := new.get("loggingConfiguration"):
        only(log, ("level", "includeExecutionData", "logDestination"), "loggingConfiguration")
        group = {"cloudWatchLogsLogGroup": {"logGroupArn": log.get("logDestination")}}
        wanted["loggingConfiguration"] = {
            "level": log.get("level", "OFF"),
            "includeExecutionData": log.get("includeExecutionData", False),
            **({"destinations": [group]} if log.get("logDestination") else {}),
        }
    if tracing := new.get("tracingConfiguration"):
        only(tracing, ("enabled",), "tracingConfiguration")
        wanted["tracingConfiguration"] = tracing
    return wanted


def _tags(new: Props) -> list[dict[str, str]]:
    given: dict[str, str] = new.get("tags") or {}
    return [{"key": key, "value": value} for key, value in given.items()]
