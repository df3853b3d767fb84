"""Tests that data from users is found only in places where docs/data.md allows it.

We broke copies of the program on purpose, and the tests found every defect.
`test_user_data_is_found_only_where_data_md_allows_it` found these defects:

- POST /users logged its body, so its log contained names, email addresses and invalid input.
- The error message of MailRefused contained the recipient, who then appeared in the log, the trace, the failure queues
  and the output of `make redrive`.
- A handler let Powertools write exceptions into the trace (`capture_error`). When SES closed the connection, the trace
  contained the customer's name and email address.
- An unknown order status raised a KeyError, so the relay's log contained the invalid content of the row.
- The access log contained `$context.path`, and therefore ids of users and orders.

`test_no_input_forges_a_log_line` found a function that printed the query parameter `limit` without escaping. All tests
also pass at log level DEBUG.

The table of docs/data.md marks places that the emulator doesn't have as "only on AWS". Tests of the resource graph
check the settings that determine the content of these places.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, cast

import pytest

from tests.journeys.patience import Watcher
from tests.journeys.stack import Stack
from tests.journeys.traces import Traces
from tests.proof.canaries.canaries import Canaries
from tests.proof.canaries.drive import Drive
from tests.proof.canaries.places import Places
from tests.proof.canaries.search import Search, drive_through, look, tidy
from tests.proof.canaries.table import DOCUMENT, Row, rows, stale, strays
from tests.proof.plugin import Dose, Proof

pytestmark = [pytest.mark.attack("canaries"), pytest.mark.emulator]

# Log lines with these beginnings are not JSON, but they are not forged: Lambda or its runtime writes them, or they are
# part of a traceback.
_OF_LAMBDA: Final = ("START ", "END ", "REPORT ", "INIT_", "[ERROR]", "Traceback", "  File ", "    ", "raise ", "\x04")


@pytest.fixture(scope="module")
def table() -> Mapping[str, Row]:
    """The table of docs/data.md."""
    return rows(DOCUMENT.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def search(  # noqa: PLR0917 - the arguments are fixtures
    stack: Stack,
    watcher: Watcher,
    traces: Traces,
    subscribe: Callable[[str], str],
    table: Mapping[str, Row],
    dose: Dose,
) -> Iterator[Search]:
    """The results of the attack, after it has sent all canaries and read all places."""
    drive = Drive(stack, watcher, Canaries())
    topics = {role: subscribe(stack.ops["topics"][role]) for role in ("notifications", "successes")}
    places = Places(stack, traces, watcher.events_queue, topics, drive.refusals)
    with traces.following():
        drive_through(drive, places, full=dose.full)
        found = look(drive, places, table, full=dose.full)
    yield found
    tidy(drive, places)


def test_search_finds_a_test_word_in_each_place(search: Search, proof: Proof) -> None:
    """The attack writes a test word to each place. A search that can't find this word could miss leaked data, too."""
    blind = [place for place, word in search.planted.items() if word not in search.words[place]]
    proof.tried(places=len(search.planted))
    proof.found(blind_places=len(blind))
    assert blind == []


def test_user_data_is_found_only_where_data_md_allows_it(
    search: Search, table: Mapping[str, Row], proof: Proof
) -> None:
    found = strays(search.kinds, table)
    proof.tried(canaries=len(search.drive.words.kinds), requests_refused=len(search.drive.refusals))
    proof.found(strays=len(found))
    assert not found, "\n".join(f"{stray}: {search.example(stray)}" for stray in found)


def test_each_kind_of_data_in_the_table_of_data_md_is_really_found(
    search: Search, table: Mapping[str, Row], dose: Dose, proof: Proof
) -> None:
    """Only the full attack makes this check. The sample causes no failures, so no data reaches the failure queues."""
    left = stale(search.kinds, table) if dose.full else []
    proof.found(kinds_in_places=sum(len(kinds) for kinds in search.kinds.values()), stale_lines=len(left))
    assert left == []


def test_no_input_forges_a_log_line(search: Search, proof: Proof) -> None:
    """The attack sends line breaks, color codes, braces and percent signs in bodies, paths and query parameters."""
    lines, forged = 0, list[str]()
    for place, group in search.places.log_groups().items():
        for line in search.places.log_lines(group):
            lines += 1
            forged += [f"{place}: {part[:300]}" for part in line.splitlines() if _is_forged(part, search.drive.forged)]
    proof.tried(log_lines=lines, forged_lines_sent=len(search.drive.forged))
    assert forged == []


def _is_forged(line: str, words: list[str]) -> bool:
    """Return whether an input forged `line`.

    The line is forged if it contains a color code. A line that is a JSON object is also forged if its field `message`
    contains one of `words`. Any other line is forged if it contains one of `words`, unless it begins with one of
    `_OF_LAMBDA`.
    """
    if "\x1b" in line:
        return True
    if not any(word in line for word in words):
        return False
    try:
        said = json.loads(line)
    except ValueError:
        return not line.startswith(_OF_LAMBDA)
    return not isinstance(said, dict) or any(word in str(cast("Any", said).get("message")) for word in words)


def test_forged_log_line_is_recognized() -> None:
    assert _is_forged('{"level": "INFO", "message": "zq1"}', ["zq1"])
    assert _is_forged("START RequestId: zq1"[6:], ["zq1"])
    assert _is_forged("\x1b[31mred", [])
    assert not _is_forged('{"level": "INFO", "message": "order accepted", "path": "zq1"}', ["zq1"])
