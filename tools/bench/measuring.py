"""Measures what commands cost: their instructions if valgrind is installed, otherwise their CPU time.

Instruction counts are more exact: they vary by only 0.01 % between runs.
"""

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
"""Called with a progress message after each measurement."""

HOW_TO_GET_VALGRIND: Final = "valgrind is not installed (apt-get install valgrind)"


class Measure(Protocol):
    """A way to measure what commands cost."""

    name: str
    exact: bool
    """Whether the results are independent of the machine's load."""

    def __call__(
        self, commands: Mapping[str, Command], environment: Mapping[str, str], stdin: str, said: Said
    ) -> dict[str, float]:
        """Return the cost of each command by name. Raises RuntimeError if a command fails."""
        ...


class Instructions:
    """Counts instructions with valgrind, one command per processor at a time."""

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
                raise RuntimeError(f"valgrind: no instruction count in its output: {errors[-500:]}")
            return float(found.group(1).replace(",", ""))

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return dict(zip(commands, pool.map(count, commands), strict=True))


class CpuTime:
    """Measures user CPU time: the minimum of several rounds, each of which runs every command once."""

    exact = False

    def __init__(self, rounds: int = 15) -> None:
        self.name = f"user CPU time, the minimum of {rounds} interleaved runs, because {HOW_TO_GET_VALGRIND}"
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
    """Return the most exact way to measure on this machine."""
    return Instructions() if shutil.which("valgrind") else CpuTime()


def _run(command: Command, environment: Mapping[str, str], stdin: str) -> tuple[str, float]:
    """Return a command's standard error and its user CPU time in seconds."""
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
        raise RuntimeError(f"{' '.join(command)}: exit code {process.returncode}, expected 0: {errors[-1000:]}")
    return errors, used.ru_utime
