"""The command line: `python -m local up|down|order|status`, which the Makefile calls."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from local import BEGAN, emulator, project
from local.aws import CallError
from local.errors import LocalError
from local.instance import DEFAULT_PORT, ROOT, Instance, alone, instance
from local.order import order
from local.progress import Progress
from local.state import forget
from local.summary import summary
from local.up import up

_LAST_PORT = 65_535


def main() -> int:
    """Run one command; returns its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = {"up": _up, "down": _down, "order": _order, "status": _status}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--port", type=_port, default=DEFAULT_PORT, help="TCP port of the instance")
    parser.add_argument("--home", type=Path, help="directory of the instance; default: .local or .local/PORT")
    parser.add_argument("--owned", action="store_true", help="end the emulator when this command's stdin is closed")
    parser.add_argument("--program", type=Path, default=ROOT, help="directory of the Pulumi project")
    arguments = parser.parse_args()
    try:
        return commands[arguments.command](instance(arguments.port, arguments.home), arguments)
    except (LocalError, CallError) as error:
        sys.stderr.write(f"error: {error}\n")
    return 1


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"PORT: got {text!r}; allowed: 1 to {_LAST_PORT}; the default is {DEFAULT_PORT}"
        )
    return int(text)


def _up(where: Instance, given: argparse.Namespace) -> int:
    progress = Progress()
    with alone(where):
        source = project.load(given.program.resolve())
        outputs = up(where, source, progress, owner=sys.stdin.fileno() if given.owned else None)
    progress.say(summary(where, outputs, time.monotonic() - BEGAN))
    return 0


def _order(where: Instance, given: argparse.Namespace) -> int:
    del given
    return order(where, Progress())


def _down(where: Instance, given: argparse.Namespace) -> int:
    del given
    with alone(where):
        was = emulator.find(where).state
        emulator.stop(where)
        forget(where)
    said = {
        "running": "Stopped, and its data deleted.",
        "died": "It had ended by itself; nothing is left of it.",
        "none": "Nothing is running.",
    }
    sys.stdout.write(f"{where.url}: {said[was]}\n")
    return 0


def _status(where: Instance, given: argparse.Namespace) -> int:
    del given
    found = emulator.find(where)
    said = {
        "running": f"running, process {found.record.get('pid')}, {len(found.processes) - 1} Lambda environments",
        "died": f"ended by itself, see {where.log}",
        "none": "nothing is running",
    }
    sys.stdout.write(f"{where.url}: {said[found.state]}\n")
    return 0 if found.state == "running" else 1


if __name__ == "__main__":
    sys.exit(main())
