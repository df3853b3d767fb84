"""The DynamoDB tables for orders, users and products, and the S3 bucket for analytics records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

from components.aws.iam import deny_insecure_transport
from components.aws.monitored import MonitoredTable
from components.aws.naming import Naming
from components.aws.owner import Owner
from contracts.orders import LATE_SHARD

ORDERS_BY_USER_INDEX = "by-user"
CATALOG_INDEX = "catalog"
LATE_ORDERS_INDEX = "late"
_COMPONENT = "data"
_DAYS_OF_EARLIER_VERSIONS = 7


@dataclass(frozen=True, kw_only=True)
class DataTierArgs:
    """How long the stack keeps data, and how it protects data against deletion."""

    naming: Naming
    """Names and tags of the stack."""
    account_id: pulumi.Input[str]
    """AWS account id, part of the bucket name because all accounts share one namespace of bucket names."""
    point_in_time_recovery: bool
    """Enable point-in-time recovery: continuous backups of the tables for the last 35 days."""
    deletion_protection: bool
    """Make AWS refuse to delete the tables."""
    force_destroy: bool
    """Let `pulumi destroy` delete the bucket even if it holds objects."""
    analytics_retention_days: int
    """Number of days after which S3 deletes an analytics record."""


class DataTier(pulumi.ComponentResource):
    """Four encrypted DynamoDB tables with on-demand capacity, and the analytics bucket."""

    users: aws.dynamodb.Table
    """Table of user profiles. The key is user_id."""
    orders: aws.dynamodb.Table
    """Table of orders. The key is order_id. The table has a stream, and the indexes `by-user` and `late`."""
    inventory: aws.dynamodb.Table
    """Table of products and their stock. The key is product_id. The table has the index `catalog`."""
    idempotency: aws.dynamodb.Table
    """Table that records for which events an email was sent. Its rows expire."""
    analytics_bucket: aws.s3.Bucket
    """S3 bucket of the analytics records, with one object per event."""
    monitored_tables: Mapping[str, MonitoredTable]
    """All tables, by their names without project and stack, for example `orders`."""

    def __init__(self, name: str, args: DataTierArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:DataTier", name, None, opts)
        self._name, self._args = name, args
        self._owner = Owner(naming=args.naming, component=_COMPONENT, parent=self)
        tables: dict[str, MonitoredTable] = {}
        self.monitored_tables = self._tables = tables
        self.users = self._make_table("users", keys=["user_id"])
        self.orders = self._make_table(
            "orders",
            keys=["order_id"],
            attributes=["order_id", "user_id", "created_at", LATE_SHARD],
            indexes=[
                _index(ORDERS_BY_USER_INDEX, ["user_id", "created_at"], projection="ALL"),
                # Only late orders have the attribute LATE_SHARD. DynamoDB leaves all other orders out of the index, so
                # they cause no cost there.
                _index(LATE_ORDERS_INDEX, [LATE_SHARD, "created_at"], projection="KEYS_ONLY"),
            ],
            stream=True,
        )
        self.inventory = self._make_table(
            "inventory",
            keys=["product_id"],
            attributes=["product_id", "catalog_id"],
            # The index contains only keys. A sale changes only a product's stock, so it does not write to the index.
            # All products are in one partition of the index. If sales wrote to the index, the partition's write limit
            # would limit the sales of all products together.
            indexes=[_index(CATALOG_INDEX, ["catalog_id", "product_id"], projection="KEYS_ONLY")],
        )
        self.idempotency = self._make_table("idempotency", keys=["id"], expires_by="expiration")
        self.analytics_bucket = self._make_bucket()
        self.register_outputs(
            {
                "ordersTable": self.orders.name,
                "usersTable": self.users.name,
                "inventoryTable": self.inventory.name,
                "analyticsBucket": self.analytics_bucket.bucket,
            }
        )

    def _make_table(
        self,
        role: str,
        *,
        keys: Sequence[str],
        attributes: Sequence[str] = (),
        indexes: Sequence[Any] = (),
        stream: bool = False,
        expires_by: str = "",
    ) -> aws.dynamodb.Table:
        args = self._args
        made = aws.dynamodb.Table(
            f"{self._name}-{role}",
            name=self._owner.name(role, kind="table"),
            billing_mode="PAY_PER_REQUEST",
            hash_key=keys[0],
            attributes=[{"name": attribute, "type": "S"} for attribute in attributes or keys],
            global_secondary_indexes=list(indexes) or None,
            stream_enabled=stream or None,
            # The outbox relay compares a row's old status with its new status, so each stream record must contain both
            # images.
            stream_view_type="NEW_AND_OLD_IMAGES" if stream else None,
            server_side_encryption={"enabled": True},
            point_in_time_recovery={"enabled": args.point_in_time_recovery},
            deletion_protection_enabled=args.deletion_protection,
            ttl={"attribute_name": expires_by, "enabled": True} if expires_by else None,
            tags=self._owner.tags(),
            opts=self._owner.opts(),
        )
        self._tables[role] = MonitoredTable(table_name=made.name, indexes=[str(index["name"]) for index in indexes])
        return made

    def _make_bucket(self) -> aws.s3.Bucket:
        args, child = self._args, self._owner.opts()
        name = f"{self._name}-analytics"
        bucket = aws.s3.Bucket(
            name,
            bucket=pulumi.Output.concat(self._owner.name("analytics"), "-", args.account_id),
            force_destroy=args.force_destroy,
            tags=self._owner.tags(),
            opts=child,
        )
        aws.s3.BucketPublicAccessBlock(
            f"{name}-private",
            bucket=bucket.bucket,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        aws.s3.BucketServerSideEncryptionConfiguration(
            f"{name}-encryption",
            bucket=bucket.bucket,
            # Without a key id, S3 uses the AWS managed key. Only users and roles of this account that may read the
            # bucket can use this key. The bucket key saves costs: S3 calls KMS once for many objects.
            rules=[
                {"apply_server_side_encryption_by_default": {"sse_algorithm": "aws:kms"}, "bucket_key_enabled": True}
            ],
            opts=child,
        )
        versioning = aws.s3.BucketVersioning(
            f"{name}-versions",
            bucket=bucket.bucket,
            versioning_configuration={"status": "Enabled"},
            opts=child,
        )
        aws.s3.BucketNotification(
            f"{name}-changes",
            bucket=bucket.bucket,
            # S3 sends an event about each changed object to the account's default bus, where consumers can add rules
            # for these events. AWS charges nothing for events without a matching rule.
            eventbridge=True,
            opts=child,
        )
        aws.s3.BucketLifecycleConfiguration(
            f"{name}-lifecycle",
            bucket=bucket.bucket,
            rules=[
                {
                    "id": "expire",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"days": args.analytics_retention_days},
                    # S3 keeps the noncurrent versions of expired, deleted and overwritten objects for this number of
                    # days.
                    "noncurrent_version_expiration": {"noncurrent_days": _DAYS_OF_EARLIER_VERSIONS},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 7},
                },
                {
                    # This rule removes delete markers that have no versions left. It is a separate rule, because S3
                    # does not allow expired_object_delete_marker in a rule that also expires objects after some days.
                    "id": "deletion-marks",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "expiration": {"expired_object_delete_marker": True},
                },
            ],
            # S3 accepts a rule for noncurrent versions only in a bucket with versioning, so versioning must be enabled
            # first.
            opts=self._owner.opts(depends_on=[versioning]),
        )
        policy = {
            "Version": "2012-10-17",
            "Statement": [
                deny_insecure_transport("s3:*", bucket.arn, pulumi.Output.concat(bucket.arn, "/*")),
            ],
        }
        aws.s3.BucketPolicy(f"{name}-policy", bucket=bucket.bucket, policy=pulumi.Output.json_dumps(policy), opts=child)
        return bucket


def _index(name: str, keys: Sequence[str], *, projection: str) -> dict[str, Any]:
    types = ("HASH", "RANGE")
    return {
        "name": name,
        "projection_type": projection,
        "key_schemas": [
            {"attribute_name": key, "key_type": key_type} for key, key_type in zip(keys, types, strict=True)
        ],
    }
