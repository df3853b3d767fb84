"""What a command costs: instructions, which repeat to 0.01 %, or user CPU time where valgrind is not."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Final, Protocol

Command = Sequence[str]
Said = Callable[[str], None]
"""Told of each command that was measured."""

HOW_TO_GET_VALGRIND: Final = "valgrind is not on this machine (apt-get install valgrind)"


class Measure(Protocol):
    """A way to measure."""

    name: str
    exact: bool
    """Whether it gives the same again, whatever else the machine does."""

    def __call__(
        self, commands: Mapping[str, Command], environment: Mapping[str, str], stdin: str, said: Said
    ) -> dict[str, float]:
        """Return the cost of each command, which must succeed. Raises RuntimeError if one does not."""
        ...


class Instructions:
    """Counts them with valgrind, a command on each processor."""

    name = "instructions (valgrind --tool=cachegrind --cache-sim=no)"
    exact = True

    def __call__(
        self, commands: Mapping[str, Command], environment: Mapping[str, str], stdin: str, said: Said
    ) -> dict[str, float]:
        options = ["--tool=cachegrind", "--cache-sim=no", "--cachegrind-out-file=/dev/null"]

        def count(name: str) -> float:
            errors = _run(["valgrind", *options, *commands[name]], environment, stdin)[0]
            said(name)
            found = re.search(r"I\s+refs:\s+([\d,]+)", errors)
            if found is None:
                raise RuntimeError(f"valgrind: no count in {errors[-500:]}")
            return float(found.group(1).replace(",", ""))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(commands, pool.map(count, commands), strict=True))


class CpuTime:
    """Takes the least user time of several rounds, in each of which every command is run once."""

    exact = False

    def __init__(self, rounds: int = 15) -> None:
        self.name = f"user CPU time, the least of {rounds} interleaved runs: {HOW_TO_GET_VALGRIND}"
        self._rounds = rounds

    def __call__(
        self, commands: Mapping[str, Command], environment: Mapping[str, str], stdin: str, said: Said
    ) -> dict[str, float]:
        least = dict.fromkeys(commands, float("inf"))
        for turn in range(self._rounds):
            for name, command in commands.items():
                least[name] = min(least[name], _run(command, environment, stdin)[1])
            said(f"round {turn + 1} of {self._rounds}")
        return least


def measure() -> Measure:
    """Return the better way that this machine has."""
    return Instructions() if shutil.which("valgrind") else CpuTime()


def _run(command: Command, environment: Mapping[str, str], stdin: str) -> tuple[str, float]:
    """Return what a command says of errors, and its user time in seconds."""
    with subprocess.Popen(  # noqa: S603 - the commands come from this repository
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**environment, "PATH": os.environ["PATH"]},
        text=True,
    ) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(stdin)
        process.stdin.close()
        errors = process.stderr.read()
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"{' '.join(command)}: ended with {process.returncode}: {errors[-1000:]}")
    return errors, used.ru_utime
