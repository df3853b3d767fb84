"""Adapters that deploy IAM roles and policies to the emulator."""

from __future__ import annotations

from local.adapters.base import Adapter, Made, Props, Put, adapts, changed_tags, tag_list
from local.aws import Aws


@adapts("aws:iam/role:Role")
class Role(Adapter):
    """An IAM role."""

    applies = frozenset({"name", "namePrefix", "assumeRolePolicy", "description", "maxSessionDuration", "path", "tags"})
    # On AWS, forceDetachPolicies removes the policies of a role before it deletes the role. The property has no effect
    # here, because `delete` always removes the policies first.
    leaves = frozenset({"forceDetachPolicies"})
    replaced_by = frozenset({"name", "namePrefix", "path"})

    def create(self, aws: Aws, new: Props) -> Made:
        # Use the prefix as the name. The AWS provider also appends a number, because several stacks can be in one
        # account. The emulator contains only one stack.
        name = new.get("name") or new["namePrefix"].removesuffix("-")
        role = aws(
            "iam",
            "create_role",
            RoleName=name,
            AssumeRolePolicyDocument=new["assumeRolePolicy"],
            Description=new.get("description"),
            MaxSessionDuration=new.get("maxSessionDuration"),
            Path=new.get("path"),
            Tags=tag_list(new.get("tags")),
        )["Role"]
        return Made(name, {"name": name, "arn": role["Arn"], "uniqueId": role["RoleId"]})

    def update(self, aws: Aws, identity: str, old: Props, new: Props) -> Props | None:
        aws("iam", "update_assume_role_policy", RoleName=identity, PolicyDocument=new["assumeRolePolicy"])
        if new.get("description") or new.get("maxSessionDuration"):
            aws(
                "iam",
                "update_role",
                RoleName=identity,
                Description=new.get("description"),
                MaxSessionDuration=new.get("maxSessionDuration"),
            )
        if gone := changed_tags(old, new):
            aws("iam", "untag_role", RoleName=identity, TagKeys=gone)
        if new.get("tags"):
            aws("iam", "tag_role", RoleName=identity, Tags=tag_list(new["tags"]))
        return {}

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del old
        for name in aws("iam", "list_role_policies", RoleName=identity)["PolicyNames"]:
            aws("iam", "delete_role_policy", RoleName=identity, PolicyName=name)
        for policy in aws("iam", "list_attached_role_policies", RoleName=identity)["AttachedPolicies"]:
            aws("iam", "detach_role_policy", RoleName=identity, PolicyArn=policy["PolicyArn"])
        aws("iam", "delete_role", RoleName=identity)


@adapts("aws:iam/rolePolicy:RolePolicy")
class RolePolicy(Put):
    """An inline policy of a role."""

    applies = frozenset({"name", "role", "policy"})
    replaced_by = frozenset({"name", "role"})

    def create(self, aws: Aws, new: Props) -> Made:
        aws("iam", "put_role_policy", RoleName=new["role"], PolicyName=new["name"], PolicyDocument=new["policy"])
        return Made(f"{new['role']}:{new['name']}")

    def delete(self, aws: Aws, identity: str, old: Props) -> None:
        del identity
        aws("iam", "delete_role_policy", RoleName=old["role"], PolicyName=old["name"])
