"""Adapter that deploys DynamoDB tables to the emulator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local.adapters.base import Adapter, Made, Props, adapts, changed_tags, only, pascal, pick, tag_list
from local.aws import Aws


@adapts("aws:dynamodb/table:Table")
class Table(Adapter):
    """A DynamoDB table with its indexes, its stream and its backups."""

    applies = frozenset(
        {
            "name",
            "attributes",
            "billingMode",
            "deletionProtectionEnabled",
            "globalSecondaryIndexes",
            "hashKey",
            "pointInTimeRecovery",
            "rangeKey",
            "serverSideEncryption",
            "streamEnabled",
            "streamViewType",
            "tableClass",
            "tags",
            "ttl",
        }
    )
    replaced_by = frozenset({"name", "hashKey", "rangeKey"})
    keeps_data = True

    def create(self, aws: Aws, new: Props) -> Made:
        made = aws(
            "dynamodb",
            "create_table",
            TableName=new["name"],
            KeySchema=_key_schema(new),
            AttributeDefinitions=_attributes(new),
            BillingMode=new["billingMode"],
            GlobalSecondaryIndexes=[_index(index) for index in new.get("globalSecondaryIndexes", [])] or None,
            StreamSpecification=_stream(new),
            SSESpecification=_encryption(new),
            DeletionProtectionEnabled=new.get("deletionProtectionEnabled"),
            TableClass=new.get("tableClass"),
            Tags=tag_list(new.get("tags")),
        )["TableDescription"]
        if new.get("ttl"):
            _expire(aws, new)
        if new.get("pointInTimeRecovery"):
            _back_up(aws, new)
        return Made(new["name"], _outputs(made))

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        if old.get("globalSecondaryIndexes") != new.get("globalSecondaryIndexes"):
            self._update_indexes(aws, identity, old, new)
        changed = {
            key for key in ("billingMode", "deletionProtectionEnabled", "tableClass") if old.get(key) != new.get(key)
        }
        if changed:
            wanted = pick(
                {key: new.get(key) for key in changed},
                billingMode="BillingMode",
                deletionProtectionEnabled="DeletionProtectionEnabled",
                tableClass="TableClass",
            )
            aws("dynamodb", "update_table", TableName=identity, **wanted)
        if _stream(old) != _stream(new):
            if _stream(old):
                aws("dynamodb", "update_table", TableName=identity, StreamSpecification={"StreamEnabled": False})
            aws("dynamodb", "update_table", TableName=identity, StreamSpecification=_stream(new))
        if old.get("serverSideEncryption") != new.get("serverSideEncryption"):
            aws("dynamodb", "update_table", TableName=identity, SSESpecification=_encryption(new))
        if old.get("ttl") != new.get("ttl"):
            _expire(aws, new)
        if old.get("pointInTimeRecovery") != new.get("pointInTimeRecovery"):
            _back_up(aws, new)
        table = aws("dynamodb", "describe_table", TableName=identity)["Table"]
        _tag(aws, table["TableArn"], old, new)
        return _outputs(table)

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("dynamodb", "delete_table", TableName=identity)

    def _update_indexes(self, aws: Aws, identity: str, old: Props, new: Props) -> None:
        before = {index["name"]: index for index in old.get("globalSecondaryIndexes", [])}
        after = {index["name"]: index for index in new.get("globalSecondaryIndexes", [])}
        # UpdateTable can create or delete only one index per call, so one call deletes a changed index and another call
        # creates it again.
        for name in [name for name in before if before[name] != after.get(name)]:
            change = {"Delete": {"IndexName": name}}
            aws("dynamodb", "update_table", TableName=identity, GlobalSecondaryIndexUpdates=[change])
        for name in [name for name in after if after[name] != before.get(name)]:
            aws(
                "dynamodb",
                "update_table",
                TableName=identity,
                AttributeDefinitions=_attributes(new),
                GlobalSecondaryIndexUpdates=[{"Create": _index(after[name])}],
            )


def _outputs(table: dict[str, Any]) -> Props:
    return {
        "arn": table["TableArn"],
        "streamArn": table.get("LatestStreamArn", ""),
        "streamLabel": table.get("LatestStreamLabel", ""),
    }


def _key_schema(keys: Props) -> list[dict[str, str]]:
    if keys.get("keySchemas"):
        return pascal(keys["keySchemas"])
    pairs: Iterable[tuple[str, str]] = (("hashKey", "HASH"), ("rangeKey", "RANGE"))
    return [{"AttributeName": keys[key], "KeyType": kind} for key, kind in pairs if keys.get(key)]


def _attributes(new: Props) -> list[dict[str, str]]:
    return [{"AttributeName": each["name"], "AttributeType": each["type"]} for each in new["attributes"]]


def _index(index: Props) -> dict[str, Any]:
    only(index, ("name", "hashKey", "rangeKey", "keySchemas", "projectionType", "nonKeyAttributes"), "an index")
    projection = {"ProjectionType": index["projectionType"], **pick(index, nonKeyAttributes="NonKeyAttributes")}
    return {"IndexName": index["name"], "KeySchema": _key_schema(index), "Projection": projection}


def _stream(new: Props) -> dict[str, Any] | None:
    if not new.get("streamEnabled"):
        return None
    return {"StreamEnabled": True, "StreamViewType": new["streamViewType"]}


def _encryption(new: Props) -> dict[str, Any] | None:
    given = new.get("serverSideEncryption")
    if not given:
        return None
    only(given, ("enabled", "kmsKeyArn"), "serverSideEncryption")
    return {
        "Enabled": given["enabled"],
        **({"SSEType": "KMS"} if given["enabled"] else {}),
        **pick(given, kmsKeyArn="KMSMasterKeyId"),
    }


def _expire(aws: Aws, new: Props) -> None:
    wanted = pick(new.get("ttl") or {}, attributeName="AttributeName", enabled="Enabled")
    aws("dynamodb", "update_time_to_live", TableName=new["name"], TimeToLiveSpecification=wanted)


def _back_up(aws: Aws, new: Props) -> None:
    given = new.get("pointInTimeRecovery") or {"enabled": False}
    only(given, ("enabled",), "pointInTimeRecovery")
    wanted = {"PointInTimeRecoveryEnabled": given["enabled"]}
    aws("dynamodb", "update_continuous_backups", TableName=new["name"], PointInTimeRecoverySpecification=wanted)


def _tag(aws: Aws, arn: str, old: Props, new: Props) -> None:
    if gone := changed_tags(old, new):
        aws("dynamodb", "untag_resource", ResourceArn=arn, TagKeys=gone)
    if new.get("tags") and old.get("tags") != new.get("tags"):
        aws("dynamodb", "tag_resource", ResourceArn=arn, Tags=tag_list(new["tags"]))
