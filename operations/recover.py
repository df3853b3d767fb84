"""`python -m operations.recover STACK [--ids NAME=ID ...]`: makes a stack usable after an update was killed.

It removes the update's lock. Then it handles the pending creations: resources that the update began to create. If AWS
has such a resource, the command adds the resource to Pulumi's state. Otherwise, it removes the pending creation from
the state. It deletes nothing on AWS. Exit code 0: the next `make deploy` can run; 1: the output says what is left to
do.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from typing import Any, Final

from cli import endings, questions
from operations import import_ids, pending, pulumi_cli
from operations.pulumi_cli import StackLockedError, name_of
from operations.stack_outputs import ERROR_LOG, OperationError

_NONE: Final = "none"
_SILENT: Final = ("--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress")


def recover(stack: str, given: Mapping[str, str]) -> bool:
    """Recover `stack`. Return True if `stack` is recovered, or False if the operator must act first.

    `given` maps the logical name of a resource to the id that AWS chose, or to "none" if AWS does not have the
    resource.
    """
    state = pulumi_cli.exported(stack)
    _report(state)
    if not _unlocked(stack, state):
        return False
    # The update that held the lock may have changed the state after the first export, so export the state again.
    state = pulumi_cli.exported(stack)
    creates = pending.creates(state)
    if unknown := set(given) - {name_of(resource) for resource in creates}:
        known = ", ".join(name_of(resource) for resource in creates) or "none"
        raise OperationError(f"IDS: got {', '.join(sorted(unknown))}; pending creations: {known}; correct the name")
    ids = _ids(state, creates, given)
    if undecided := [resource for resource in creates if resource["urn"] not in ids]:
        _explain(stack, undecided, given)
        return False
    if creates:
        text = json.dumps(pending.adopted(state, ids))
        pulumi_cli.run(stack, "stack", "import", text=text, changes=True)
    _print("reading all resources from AWS, which takes about a minute")
    pulumi_cli.run(stack, "refresh", "--clear-pending-creates", *_SILENT, changes=True)
    found = {resource["urn"] for resource in pulumi_cli.resources(pulumi_cli.exported(stack))}
    for resource in creates:
        has = "exists on AWS and is now in the state" if resource["urn"] in found else "does not exist on AWS"
        _print(f"{_title(resource)}: {has}")
    return True


def _command(stack: str, given: Mapping[str, str]) -> int:
    if not recover(stack, given):
        return 1
    _print(f"stack {stack} is recovered; complete the update: `make deploy STACK={stack}`")
    return 0


def _report(state: Mapping[str, Any]) -> None:
    operations = pending.operations(state)
    for kind, resource in operations:
        _print(f"pending: {kind} {_title(resource)}")
    if not operations:
        _print("pending: nothing")


def _unlocked(stack: str, state: Mapping[str, Any]) -> bool:
    """Return True if `stack` has no lock, or if the user let this function remove the lock. Otherwise, return False."""
    try:
        _take_lock(stack, state)
    except StackLockedError as error:
        _print(f"locked: {error}")
    else:
        _print("locked: no")
        return True
    question = "Has that update ended? If it still runs, removing its lock makes it fail, and can damage the state."
    if not questions.confirmed(question, stack):
        _print("nothing was changed")
        return False
    pulumi_cli.run(stack, "cancel", "--yes")
    _take_lock(stack, state)
    _print("the lock is removed")
    return True


def _take_lock(stack: str, state: Mapping[str, Any]) -> None:
    """Raise StackLockedError if `stack` is locked.

    To find out, refresh only the root resource. This refresh takes and releases the lock, but reads nothing from AWS.
    """
    roots = [resource["urn"] for resource in pulumi_cli.resources(state) if resource["type"] == "pulumi:pulumi:Stack"]
    target = [argument for urn in roots for argument in ("--target", urn)]
    pulumi_cli.run(stack, "refresh", *target, *_SILENT, changes=True)


def _ids(state: Mapping[str, Any], creates: list[dict[str, Any]], given: Mapping[str, str]) -> dict[str, str | None]:
    """Return the import ids of the pending creations `creates` as {URN: import id}.

    `given` is the same as in `recover`. An id is None if AWS does not have the resource. Leaves out resources whose id
    is unknown.
    """
    place = import_ids.place_of(json.dumps(state), _region(state))
    ids: dict[str, str | None] = {}
    for resource in creates:
        if found := import_ids.import_id(resource, place):
            ids[resource["urn"]] = found
    # Resources of different types can have the same name, so an id in `given` can be for several resources. If the ids
    # of some of these resources are unknown, the id in `given` is only for them. Otherwise, it replaces the known ids.
    needing = [resource for resource in creates if resource["urn"] not in ids]
    for name, chosen in given.items():
        named = [resource for resource in needing if name_of(resource) == name]
        for resource in named or [each for each in creates if name_of(each) == name]:
            ids[resource["urn"]] = None if chosen == _NONE else import_ids.import_id(resource, place, chosen)
    return ids


def _region(state: Mapping[str, Any]) -> str:
    providers = (each for each in pulumi_cli.resources(state) if each["type"] == "pulumi:providers:aws")
    return next((str(each["inputs"]["region"]) for each in providers if "region" in each.get("inputs", {})), "")


def _explain(stack: str, undecided: list[dict[str, Any]], given: Mapping[str, str]) -> None:
    _print("AWS chooses the ids of these resources, and the state lacks the ids; look on AWS for each resource:")
    for resource in undecided:
        command = import_ids.find_command(resource)
        _print(f"  {_title(resource)}: {command or 'look for it in the AWS console'}")
    known = [f"{name}={id_}" for name, id_ in given.items()]
    wanted = " ".join([*known, *(f"{name_of(resource)}=ID" for resource in undecided)])
    _print(
        f'run `make recover STACK={stack} IDS="{wanted}"`; replace each ID with the id on AWS, or with `{_NONE}` if '
        "AWS does not have the resource"
    )


def _title(resource: Mapping[str, Any]) -> str:
    return f"{resource['type']} {name_of(resource)}"


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _pair(text: str) -> tuple[str, str]:
    name, equals, id_ = text.partition("=")
    if not (name and equals and id_):
        raise argparse.ArgumentTypeError(f"got {text!r}; allowed: NAME=ID, or NAME={_NONE}")
    return name, id_


def main(arguments: list[str]) -> int:
    """Return 0 if the stack is recovered, else 1."""
    parser = argparse.ArgumentParser(prog="recover", description=__doc__)
    parser.add_argument("stack", metavar="STACK")
    parser.add_argument("--ids", metavar="NAME=ID", type=_pair, nargs="*", default=[], help="ids that AWS chose")
    given = parser.parse_args(arguments)
    return endings.run(
        lambda: _command(given.stack, dict(given.ids)), ERROR_LOG, known=(OperationError,), prefix="recover"
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
