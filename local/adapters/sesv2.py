"""Adapter that deploys SES email identities to the emulator."""

from __future__ import annotations

from local.adapters.base import Adapter, Made, Props, adapts, tag_list
from local.aws import Aws


@adapts("aws:sesv2/emailIdentity:EmailIdentity")
class EmailIdentity(Adapter):
    """An email address or domain that sends email.

    The emulator treats the identity as verified immediately. On AWS, the owner of the identity must verify it first.
    """

    applies = frozenset({"emailIdentity", "configurationSetName", "tags"})
    replaced_by = frozenset({"emailIdentity"})

    def create(self, aws: Aws, new: Props) -> Made:
        name = new["emailIdentity"]
        aws(
            "sesv2",
            "create_email_identity",
            EmailIdentity=name,
            ConfigurationSetName=new.get("configurationSetName"),
            Tags=tag_list(new.get("tags")),
        )
        return Made(name, {"arn": aws.arn("ses", f"identity/{name}")})

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        aws("sesv2", "delete_email_identity", EmailIdentity=identity)
