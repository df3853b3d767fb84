"""`make bench` measures start times, requests, archives and `make up`, and writes the tables to .build/bench.md."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from components.functions import archives
from engine.graph import Graph, record
from tools.bench import developer, tables
from tools.bench import machine as machines
from tools.bench.machine import Machine
from tools.bench.measuring import Measure, measure

REPORT: Final = archives.BUILD / "bench.md"
_NAMES: Final = {
    "tutorial": "the tutorial's handler (Logger, Tracer, Metrics, resolver, `boto3.resource`)",
    "by hand": "handler written by hand, without logger, traces, metrics or other routes",
    "validated": "handler with Powertools' `enable_validation` as in its documentation, and `boto3.resource`",
}


def report(machine: Machine, graph: Graph, measured: Measure) -> Iterator[str]:
    """Yield the report line by line, as soon as each figure is known."""
    yield f"# Speed of the platform's functions, compared with other handlers ({datetime.now(UTC):%Y-%m-%d})"
    yield ""
    yield f"{_machine()}. Python {machine.python.version}. The functions run from their deployed archives."
    yield f"Measured: {measured.name}."
    yield ""
    yield "## Initialization"
    yield ""
    yield 'Work to import each handler, relative to a handler that only calls `boto3.client("dynamodb")`.'
    yield "The column *ratio*, which has a limit, includes the start of Python in both costs. Column *net* does not."
    yield ""
    yield from _starts(machine, measured)
    yield ""
    yield "## A warm `POST /orders` of three lines"
    yield ""
    yield from _orders(machine, measured)
    yield ""
    yield "## Archives, MB"
    yield ""
    yield from _sizes(graph)
    yield ""
    yield "## Times on this machine (longer if the machine is busy)"
    yield ""
    yield from _times()


def _starts(machine: Machine, measured: Measure) -> Iterator[str]:
    yield from _row("handler", "ratio", "net", "limit", "result")
    yield from _row("---", "--:", "--:", "--:", "---")
    for start in tables.starts(machine, measured, _say):
        limit = tables.INITIALISATION if start.name in machine.functions else None
        yield from _row(
            _NAMES.get(start.name, start.name), f"{start.ratio:.3f}", f"{start.net:.3f}", *_limit(start.ratio, limit)
        )


def _orders(machine: Machine, measured: Measure) -> Iterator[str]:
    yield from _row(
        "cost of an order in `orders-api`, divided by its cost in this handler",
        "without SDK",
        "with SDK",
        "limit",
        "result",
    )
    yield from _row("---", "--:", "--:", "--:", "---")
    own, whole = (tables.orders(machine, measured, _say, fake=fake) for fake in ("client", "network"))
    for name, limit in (("validated", tables.ORDER), ("by hand", None)):
        ratios = [taken["orders-api"] / taken[name] for taken in (own, whole)]
        yield from _row(_NAMES[name], *(f"{ratio:.2f}" for ratio in ratios), *_limit(ratios[0], limit))


def _sizes(graph: Graph) -> Iterator[str]:
    functions, layers = tables.function_sizes(graph), tables.layer_sizes(graph)
    largest = max(functions, key=lambda name: functions[name])
    yield from _row("archive", "MB", "limit", "result")
    yield from _row("---", "--:", "--:", "---")
    for name, size, limit in (
        (f"largest function, {largest}", functions[largest], tables.FUNCTION_MB),
        (f"both layers ({', '.join(sorted(layers))})", sum(layers.values()), tables.LAYERS_MB),
    ):
        yield from _row(name, f"{size:.3f}", *_limit(size, limit))


def _times() -> Iterator[str]:
    yield from _row("work", "time", "limit", "result")
    yield from _row("---", "--:", "--:", "---")
    ratio = developer.program_ratio()
    name = "CPU time of the Pulumi program for prod, relative to `import pulumi, pulumi_aws`"
    yield from _row(name, f"{ratio:.1f}", *_limit(ratio, developer.PROGRAM))
    for name, seconds, limit_s in developer.up_times():
        yield from _row(f"{name}, s", f"{seconds:.1f}", *_limit(seconds, limit_s))


def _limit(value: float, limit: float | None) -> tuple[str, str]:
    return ("", "") if limit is None else (f"{limit:g}", "within limit" if value <= limit else "**above limit**")


def _row(name: str, *cells: str) -> Iterator[str]:
    widths = [-86, *(14 for _ in cells)]
    padded = [
        f"{cell:<{-width}}" if width < 0 else f"{cell:>{width}}"
        for width, cell in zip(widths, (name, *cells), strict=True)
    ]
    yield f"| {' | '.join(padded)} |"


def _machine() -> str:
    # /proc/cpuinfo exists only on Linux. On other systems, the name of the processor comes from Python's platform
    # module.
    told = Path("/proc/cpuinfo")
    lines = told.read_text("utf-8").splitlines() if told.exists() else []
    names = [line for line in lines if line.startswith("model name")]
    model = names[0].partition(":")[2].strip() if names else platform.processor()
    return f"{os.cpu_count()} cores, {model}"


def _say(done: str) -> None:
    """Write a progress message to standard error, because standard output is for the report."""
    sys.stderr.write(f"  measured: {done}\n")


def main() -> None:
    """Run all measurements, which takes minutes. Print each line of the report as soon as its figures are known."""
    graph = record("prod")
    machine = machines.prepared(machines.python(), graph)
    lines: list[str] = []
    for line in report(machine, graph, measure()):
        sys.stdout.write(f"{line}\n")
        sys.stdout.flush()
        lines.append(line)
    archives.write(REPORT, "\n".join([*lines, ""]).encode())
    sys.stdout.write(f"\nWritten to {os.path.relpath(REPORT)}.\n")


if __name__ == "__main__":
    main()
