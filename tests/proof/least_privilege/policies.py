"""Reads the policies of a deployed stack, and temporarily removes one permission or one value of a condition."""

from __future__ import annotations

import json
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, Protocol

from local.aws import Aws, CallError
from tests.journeys.stack import Stack
from tests.proof.least_privilege.grants import Grant, many, of_statement, plain, plain_grant

Document = dict[str, Any]
NOBODY: Final = "nobody"
"""A value that no request has, for conditions."""


class Policy(Protocol):
    """The policy of one role, function, queue, topic or key."""

    def read(self) -> Document: ...

    def write(self, document: Document) -> None: ...


@dataclass(frozen=True)
class RolePolicy:
    """The policy that grants a role its permissions."""

    aws: Aws
    role: str
    name: str

    def read(self) -> Document:
        return self.aws("iam", "get_role_policy", RoleName=self.role, PolicyName=self.name)["PolicyDocument"]

    def write(self, document: Document) -> None:
        named = {"RoleName": self.role, "PolicyName": self.name}
        if document["Statement"]:
            self.aws("iam", "put_role_policy", **named, PolicyDocument=json.dumps(document))
        else:
            self.aws("iam", "delete_role_policy", **named)


@dataclass(frozen=True)
class Trust:
    """The trust policy of a role, which says who may assume the role."""

    aws: Aws
    role: str

    def read(self) -> Document:
        return self.aws("iam", "get_role", RoleName=self.role)["Role"]["AssumeRolePolicyDocument"]

    def write(self, document: Document) -> None:
        self.aws("iam", "update_assume_role_policy", RoleName=self.role, PolicyDocument=json.dumps(document))


@dataclass(frozen=True)
class FunctionPolicy:
    """The resource policy of a function's alias. Lambda's API adds and removes its statements one by one."""

    aws: Aws
    function: str
    alias: str

    def read(self) -> Document:
        try:
            return json.loads(self._call("get_policy")["Policy"])
        except CallError as error:
            if error.gone:
                return {"Version": "2012-10-17", "Statement": []}
            raise

    def write(self, document: Document) -> None:
        before = {statement["Sid"]: statement for statement in self.read()["Statement"]}
        after = {statement["Sid"]: statement for statement in document["Statement"]}
        for sid in [sid for sid, statement in before.items() if after.get(sid) != statement]:
            self._call("remove_permission", StatementId=sid)
        for sid in [sid for sid, statement in after.items() if before.get(sid) != statement]:
            (source,) = many(after[sid]["Condition"]["ArnLike"]["AWS:SourceArn"])
            self._call(
                "add_permission",
                StatementId=sid,
                Action=after[sid]["Action"],
                Principal=after[sid]["Principal"]["Service"],
                SourceArn=source,
            )

    def _call(self, operation: str, **parameters: Any) -> dict[str, Any]:
        return self.aws("lambda", operation, FunctionName=self.function, Qualifier=self.alias, **parameters)


@dataclass(frozen=True)
class QueuePolicy:
    """The policy of a queue, which says who may send messages to it."""

    aws: Aws
    url: str

    def read(self) -> Document:
        found = self.aws("sqs", "get_queue_attributes", QueueUrl=self.url, AttributeNames=["Policy"])
        return json.loads(found["Attributes"]["Policy"])

    def write(self, document: Document) -> None:
        self.aws("sqs", "set_queue_attributes", QueueUrl=self.url, Attributes={"Policy": json.dumps(document)})


