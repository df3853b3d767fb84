"""A pytest plugin that sets the size of the attacks, and prints the report of `make prove` at the end.

    @pytest.mark.attack("stock-race")
    def test_..(proof: Proof, dose: Dose) -> None:
        orders = dose(40, 1000)
        ...
        proof.tried(orders=orders, clients=32)
        proof.found(sold=sold, oversold=0)

The marker `attack` assigns a test to an attack in rows.py. The report adds up figures of the same name from all tests
of an attack.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, cast

import pytest

from tests.proof.rows import ROWS

ONLY_IN_PROVE: Final = "runs only in the full attack (make prove)"


@dataclass(frozen=True)
class Dose:
    """Selects the small or full size of each attack: `dose(40, 1000)` is 40 in `make test`, 1000 in `make prove`."""

    full: bool

    def __call__(self, small: int, full: int) -> int:
        return full if self.full else small


@dataclass(frozen=True)
class Proof:
    """Records what a test attempted and what it observed, for the report."""

    _item: pytest.Item

    def tried(self, **figures: int) -> None:
        """Record how much the test attempted, for example `orders=1000`. Figures of the same name are added up."""
        self._item.user_properties.append(("tried", figures))

    def found(self, **figures: int) -> None:
        """Record what the test observed, for example `sold=600, oversold=0`. Figures of the same name are added up."""
        self._item.user_properties.append(("found", figures))


@dataclass
class Outcome:
    """The combined results of one attack's tests."""

    tests: set[str] = field(default_factory=set[str])
    failed: set[str] = field(default_factory=set[str])
    seconds: float = 0
    tried: Counter[str] = field(default_factory=Counter[str])
    found: Counter[str] = field(default_factory=Counter[str])

    @property
    def verdict(self) -> str:
        """Whether the guarantee `holds`, is `BROKEN`, or was not tested (`not run`)."""
        return "BROKEN" if self.failed else "holds" if self.tests else "not run"


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("proof")
    group.addoption("--dose", choices=("small", "full"), default="small", help="size of each attack")
    group.addoption("--attacks", default="", help="run only these attacks, for example stock-race,wrong-tokens")
    group.addoption("--proof", type=Path, help="write the report to this file, and fail if an attack did not run")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    wanted = set(_wanted(config))
    if unknown := wanted - set(ROWS):
        raise pytest.UsageError(f"--attacks: got {', '.join(sorted(unknown))}; allowed: {', '.join(ROWS)}")
    left_out: list[pytest.Item] = []
    small = config.getoption("--dose") == "small"
    for item in items:
        if small and item.get_closest_marker("full"):
            item.add_marker(pytest.mark.skip(reason=ONLY_IN_PROVE))
        rows = [mark.args[0] for mark in item.iter_markers("attack")]
        assert set(rows) <= set(ROWS), f"{item.nodeid}: attack {rows} is not listed in tests/proof/rows.py"
        item.user_properties.extend(("row", row) for row in rows)
        if wanted and not wanted & set(rows):
            left_out.append(item)
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]


@pytest.fixture(scope="session")
def dose(pytestconfig: pytest.Config) -> Dose:
    """The size of each attack in this session: a small sample or the full attack."""
    return Dose(full=pytestconfig.getoption("--dose") == "full")


@pytest.fixture
def proof(request: pytest.FixtureRequest) -> Proof:
    """Records the test's figures for the report."""
    return Proof(cast("pytest.Item", request.node))


def outcomes(reports: list[pytest.TestReport]) -> dict[str, Outcome]:
    """Return the results of each attack by name.

    Pytest creates three reports for each test: about its setup, its call and its teardown. Only the report about the
    call adds the test's figures to the results, so that each figure is added once.
    """
    found = {name: Outcome() for name in ROWS}
    for report in reports:
        for row in [value for key, value in report.user_properties if key == "row"]:
            outcome = found[cast("str", row)]
            if report.when == "call" and report.outcome != "skipped":
                outcome.tests.add(report.nodeid)
            outcome.seconds += report.duration
            if report.outcome == "failed":
                outcome.failed.add(report.nodeid)
            if report.when == "call":
                for key, figures in cast("list[tuple[str, Any]]", report.user_properties):
                    if key in ("tried", "found"):
                        getattr(outcome, key).update(figures)
    return found


def table(found: dict[str, Outcome], dose: str) -> str:
    """Return the report as a Markdown table with one line for each attack."""
    lines = [
        f"# Attacks on the platform's guarantees, and their results ({'full' if dose == 'full' else 'small sample'})",
        "",
        "| name | attack | must hold | attempted | observed | seconds | result |",
        "| --- | --- | --- | --- | --- | ---: | --- |",
    ]
    for name, row in ROWS.items():
        outcome = found[name]
        cells = [name, row.attack, row.holds, _figures(outcome.tried), _figures(outcome.found)]
        lines.append(f"| {' | '.join(cells)} | {outcome.seconds:.0f} | {outcome.verdict} |")
    return "\n".join(lines) + "\n"


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    found = outcomes(_reports(terminalreporter))
    if not any(outcome.tests for outcome in found.values()):
        return
    terminalreporter.section("attacks and their results")
    for name, row in ROWS.items():
        outcome = found[name]
        line = f"{name}  {outcome.verdict:8}{outcome.seconds:6.0f} s  {row.attack}: {row.holds}"
        terminalreporter.write_line(line, red=bool(outcome.failed))
        for key, title in (("tried", "attempted"), ("found", "observed")):
            if figures := _figures(getattr(outcome, key)):
                terminalreporter.write_line(f"{'':21}{title} {figures}")
    if path := cast("Path | None", config.getoption("--proof")):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(table(found, str(config.getoption("--dose"))), encoding="utf-8")
        terminalreporter.write_line(f"report written to {path}")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is None or not config.getoption("--proof") or config.getoption("collectonly"):
        return
    wanted = _wanted(config) or list(ROWS)
    found = outcomes(_reports(reporter))
    if any(not found[name].tests for name in wanted):
        session.exitstatus = session.exitstatus or pytest.ExitCode.TESTS_FAILED


def _wanted(config: pytest.Config) -> list[str]:
    return [name for name in str(config.getoption("--attacks")).split(",") if name]


def _reports(reporter: Any) -> list[pytest.TestReport]:
    kinds: dict[str, list[Any]] = reporter.stats
    return [report for reports in kinds.values() for report in reports if isinstance(report, pytest.TestReport)]


def _figures(figures: Counter[str]) -> str:
    return ", ".join(f"{number:,} {name.replace('_', ' ')}" for name, number in figures.items())
