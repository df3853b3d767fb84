"""`python -m operations.destroy STACK`: reports what `pulumi destroy` will delete and what stays.

At a terminal, it asks for confirmation. It deletes nothing itself. Exit code 0: `pulumi destroy` may run; 1: it must
not run, and the output says why.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any, Final

from cli import endings, questions
from operations import pending, pulumi_cli
from operations.pulumi_cli import name_of
from operations.stack_outputs import ERROR_LOG, OperationError

_KEY: Final = "aws:kms/key:Key"
_BUCKET: Final = "aws:s3/bucket:Bucket"
_MOST_NAMES: Final = 6
# KMS deletes a key 30 days after ScheduleKeyDeletion, unless the key has another `deletionWindowInDays`.
_DEFAULT_WAIT_DAYS: Final = 30


def plan(stack: str) -> list[str]:
    """Return what `pulumi destroy` would delete from `stack` and what would stay, one line each.

    Raises OperationError if resources are protected or if an earlier update was interrupted.
    """
    state = pulumi_cli.exported(stack)
    if pending.operations(state):
        raise OperationError(f"stack {stack}: its last update was interrupted; run `make recover STACK={stack}` first")
    owned = [each for each in pulumi_cli.resources(state) if each.get("custom") and each["type"].startswith("aws:")]
    if protected := [each for each in owned if each.get("protect")]:
        raise OperationError(_protected(stack, owned, protected))
    stays = [each for each in owned if each.get("retainOnDelete")]
    goes = [each for each in owned if not each.get("retainOnDelete")]
    return [
        f"stack {stack}: {len(goes)} of {len(owned)} resources will be deleted",
        *_by_type(goes),
        *_staying(stack, goes, stays),
    ]


def _by_type(goes: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return a line for each type of resource with the number and the names of its resources."""
    names: dict[str, list[str]] = {}
    for each in goes:
        names.setdefault(each["type"].rsplit(":", 1)[-1], []).append(name_of(each))
    return [f"  {len(found)} {kind}: {_listed(sorted(found))}" for kind, found in sorted(names.items())]


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return ", ".join(names[:_MOST_NAMES]) + more


def _staying(stack: str, goes: Iterable[Mapping[str, Any]], stays: list[dict[str, Any]]) -> list[str]:
    lines = [
        f"stays on AWS: {each['type']} {name_of(each)} ({each['id']}), which other stacks may use" for each in stays
    ]
    for key in goes:
        if key["type"] == _KEY:
            days = int(key["inputs"].get("deletionWindowInDays") or _DEFAULT_WAIT_DAYS)
            undo = f"aws kms cancel-key-deletion --key-id {key['id']}"
            lines.append(f"stays for {days} days: KMS key {name_of(key)}; in this time, `{undo}` cancels its deletion")
    lines += [
        "stays on AWS: log group /aws/apigateway/welcome, which API Gateway creates for the account",
        f"stays in Pulumi: the empty stack with its history; `pulumi stack rm {stack} --preserve-config` removes it",
    ]
    return lines


def _protected(stack: str, owned: Iterable[Mapping[str, Any]], protected: list[dict[str, Any]]) -> str:
    names = ", ".join(sorted(name_of(each) for each in protected))
    full = any(each["type"] == _BUCKET and not each["inputs"].get("forceDestroy") for each in owned)
    force = " and `forceDestroy: true`, so that the bucket is deleted with its objects" if full else ""
    return (
        f"stack {stack}: {len(protected)} resource(s) are protected: {names}; nothing was deleted; to delete them too, "
        f"set `deletionProtection: false`{force} under orders:data in the stack file, run `make deploy STACK={stack}`, "
        f"then `make destroy STACK={stack}`"
    )


def main(arguments: list[str]) -> int:
    """Print the plan and ask for confirmation. Return 0 if `pulumi destroy` may run, 1 if not, 2 for bad arguments."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m operations.destroy STACK\n")
        return 2
    return endings.run(lambda: _command(arguments[0]), ERROR_LOG, known=(OperationError,), prefix="destroy")


def _command(stack: str) -> int:
    sys.stdout.write("\n".join(plan(stack)) + "\n")
    if questions.confirmed("This cannot be undone.", stack):
        return 0
    sys.stdout.write("nothing was deleted\n")
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
