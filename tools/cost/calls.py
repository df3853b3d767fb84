"""Runs each case of cases.py with in-memory AWS services, and counts its AWS calls and DynamoDB request units."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from typing import Any, Final

from components.functions.archives import FUNCTIONS
from tests.proof.generated_requests.in_process import InProcessFunctions, in_process_functions
from tests.workflow.harness import FUNCTIONS as STEPS
from tests.workflow.harness import workflow
from tools.cost.capacity import Access, Units, accesses, projection_type, size_of, units
from tools.cost.operations import Case, Cloud

_FUNCTIONS: Final = sorted({path.parent.name for path in FUNCTIONS.glob("*/handler.py")} - {*STEPS})
Counted = tuple[str, float, int]
"""(text that lists the AWS calls, number of read units, number of write units)."""


@contextmanager
def cloud() -> Generator[Cloud]:
    """Load the workflow with the functions that it calls, and all other functions. All cases share the result."""
    with in_process_functions(*_FUNCTIONS) as made, workflow(made.dynamodb) as steps:
        yield Cloud(made, steps)


def count(case: Case, on: Cloud) -> Counted:
    """Run `case`, which starts with empty tables, and return its AWS calls and DynamoDB request units."""
    on.platform.clear()
    on.workflow.published.clear()
    play = case.prepare(on)
    on.workflow.published.clear()
    on.workflow.started.clear()
    for client in on.platform.clients.values():
        client.faults.calls.clear()
    play()
    words = ", ".join(_words(on))
    used = sum((units(access, _projections(on.platform)) for access in _accesses(on.platform)), Units())
    return words, used.reads, used.writes


def _calls(made: InProcessFunctions) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for service, client in made.clients.items():
        for operation, arguments in client.faults.calls:
            yield service, operation, arguments


def _accesses(made: InProcessFunctions) -> Iterator[Access]:
    tables = made.dynamodb.tables

    def row_size(name: str, key: Any) -> int:
        return size_of(tables[name].items.get(key[tables[name].key]["S"]) or {})

    def page_size(arguments: Any) -> int:
        return sum(size_of(row) for row in made.dynamodb.query(**arguments)["Items"])

    for service, operation, arguments in list(_calls(made)):
        if service == "dynamodb":
            yield from accesses(operation, arguments, row_size=row_size, page_size=page_size)


def _projections(made: InProcessFunctions) -> dict[str, dict[str, str]]:
    return {
        name: {
            index: projection_type(made.hash_key, "KEYS_ONLY" if made.keys_only else "ALL")
            for index, made in each.indexes.items()
        }
        for name, each in made.dynamodb.tables.items()
    }


def _words(on: Cloud) -> Iterator[str]:
    words = Counter(_word(operation, arguments) for _, operation, arguments in _calls(on.platform))
    words.update({"StartSyncExecution": len(on.workflow.started)} if on.workflow.started else {})
    words.update({"Publish": len(on.workflow.published)} if on.workflow.published else {})
    yield from (word if number == 1 else f"{number} x {word}" for word, number in words.items())


def _word(operation: str, arguments: dict[str, Any]) -> str:
    name = "".join(part.capitalize() for part in operation.split("_"))
    if "TransactItems" in arguments:
        touched = Counter(part["Update"]["TableName"] for part in arguments["TransactItems"])
        return f"{name} {' + '.join(each if number == 1 else f'{number} {each}' for each, number in touched.items())}"
    if "RequestItems" in arguments:
        ((read, asked),) = arguments["RequestItems"].items()
        return f"{name} {len(asked['Keys'])} {read}"
    if "Entries" in arguments:
        return f"{name} of {len(arguments['Entries'])}"
    return f"{name} {arguments.get('IndexName') or arguments.get('TableName') or ''}".strip()
