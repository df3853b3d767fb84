"""Every release can be updated to the program as it is, without a loss of data or of an address."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.engine import releases
from tests.engine.checkouts import edit
from tests.engine.engine import Engine
from tests.engine.upgrades import losses

QUEUES = "components/aws/messaging.py"
QUEUE = """\
    return aws.sqs.Queue(
        name,
"""
RENAMED_QUEUE = QUEUE.replace("name,", 'f"{name}-queue",')
QUEUE_OPTIONS = """\
        redrive_policy=redrive,
        tags=owner.tags(),
        opts=owner.opts("""
QUEUE_ALIAS = (QUEUE_OPTIONS, f"{QUEUE_OPTIONS}aliases=[pulumi.Alias(name=name)]")
TABLES = "components/data_tier.py"
RENAMED_TYPE = ('"orders:index:DataTier"', '"orders:index:Data"')
TYPE_ALIAS = (
    "name, None, opts)",
    'name, None, pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="orders:index:DataTier")]))',
)


def frontend(engine: Engine, stack: str) -> object:
    """Return the stack output that frontends have stored: addresses and ids."""
    [root] = [resource for resource in engine.state(stack) if resource["type"] == "pulumi:pulumi:Stack"]
    return root["outputs"]["frontend"]


def test_release_of_this_version_is_stored() -> None:
    assert {(releases.version(), stack) for stack in releases.STACKS} <= {*releases.stored()}


@pytest.mark.parametrize(("version", "stack"), releases.stored())
def test_release_is_updated_without_a_loss(version: str, stack: str, tmp_path: Path) -> None:
    engine = releases.deployed_release(version, stack, tmp_path)
    assert engine.differences() == []
    before = frontend(engine, stack)
    assert losses(engine, stack) == []
    engine.must_up(stack)
    assert engine.differences() == []
    assert frontend(engine, stack) == before


def test_rename_without_an_alias_is_found_before_it_is_deployed(tmp_path: Path) -> None:
    engine = releases.deployed_release(releases.version(), "dev", tmp_path)
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


def test_rename_with_an_alias_changes_nothing_on_aws(tmp_path: Path) -> None:
    engine = releases.deployed_release(releases.version(), "dev", tmp_path)
    # The program may differ from the release in more than the renames.
    engine.must_up("dev")
    engine.cloud.forget_calls()
    edit(engine.checkout, QUEUES, (QUEUE, RENAMED_QUEUE), QUEUE_ALIAS)
    edit(engine.checkout, TABLES, RENAMED_TYPE, TYPE_ALIAS)
    assert losses(engine, "dev") == []
    engine.must_up("dev")
    assert engine.cloud.calls() == []
    assert engine.differences() == []
