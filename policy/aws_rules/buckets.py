"""Rules for Amazon S3."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from aws_rules.model import Resource, Stack, of_resource, of_stack
from aws_rules.policies import accounts, actions, for_everybody, open_to_everybody, refuses_plain_http, statements

BUCKET: Final = "aws:s3/bucket:Bucket"
ENCRYPTION: Final = "aws:s3/bucketServerSideEncryptionConfiguration:BucketServerSideEncryptionConfiguration"
LIFECYCLE: Final = "aws:s3/bucketLifecycleConfiguration:BucketLifecycleConfiguration"
NOTIFICATION: Final = "aws:s3/bucketNotification:BucketNotification"
POLICY: Final = "aws:s3/bucketPolicy:BucketPolicy"
PUBLIC_ACCESS: Final = "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock"
VERSIONING: Final = "aws:s3/bucketVersioning:BucketVersioning"
_CLOSED: Final = ("blockPublicAcls", "blockPublicPolicy", "ignorePublicAcls", "restrictPublicBuckets")


@of_stack(
    BUCKET,
    ids=("AwsSolutions-S2", "CKV2_AWS_6", "CKV_AWS_53", "CKV_AWS_54", "CKV_AWS_55", "CKV_AWS_56"),
)
def bucket_is_closed_to_the_public(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A bucket blocks all public access."""
    blocks = stack.made_from(bucket, PUBLIC_ACCESS, "bucket")
    if not any(all(block.at(key) for key in _CLOSED) for block in blocks):
        yield f"has no public access block with {', '.join(_CLOSED)}"


@of_resource(BUCKET, ids=("CKV_AWS_20", "CKV_AWS_57"))
def bucket_has_no_public_acl(bucket: Resource) -> Iterator[str]:
    """A bucket has no public ACL."""
    if (bucket.has("acl") and bucket.at("acl") != "private") or bucket.has("grants"):
        yield "remove acl and grants, and give access with a bucket policy"


@of_stack(BUCKET, ids=("AwsSolutions-S10", "CKV_AWS_379"))
def bucket_refuses_plain_http(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A bucket's policy denies requests without TLS."""
    arn = bucket.at("arn")
    policies = stack.made_from(bucket, POLICY, "bucket")
    if not any(refuses_plain_http(policy.at("policy"), "s3:*", arn, f"{arn}/*") for policy in policies):
        yield "has no policy that denies s3:* without aws:SecureTransport"


@of_stack(BUCKET, ids=("CKV_AWS_19", "CKV_AWS_145"))
def bucket_is_encrypted_with_kms(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A KMS key encrypts the objects of a bucket."""
    default = "applyServerSideEncryptionByDefault"
    for encryption in stack.made_from(bucket, ENCRYPTION, "bucket"):
        if all(str(rule[default]["sseAlgorithm"]).startswith("aws:kms") for rule in encryption.items("rules")):
            return
    yield "has no encryption configuration with aws:kms"


@of_stack(BUCKET, ids=("CKV_AWS_21",))
def bucket_keeps_versions(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A bucket has versioning, so S3 retains the former versions of overwritten and deleted objects."""
    versioning = stack.made_from(bucket, VERSIONING, "bucket")
    if not any(each.at("versioningConfiguration", "status") == "Enabled" for each in versioning):
        yield "has no versioning"


@of_stack(BUCKET, ids=("CKV2_AWS_62",))
def bucket_tells_of_its_changes(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A bucket sends notifications about its changes, for example to EventBridge."""
    if not stack.made_from(bucket, NOTIFICATION, "bucket"):
        yield "has no notification"


@of_stack(BUCKET, ids=("CKV2_AWS_61",))
def bucket_expires_objects(bucket: Resource, stack: Stack) -> Iterator[str]:
    """A bucket has a lifecycle configuration."""
    if not stack.made_from(bucket, LIFECYCLE, "bucket"):
        yield "has no lifecycle configuration"


@of_resource(LIFECYCLE, ids=("CKV_AWS_300",))
def bucket_drops_broken_uploads(lifecycle: Resource) -> Iterator[str]:
    """A bucket's lifecycle configuration deletes incomplete multipart uploads."""
    for rule in lifecycle.items("rules"):
        if rule.get("status") == "Enabled" and rule.get("abortIncompleteMultipartUpload"):
            return
    yield "has no lifecycle rule with abortIncompleteMultipartUpload"


@of_resource(POLICY, ids=("CKV_AWS_70",))
def bucket_admits_named_principals(policy: Resource) -> Iterator[str]:
    """A bucket's policy never grants permissions to everybody."""
    yield from open_to_everybody(policy.at("policy"))


@of_resource(POLICY, ids=("CKV_AWS_93",))
def bucket_locks_nobody_out(policy: Resource) -> Iterator[str]:
    """A bucket's policy never denies everybody the permission to change it. Only the root user could undo this."""
    for statement in statements(policy.at("policy")):
        denied = {"s3:*", "*", "s3:PutBucketPolicy", "s3:DeleteBucketPolicy"} & set(actions(statement))
        if statement.get("Effect") == "Deny" and denied and for_everybody(statement) and not statement.get("Condition"):
            yield f"denies {', '.join(sorted(denied))} to {', '.join(accounts(statement))} without a condition"


RULES: Final = (
    bucket_is_closed_to_the_public,
    bucket_has_no_public_acl,
    bucket_refuses_plain_http,
    bucket_is_encrypted_with_kms,
    bucket_keeps_versions,
    bucket_tells_of_its_changes,
    bucket_expires_objects,
    bucket_drops_broken_uploads,
    bucket_admits_named_principals,
    bucket_locks_nobody_out,
)
