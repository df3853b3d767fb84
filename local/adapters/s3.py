"""Adapters that deploy S3 buckets and their settings to the emulator."""

from __future__ import annotations

from typing import Any

from local.adapters.base import Adapter, Made, Props, Put, adapts, only, pascal, tag_list
from local.aws import Aws


@adapts("aws:s3/bucket:Bucket")
class Bucket(Adapter):
    """An S3 bucket. Its policy, encryption and other settings are separate resources."""

    applies = frozenset({"bucket", "tags"})
    # On AWS, forceDestroy allows the deletion of a bucket that contains objects. The property has no effect here,
    # because `delete` always empties the bucket first.
    leaves = frozenset({"forceDestroy"})
    replaced_by = frozenset({"bucket"})
    keeps_data = True

    def create(self, aws: Aws, new: Props) -> Made:
        name = new["bucket"]
        # CreateBucket refuses us-east-1 as a LocationConstraint, and uses this region if the parameter is missing.
        place = None if aws.region == "us-east-1" else {"LocationConstraint": aws.region}
        aws("s3", "create_bucket", Bucket=name, CreateBucketConfiguration=place)
        self._tag(aws, new)
        domain = f"{name}.s3.{aws.region}.amazonaws.com"
        return Made(
            name,
            {
                "arn": f"arn:aws:s3:::{name}",
                "bucketDomainName": f"{name}.s3.amazonaws.com",
                "bucketRegionalDomainName": domain,
                "bucketRegion": aws.region,
            },
        )

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        del identity, old
        self._tag(aws, new)
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        for page in aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=identity):
            versions = [*page.get("Versions", []), *page.get("DeleteMarkers", [])]
            keys = [{"Key": each["Key"], "VersionId": each["VersionId"]} for each in versions]
            if keys:
                aws("s3", "delete_objects", Bucket=identity, Delete={"Objects": keys})
        aws("s3", "delete_bucket", Bucket=identity)

    def _tag(self, aws: Aws, new: Props) -> None:
        if new.get("tags"):
            aws("s3", "put_bucket_tagging", Bucket=new["bucket"], Tagging={"TagSet": tag_list(new["tags"])})


class _OfBucket(Put):
    """Base class for adapters of bucket settings. A bucket has at most one setting of each kind."""

    replaced_by = frozenset({"bucket"})
    part = ""

    def create(self, aws: Aws, new: Props) -> Made:
        aws("s3", f"put_{self.part}", Bucket=new["bucket"], **self.content(new))
        return Made(new["bucket"])

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("s3", f"delete_{self.part}", Bucket=identity)

    def content(self, new: Props) -> dict[str, Any]:
        """Return the parameters of the S3 call that writes the setting. `create` adds the name of the bucket."""
        raise NotImplementedError


@adapts("aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock")
class PublicAccessBlock(_OfBucket):
    """The settings that block public access to a bucket."""

    applies = frozenset({"bucket", "blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets"})
    part = "public_access_block"

    def content(self, new: Props) -> dict[str, Any]:
        wanted = pascal({key: value for key, value in new.items() if key != "bucket"})
        return {"PublicAccessBlockConfiguration": wanted}


@adapts("aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration")
class Encryption(_OfBucket):
    """The default encryption of a bucket."""

    applies = frozenset({"bucket", "rules"})
    part = "bucket_encryption"

    def content(self, new: Props) -> dict[str, Any]:
        return {"ServerSideEncryptionConfiguration": {"Rules": [_encryption_rule(rule) for rule in new["rules"]]}}


@adapts("aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration")
class Lifecycle(_OfBucket):
    """The rules by which a bucket's objects expire."""

    applies = frozenset({"bucket", "rules"})
    part = "bucket_lifecycle_configuration"

    def content(self, new: Props) -> dict[str, Any]:
        rules = [{"ID" if key == "Id" else key: item for key, item in rule.items()} for rule in pascal(new["rules"])]
        return {"LifecycleConfiguration": {"Rules": rules}}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("s3", "delete_bucket_lifecycle", Bucket=identity)


@adapts("aws:s3/bucketPolicy:BucketPolicy")
class Policy(_OfBucket):
    """The policy that states who may use a bucket."""

    applies = frozenset({"bucket", "policy"})
    part = "bucket_policy"

    def content(self, new: Props) -> dict[str, Any]:
        return {"Policy": new["policy"]}


@adapts("aws:s3/bucketVersioning:BucketVersioning")
class Versioning(_OfBucket):
    """The versioning of a bucket, with which S3 stores earlier versions of the bucket's objects."""

    applies = frozenset({"bucket", "versioningConfiguration"})
    part = "bucket_versioning"

    def content(self, new: Props) -> dict[str, Any]:
        only(new["versioningConfiguration"], ("status",), "versioningConfiguration")
        return {"VersioningConfiguration": pascal(new["versioningConfiguration"])}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("s3", "put_bucket_versioning", Bucket=identity, VersioningConfiguration={"Status": "Suspended"})


@adapts("aws:s3/bucketNotification:BucketNotification")
class Notification(_OfBucket):
    """The setting with which S3 sends a bucket's events to EventBridge."""

    applies = frozenset({"bucket", "eventbridge"})
    part = "bucket_notification_configuration"

    def content(self, new: Props) -> dict[str, Any]:
        return {"NotificationConfiguration": {"EventBridgeConfiguration": {}} if new.get("eventbridge") else {}}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("s3", f"put_{self.part}", Bucket=identity, NotificationConfiguration={})


def _encryption_rule(rule: Props) -> dict[str, Any]:
    only(rule, ("applyServerSideEncryptionByDefault", "bucketKeyEnabled"), "an encryption rule")
    default = rule["applyServerSideEncryptionByDefault"]
    only(default, ("sseAlgorithm", "kmsMasterKeyId"), "applyServerSideEncryptionByDefault")
    names = {"sseAlgorithm": "SSEAlgorithm", "kmsMasterKeyId": "KMSMasterKeyID"}
    wanted: dict[str, Any] = {
        "ApplyServerSideEncryptionByDefault": {names[key]: value for key, value in default.items()}
    }
    if "bucketKeyEnabled" in rule:
        wanted["BucketKeyEnabled"] = rule["bucketKeyEnabled"]
    return wanted
