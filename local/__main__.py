"""The command line `python -m local up|down|order|status|user`, which the Makefile calls."""

from __future__ import annotations

import argparse
import re
import sys
import time
from pathlib import Path
from typing import Final

from cli import endings
from local import BEGAN, emulator, environment, project
from local.aws import Aws, CallError
from local.errors import LocalError
from local.instance import DEFAULT_PORT, ROOT, Instance, alone, instance, port_number
from local.order import order, running_outputs
from local.progress import Progress
from local.seeds import create_user
from local.state import forget
from local.summary import summary
from local.up import up

_EMAIL: Final = re.compile(r"[^\s@]+@[^\s@]+")


def main() -> int:
    """Run one command, and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m local", description=__doc__)
    commands = {"up": _up, "down": _down, "order": _order, "status": _status, "user": _user}
    parser.add_argument("command", choices=commands)
    parser.add_argument("--port", type=port_number, default=DEFAULT_PORT, help="TCP port of the instance")
    parser.add_argument(
        "--home", type=Path, help="directory of the instance; default: .local, or .local/PORT with --port"
    )
    parser.add_argument("--owned", action="store_true", help="stop the emulator when this command's stdin is closed")
    parser.add_argument("--program", type=Path, default=ROOT, help="directory of the Pulumi project")
    parser.add_argument("--email", default="", help="email address of the user that `user` creates")
    parser.add_argument("--admin", action="store_true", help="let the user change the catalog and read all orders")
    arguments = parser.parse_args()
    where = instance(arguments.port, arguments.home)

    def command() -> int:
        with environment.isolated():
            return commands[arguments.command](where, arguments)

    return endings.run(command, where.home / "error.log", known=(LocalError, CallError))


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


def _user(where: Instance, given: argparse.Namespace) -> int:
    email: str = given.email
    if not _EMAIL.fullmatch(email):
        raise LocalError(
            f"EMAIL: got {email!r}; allowed: an email address. Remedy: {where.command('user')} EMAIL=ann@example.com"
        )
    outputs = running_outputs(where)
    username, password = create_user(Aws(where, outputs["ops"]["region"]), outputs, email, admin=given.admin)
    sys.stdout.write(f"{username}  {password}\n")
    return 0


def _down(where: Instance, given: argparse.Namespace) -> int:
    del given
    with alone(where):
        was = emulator.find(where).state
        emulator.stop(where)
        forget(where)
    said = {
        "running": "Stopped the instance and deleted its data.",
        "died": "The emulator had already stopped unexpectedly. Deleted the instance's data.",
        "none": "Nothing is running.",
    }
    sys.stdout.write(f"{where.url}: {said[was]}\n")
    return 0


def _status(where: Instance, given: argparse.Namespace) -> int:
    del given
    found = emulator.find(where)
    said = {
        "running": f"running, process {found.record.get('pid')}, {len(found.processes) - 1} Lambda environments",
        "died": f"stopped unexpectedly, see {where.log}",
        "none": "nothing is running",
    }
    sys.stdout.write(f"{where.url}: {said[found.state]}\n")
    return 0 if found.state == "running" else 1


if __name__ == "__main__":
    sys.exit(main())
