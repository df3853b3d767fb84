"""Tests that a stack of each release can be updated to the current program without losing data or changing URLs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.engine import releases
from tests.engine.checkouts import edit
from tests.engine.engine import Engine
from tests.engine.upgrades import losses, steps_from, unprotected

QUEUES = "components/aws/messaging.py"
QUEUE = """\
    return aws.sqs.Queue(
        name,
"""
RENAMED_QUEUE = QUEUE.replace("name,", 'f"{name}-queue",')
QUEUE_OPTIONS = """\
        redrive_policy=redrive,
        tags=owner.tags(),
        opts=owner.opts(aliases=["""
QUEUE_ALIAS = (QUEUE_OPTIONS, f"{QUEUE_OPTIONS}pulumi.Alias(name=name), ")
TABLES = "components/data_tier.py"
RENAMED_TYPE = ('"orders:index:DataTier"', '"orders:index:Data"')
TYPE_ALIAS = (
    "name, None, opts)",
    'name, None, pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="orders:index:DataTier")]))',
)


def kept(before: Any, after: Any) -> Any:
    """Return `after` without the keys that are not in `before`. The comparison thus ignores outputs that are new."""
    if not (isinstance(before, dict) and isinstance(after, dict)):
        return after
    known, now = cast("dict[str, Any]", before), cast("dict[str, Any]", after)
    return {key: kept(value, now.get(key)) for key, value in known.items()}


def frontend(engine: Engine, stack: str) -> object:
    """Return the stack output `frontend`. An update must not change the URLs in it, because frontends store them."""
    [root] = [resource for resource in engine.state(stack) if resource["type"] == "pulumi:pulumi:Stack"]
    return root["outputs"]["frontend"]


def test_deployed_state_of_this_version_is_stored() -> None:
    assert {(releases.version(), stack) for stack in releases.STACKS} <= {*releases.stored()}


# `make test` updates only prod, to save time: an update of dev would test almost the same resources.
@pytest.mark.parametrize(
    ("version", "stack"),
    [pytest.param(*each, marks=() if each[1] == "prod" else pytest.mark.full) for each in releases.stored()],
)
def test_update_from_a_release_loses_no_data_and_changes_no_url(version: str, stack: str, tmp_path: Path) -> None:
    engine = releases.deployed_release(version, stack, tmp_path)
    assert engine.differences() == []
    before, steps = frontend(engine, stack), steps_from(version, stack)
    protected = {resource["urn"] for resource in engine.state(stack) if resource.get("protect")}
    # docs/upgrades.md contains commands that remove the protection of resources. Run them only if the stack protects
    # these resources. A stack without `deletionProtection` protects nothing.
    if removed := unprotected(steps) & protected:
        refused = engine.run("preview", "--stack", stack)
        assert refused.code != 0
        assert all(urn.rpartition("::")[2] in refused.said for urn in removed)
        for step in steps:
            engine.must(*step)
    assert losses(engine, stack, documented=unprotected(steps)) == []
    engine.must_up(stack)
    assert engine.differences() == []
    left = {resource["urn"] for resource in engine.state(stack)}
    assert not unprotected(steps) & left
    assert kept(before, frontend(engine, stack)) == before


@pytest.mark.full
def test_rename_without_an_alias_is_found_in_the_preview(tmp_path: Path) -> None:
    engine = releases.deployed_release(releases.version(), "dev", tmp_path)
    # Deploy the current program before the renames below, because it can differ from the release, and this test must
    # see only the renames.
    engine.must_up("dev")
    with engine.cloud.locked() as things:
        queues = {thing["inputs"]["name"] for thing in things.values() if thing["type"] == "aws:sqs/queue:Queue"}
        tables = {thing["inputs"]["name"] for thing in things.values() if thing["type"] == "aws:dynamodb/table:Table"}
    assert queues
    assert tables
    edit(engine.checkout, QUEUES, (QUEUE, RENAMED_QUEUE))
    edit(engine.checkout, TABLES, RENAMED_TYPE)
    found = losses(engine, "dev")
    for name in queues | tables:
        assert [line for line in found if f"got the name {name} of " in line], name


@pytest.mark.full
def test_rename_with_an_alias_changes_nothing_on_aws(tmp_path: Path) -> None:
    engine = releases.deployed_release(releases.version(), "dev", tmp_path)
    # Deploy the current program before the renames below, because it can differ from the release, and this test must
    # see only the renames.
    engine.must_up("dev")
    engine.cloud.forget_calls()
    edit(engine.checkout, QUEUES, (QUEUE, RENAMED_QUEUE), QUEUE_ALIAS)
    edit(engine.checkout, TABLES, RENAMED_TYPE, TYPE_ALIAS)
    assert losses(engine, "dev") == []
    engine.must_up("dev")
    assert engine.cloud.calls() == []
    assert engine.differences() == []