@dataclass(frozen=True)
class Deployed:
    """A permission of a deployed stack, with the policy and the statement that grant it."""

    grant: Grant
    """The permission, with shortened names that are the same in every stack."""
    policy: Policy
    statement: Mapping[str, Any]
    """The statement of the policy that grants the permission."""
    action: str
    resource: str

    @contextmanager
    def removed(self) -> Generator[None]:
        """Remove this action on this resource, and nothing else, until the context ends."""
        with self._changed(self._without):
            yield

    @contextmanager
    def altered(self, key: str, value: str) -> Generator[None]:
        """Remove one value from the condition on `key` (lower case) until the context ends."""

        def change(statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
            conditions: dict[str, dict[str, Any]] = {
                operator: {
                    name: ([each for each in many(values) if each != value] or [NOBODY])
                    if name.lower() == key
                    else values
                    for name, values in keys.items()
                }
                for operator, keys in statement["Condition"].items()
            }
            assert conditions != statement["Condition"], f"{self.grant}: no condition has the value {value}"
            yield {**statement, "Condition": conditions}

        with self._changed(change):
            yield

    def values(self) -> Iterator[tuple[str, str]]:
        """Yield (key in lower case, value) for each value of each condition, as deployed."""
        for keys in self.statement.get("Condition", {}).values():
            yield from ((key.lower(), value) for key, values in keys.items() for value in many(values))

    @contextmanager
    def _changed(self, change: Callable[[Mapping[str, Any]], Iterator[Mapping[str, Any]]]) -> Generator[None]:
        before = self.policy.read()
        # Find the statement by its content, because Lambda does not preserve the order of statements.
        assert self.statement in before["Statement"], f"{self.grant}: the policy no longer has its statement"
        statements: list[Mapping[str, Any]] = []
        for statement in before["Statement"]:
            statements += change(statement) if statement == self.statement else [statement]
        self.policy.write({**before, "Statement": statements})
        try:
            yield
        finally:
            self.policy.write(before)

    def _without(self, statement: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
        """Yield a statement for each pair of action and resource in `statement`, but none for this permission."""
        if isinstance(self.policy, Trust):
            # A trust policy must have a principal, so replace the principal with a service that never assumes the role.
            yield {**statement, "Principal": {"Service": f"{NOBODY}.amazonaws.com"}}
            return
        for action in many(statement["Action"]):
            for resource in many(statement["Resource"]):
                if (action, resource) != (self.action, self.resource):
                    yield {**statement, "Action": action, "Resource": resource}


def of_stack(stack: Stack) -> list[Deployed]:
    """Return every permission that the roles, functions and queues of a deployed stack grant."""
    return [found for policy in _policies(stack) for found in _of_policy(stack, *policy)]


def _policies(stack: Stack) -> Iterator[tuple[str, str, Policy]]:
    """Yield (name, holder, policy) for each policy of the stack.

    The holder is the principal or resource that the policy's statements omit, or an empty string.
    """
    aws, prefix = stack.aws, f"orders-{stack.frontend['stage']}-"
    for role in aws("iam", "list_roles")["Roles"]:
        name = role["RoleName"]
        if name.startswith(prefix):
            yield f"trust {name}", role["Arn"], Trust(aws, name)
            assert not aws("iam", "list_attached_role_policies", RoleName=name)["AttachedPolicies"]
            for policy in aws("iam", "list_role_policies", RoleName=name)["PolicyNames"]:
                yield f"role {name}", name, RolePolicy(aws, name, policy)
    for arn in stack.ops["functions"].values():
        function, alias = arn.split(":")[-2:]
        yield f"function {function}:{alias}", "", FunctionPolicy(aws, function, alias)
    for url in aws("sqs", "list_queues", QueueNamePrefix=prefix)["QueueUrls"]:
        yield f"queue {url.rpartition('/')[2]}", "", QueuePolicy(aws, url)


def _of_policy(stack: Stack, name: str, holder: str, policy: Policy) -> Iterator[Deployed]:
    def cut(text: str) -> str:
        return plain(text, stack.frontend["stage"], stack.aws.account)

    for statement in policy.read()["Statement"]:
        for grant in of_statement(name, holder, statement):
            yield Deployed(
                grant=plain_grant(grant, cut),
                policy=policy,
                statement=statement,
                action=grant.action,
                resource=grant.resource,
            )
