"""The stack of a pull request: `pr-12` for pull request 12, with the settings of Pulumi.pr.yaml.

    python -m operations.pull_request_stack prepare 12    writes Pulumi.pr-12.yaml and creates the stack
    python -m operations.pull_request_stack outputs 12    prints the stack's outputs for frontends
    python -m operations.pull_request_stack remove 12     deletes the stack's resources, then the stack

`outputs` and `remove` also write a text to .build/pull-request-comment.md. The GitHub workflow posts this text as a
comment on the pull request.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from cli import endings, questions
from cli.errors import naming
from operations import destroy, pending, pulumi_cli, recover, stack_outputs
from operations.pulumi_cli import NoSuchStackError
from operations.stack_outputs import ERROR_LOG, TEMPLATE, OperationError

# Maximum number of digits in a pull request's number, which is part of the stack name and of all physical names. With
# more digits, some physical names would be longer than AWS allows.
_MOST_DIGITS: Final = 7


def name(number: int) -> str:
    """Return the name of the stack of pull request `number`."""
    return f"{TEMPLATE}-{number}"


def prepare(number: int) -> int:
    """Copy Pulumi.pr.yaml to the stack file of pull request `number`. Create the stack if it does not exist."""
    stack = name(number)
    template = stack_outputs.stack_file(TEMPLATE)
    path = stack_outputs.stack_file(stack)
    # Write the file even if it exists, so that changes to the template reach existing stacks.
    _copy(template, path)
    try:
        pulumi_cli.run(stack, "config", "--json")
    except NoSuchStackError:
        pulumi_cli.run(stack, "stack", "init", "--no-select")
        _print(f"stack {stack} is created, with the settings of {template.name}")
    return 0


def remove(number: int) -> int:
    """Delete the stack of pull request `number` with its resources. Return 1 if the stack still exists, otherwise 0.

    An interrupted update may have left a lock or pending creations, which `pulumi destroy` cannot handle. The function
    therefore recovers the stack first.
    """
    code = _removed(name(number))
    if not code:
        _comment(number, f"**Stack `{name(number)}`** is removed, because the pull request is closed.")
    return code


def _removed(stack: str) -> int:
    try:
        state = pulumi_cli.exported(stack)
    except NoSuchStackError:
        _print(f"stack {stack} does not exist; nothing to remove")
        return 0
    if (pulumi_cli.resources(state) or pending.operations(state)) and not recover.recover(stack, {}):
        return 1
    _print("\n".join(destroy.plan(stack)))
    if not questions.confirmed("This cannot be undone.", stack):
        _print("nothing was deleted")
        return 1
    _print("deleting the stack, which takes a few minutes")
    # `pulumi destroy` reads the stack's configuration from the stack file. If the file is missing, copy the template.
    path = stack_outputs.stack_file(stack)
    if not path.exists():
        _copy(stack_outputs.stack_file(TEMPLATE), path)
    silent = ("--yes", "--skip-preview", "--suppress-outputs", "--suppress-progress")
    pulumi_cli.run(stack, "destroy", "--remove", *silent, changes=True)
    path.unlink(missing_ok=True)
    _print(f"stack {stack} is removed")
    return 0


def outputs(number: int) -> int:
    """Print the stack outputs that a frontend of pull request `number` needs.

    Also write the outputs to .build/pull-request-comment.md.
    """
    stack = name(number)
    text = json.dumps(stack_outputs.read(stack)["frontend"], indent=2, sort_keys=True)
    _print(text)
    _comment(
        number,
        f"**Stack `{stack}`** runs this pull request. Its outputs for frontends:\n\n```json\n{text}\n```\n\n"
        "Closing the pull request deletes the stack with its data.",
    )
    return 0


def _comment(number: int, text: str) -> None:
    """Write `text` to .build/pull-request-comment.md, below an HTML comment that GitHub does not show.

    The GitHub workflow searches for the HTML comment to find the text that it posted before.
    """
    path = stack_outputs.ROOT / ".build" / "pull-request-comment.md"
    with naming(path):
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"<!-- stack {name(number)} -->\n{text}\n", encoding="utf-8")


def _copy(source: Path, target: Path) -> None:
    with naming(target):
        target.write_bytes(source.read_bytes())


def _print(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS and int(text)):
        raise argparse.ArgumentTypeError(f"PR: got {text!r}; allowed: the number of a pull request, for example PR=12")
    return int(text)


_COMMANDS: Final[Mapping[str, Callable[[int], int]]] = {
    "prepare": prepare,
    "outputs": outputs,
    "remove": remove,
}


def main(arguments: list[str]) -> int:
    """Run the command that `arguments` select. Return 0 if the command succeeded, else 1."""
    parser = argparse.ArgumentParser(prog="pull_request_stack", description=__doc__)
    parser.add_argument("command", choices=tuple(_COMMANDS))
    parser.add_argument("number", metavar="PR", type=_number)
    given = parser.parse_args(arguments)
    command = _COMMANDS[given.command]
    return endings.run(lambda: command(given.number), ERROR_LOG, known=(OperationError,), prefix="pull request stack")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
