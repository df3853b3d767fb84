"""What is recorded of a deployment, and read again after it was killed anywhere."""

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


def test_every_change_is_there_without_an_end(where: Instance) -> None:
    state = State(where)
    state.begin(URN)
    state.put(URN, record("1"))
    state.put(OTHER, record("2"))
    state.remove(OTHER)
    token = state.begin(OTHER)

    again = State(where)
    assert again.records == {URN: record("1")}
    assert again.begun == {OTHER: token}
    assert again.begin(OTHER) == token, "the token of a change stays until its end is recorded"
    again.put(OTHER, record("3"))
    assert State(where).begun == {}


def test_a_line_that_was_cut_off_hides_no_other(where: Instance) -> None:
    State(where).put(URN, record("1"))
    with where.journal.open("a") as journal:
        journal.write('[["resources", "')
    State(where).put(OTHER, record("2"))

    assert State(where).records == {URN: record("1"), OTHER: record("2")}


def test_a_complete_deployment_is_one_file(where: Instance) -> None:
    state = State(where)
    state.put(URN, record("1"))
    state.complete()

    assert not where.journal.exists()
    assert State(where).records == {URN: record("1")}
    forget(where)
    assert State(where).records == {}


def test_what_was_deleted_to_be_made_again_is_known_until_a_deployment_is_complete(where: Instance) -> None:
    state = State(where)
    state.put(URN, record("1"))
    state.empty(URN)
    assert (State(where).records, State(where).emptied) == ({}, {URN: "1"})
    state.put(URN, record("1"))
    assert State(where).emptied == {URN: "1"}
    state.complete()
    assert State(where).emptied == {}


def test_a_resource_that_comes_back_with_another_id_has_lost_nothing(where: Instance) -> None:
    state = State(where)
    state.put(URN, record("1"))
    state.empty(URN)
    state.put(URN, record("2"))

    assert State(where).emptied == {}
