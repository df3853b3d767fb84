"""Tests of the stored state of a deployment. Some tests read the state after a deployment was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from local.instance import Instance, instance
from local.state import Record, State, forget

URN = "urn:pulumi:local::demo::aws:sqs/queue:Queue::queue"
OTHER = "urn:pulumi:local::demo::aws:sqs/queue:Queue::other"


@pytest.fixture
def where(tmp_path: Path) -> Instance:
    return instance(4566, tmp_path)


def record(identity: str) -> Record:
    return Record("aws:sqs/queue:Queue", "queue", identity, {"name": "queue"}, {"url": identity})


def test_state_contains_the_changes_of_a_deployment_that_did_not_complete(where: Instance) -> None:
    state = State(where)
    state.begin(URN)
    state.put(URN, record("1"))
    state.put(OTHER, record("2"))
    state.remove(OTHER)
    token = state.begin(OTHER)

    again = State(where)
    assert again.records == {URN: record("1")}
    assert again.begun == {OTHER: token}
    assert again.begin(OTHER) == token, "`begin` must return the same token until the change is recorded as complete"
    again.put(OTHER, record("3"))
    assert State(where).begun == {}


def test_state_contains_all_changes_despite_an_incomplete_line_in_the_journal(where: Instance) -> None:
    State(where).put(URN, record("1"))
    with where.journal.open("a") as journal:
        journal.write('[["resources", "')
    State(where).put(OTHER, record("2"))

    assert State(where).records == {URN: record("1"), OTHER: record("2")}


def test_complete_deployment_leaves_one_state_file(where: Instance) -> None:
    state = State(where)
    state.put(URN, record("1"))
    state.complete()

    assert not where.journal.exists()
    assert State(where).records == {URN: record("1")}
    forget(where)
    assert State(where).records == {}


def test_state_lists_a_deleted_resource_until_the_deployment_completes(where: Instance) -> None:
    state = State(where)
    state.put(URN, record("1"))
    state.empty(URN)
    assert (State(where).records, State(where).emptied) == ({}, {URN: "1"})
    state.put(URN, record("1"))
    assert State(where).emptied == {URN: "1"}
    state.complete()
    assert State(where).emptied == {}


def test_state_no_longer_lists_a_deleted_resource_that_was_recreated_with_a_new_id(where: Instance) -> None:
    state = State(where)
    state.put(URN, record("1"))
    state.empty(URN)
    state.put(URN, record("2"))

    assert State(where).emptied == {}
