"""Adapters that deploy KMS keys to the emulator."""

from __future__ import annotations

from local.adapters.base import Adapter, Made, Props, adapts, pick
from local.aws import Aws


@adapts("aws:kms/key:Key")
class Key(Adapter):
    """A customer managed KMS key. The emulator stores the key but encrypts nothing with it."""

    applies = frozenset({"description", "enableKeyRotation", "policy", "tags"})
    # AWS deletes a key only after a waiting period (deletionWindowInDays). The period has no effect here, because `make
    # down` deletes all data of the instance immediately.
    leaves = frozenset({"deletionWindowInDays"})
    named_by_aws = True

    def create(self, aws: Aws, new: Props) -> Made:
        given: dict[str, str] = new.get("tags") or {}
        tags = [{"TagKey": key, "TagValue": value} for key, value in given.items()]
        made = aws("kms", "create_key", Tags=tags, **pick(new, description="Description", policy="Policy"))
        metadata = made["KeyMetadata"]
        if new.get("enableKeyRotation"):
            aws("kms", "enable_key_rotation", KeyId=metadata["KeyId"])
        return Made(metadata["KeyId"], {"arn": metadata["Arn"], "keyId": metadata["KeyId"]})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("kms", "schedule_key_deletion", KeyId=identity, PendingWindowInDays=7)


@adapts("aws:kms/alias:Alias")
class Alias(Adapter):
    """An alias of a KMS key."""

    applies = frozenset({"name", "targetKeyId"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("kms", "create_alias", AliasName=new["name"], TargetKeyId=new["targetKeyId"])
        return Made(new["name"], {"arn": aws.arn("kms", new["name"]), "targetKeyArn": new["targetKeyId"]})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("kms", "delete_alias", AliasName=identity)
