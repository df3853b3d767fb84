"""Adapters that deploy WAF v2 resources to the emulator. The emulator stores the rules but blocks no request."""

from __future__ import annotations

from typing import Any, Final

from local.adapters.base import Adapter, Made, Props, Put, adapts, pascal, tag_list
from local.aws import Aws

# `pascal` changes only the first letter of Pulumi's names. In the names below, AWS also writes another letter in upper
# case, and `_renamed` corrects them.
_NAMES: Final = {
    "CloudwatchMetricsEnabled": "CloudWatchMetricsEnabled",
}


@adapts("aws:wafv2/webAcl:WebAcl")
class WebAcl(Adapter):
    """A web ACL: rules that allow or block requests."""

    applies = frozenset({"name", "scope", "defaultAction", "description", "rules", "tags", "visibilityConfig"})
    replaced_by = frozenset({"name", "scope"})

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws("wafv2", "create_web_acl", Tags=tag_list(new.get("tags")) or None, **_content(new))["Summary"]
        return Made(made["Id"], {"arn": made["ARN"]})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del old
        place = {"Id": identity, "Name": new["name"], "Scope": new["scope"]}
        token = aws("wafv2", "get_web_acl", **place)["LockToken"]
        aws("wafv2", "update_web_acl", Id=identity, LockToken=token, **_content(new))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        place = {"Id": identity, "Name": old["name"], "Scope": old["scope"]}
        aws("wafv2", "delete_web_acl", LockToken=aws("wafv2", "get_web_acl", **place)["LockToken"], **place)


@adapts("aws:wafv2/webAclAssociation:WebAclAssociation")
class WebAclAssociation(Adapter):
    """The association of a web ACL with the resource that it protects."""

    applies = frozenset({"resourceArn", "webAclArn"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("wafv2", "associate_web_acl", WebACLArn=new["webAclArn"], ResourceArn=new["resourceArn"])
        return Made(f"{new['webAclArn']},{new['resourceArn']}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("wafv2", "disassociate_web_acl", ResourceArn=old["resourceArn"])


@adapts("aws:wafv2/webAclLoggingConfiguration:WebAclLoggingConfiguration")
class WebAclLogging(Put):
    """The log destination of a web ACL.

    The emulator does not support PutLoggingConfiguration, so the adapter only validates the parameters.
    """

    applies = frozenset({"resourceArn", "logDestinationConfigs", "loggingFilter", "redactedFields"})
    replaced_by = frozenset({"resourceArn"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws.check("wafv2", "PutLoggingConfiguration", LoggingConfiguration=_renamed(pascal(new)))
        return Made(new["resourceArn"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        pass


def _content(new: Props) -> dict[str, Any]:
    return _renamed(pascal({key: value for key, value in new.items() if key != "tags"}))


def _renamed(value: Any) -> Any:
    if isinstance(value, dict):
        return {_NAMES.get(key, key): _renamed(item) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType, reportUnknownMemberType]
    if isinstance(value, list):
        return [_renamed(item) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
