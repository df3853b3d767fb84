"""Journey 10: wrong input to `make up` and `make redrive` gives a clear error and changes nothing.

tests/local contains the tests of other errors, for example of a port in use. They deploy small Pulumi programs instead
of the whole platform.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from local import emulator
from local.instance import ROOT, Instance
from local.instances import stopped_at_the_end
from tests.journeys.patience import Watcher
from tests.journeys.people import Person
from tests.journeys.stack import ANSWERS_WITHIN_S, Stack, local, temporary
from tools.bench import developer

Change = Callable[[dict[str, Any]], None]


@pytest.fixture
def elsewhere(tmp_path: Path, free_port: Callable[[], int]) -> Iterator[Instance]:
    """A new instance with its own port, which the test can start. At the end of the test, the instance is stopped."""
    instance = temporary(free_port(), tmp_path / "home")
    with stopped_at_the_end(instance):
        yield instance


@pytest.fixture
def project(tmp_path: Path) -> Callable[[Change], Path]:
    """Return a function that copies the project, changes Pulumi.local.yaml in the copy, and returns the copy's path."""

    def copied(change: Change) -> Path:
        copy = tmp_path / "project"
        copy.mkdir()
        for path in ROOT.iterdir():
            if path.name not in (".local", "Pulumi.local.yaml"):
                (copy / path.name).symlink_to(path)
        document = yaml.safe_load((ROOT / "Pulumi.local.yaml").read_text(encoding="utf-8"))
        change(document["config"])
        (copy / "Pulumi.local.yaml").write_text(yaml.safe_dump(document), encoding="utf-8")
        return copy

    return copied


WRONG: dict[str, tuple[Change, list[str]]] = {
    "unknown key": (
        lambda config: config["orders:api"].update(throttelRate=5),
        ["orders:api", "throttelRate"],
    ),
    "missing key": (lambda config: config["orders:mail"].pop("sender"), ["orders:mail", "sender"]),
    "missing section": (lambda config: config.pop("orders:workflow"), ["orders:workflow"]),
    "wrong kind": (lambda config: config["orders:api"].update(throttleRate="many"), ["orders:api", "throttleRate"]),
    "out of range": (
        lambda config: config["orders:functions"].update(overrides={"send_email": {"memoryMb": 64}}),
        ["orders:functions", "send_email", "memoryMb", "64", "128"],
    ),
    "impossible together": (
        lambda config: config["orders:functions"].update(overrides={"update_inventory": {"timeoutSeconds": 30}}),
        ["update_inventory", "30"],
    ),
}


@pytest.mark.parametrize(("change", "words"), WRONG.values(), ids=WRONG)
def test_make_up_reports_a_wrong_setting_before_it_creates_resources(
    elsewhere: Instance, project: Callable[[Change], Path], change: Change, words: list[str]
) -> None:
    done = local("up", elsewhere, "--program", str(project(change)))
    assert done.returncode == 1
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stdout + done.stderr
    assert not [word for word in words if word not in done.stderr], done.stderr
    assert "created" not in done.stdout
    assert emulator.find(elsewhere).state == "none"


def test_second_make_up_changes_no_resources_and_keeps_orders(
    stack: Stack, admin: Person, customer: Person, watcher: Watcher
) -> None:
    order_id = customer.order({admin.put(5): 1})["order_id"]
    before, process = watcher.decided(customer, order_id), stack.instance.process.read_bytes()
    done = local("up", stack.instance)
    assert done.returncode == 0, done.stderr
    assert " same" in done.stdout
    assert not [word for word in ("created", "updated", "replaced", "deleted") if word in done.stdout], done.stdout
    assert stack.instance.process.read_bytes() == process
    assert json.loads(stack.instance.outputs.read_text(encoding="utf-8")) == stack.outputs
    assert customer.read(order_id) == before


def test_make_up_updates_only_the_changed_function(elsewhere: Instance, tmp_path: Path) -> None:
    copy = tmp_path / "project"
    developer.copy_program(copy)
    assert local("up", elsewhere, "--program", str(copy)).returncode == 0
    developer.change_a_function(copy)
    done = local("up", elsewhere, "--program", str(copy))
    assert done.returncode == 0, done.stderr
    # The two updated resources are the function and its alias, which points to the function's new version.
    assert re.search(r"resources +2 updated, \d+ same$", done.stdout, re.MULTILINE), done.stdout


def test_make_redrive_without_a_running_instance_prints_a_remedy(free_port: Callable[[], int]) -> None:
    port = free_port()
    done = subprocess.run(  # noqa: S603 - the command runs a module of this repository
        [sys.executable, "-m", "operations.redrive", "local", "--port", str(port)],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=ANSWERS_WITHIN_S,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert f"make up PORT={port}" in done.stderr
