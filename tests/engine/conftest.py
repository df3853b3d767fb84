"""Fixtures of the tests with the real Pulumi engine."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.engine.engine import Engine, cli, copy_of
from tests.support.graph import ROOT


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Skip the tests of tests/engine if there is no Pulumi CLI.

    If the environment variable REQUIRE_PULUMI is set, as in CI, raises UsageError instead.
    """
    if cli():
        return
    here = [item for item in items if Path(str(item.path)).is_relative_to(Path(__file__).parent)]
    if here and os.environ.get("REQUIRE_PULUMI"):
        raise pytest.UsageError(
            "pulumi: not found; REQUIRE_PULUMI is set, so tests/engine must not be skipped; install the Pulumi CLI"
        )
    for item in here:
        item.add_marker(pytest.mark.skip(reason="no Pulumi CLI on the PATH"))


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Callable[[str], Engine]:
    """Return a function that returns an engine with a deployed stack.

    The function deploys each stack at most once, even if several pytest-xdist workers call it. Each call returns a new
    copy of the deployed stack, so tests don't affect each other.
    """
    # With pytest-xdist, each worker has a temporary folder inside the folder of the run, so the workers can share a
    # folder there. Without workers, the temporary folder itself is the folder of the run. In this case, the function
    # doesn't use the parent folder, because other runs use it too.
    folder = tmp_path_factory.getbasetemp()
    shared = (folder if worker_id == "master" else folder.parent) / "deployed"
    shared.mkdir(exist_ok=True)

    def deploy(stack: str) -> Engine:
        home = shared / stack
        with (shared / f"{stack}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not home.exists():
                checkout = copy_of(ROOT, tmp_path_factory.mktemp("checkout") / "orders")
                first = Engine(tmp_path_factory.mktemp("engine") / "home", checkout)
                first.create(stack)
                first.must_up(stack)
                shutil.move(first.home, home)
        folder = tmp_path_factory.mktemp("stack")
        shutil.copytree(home, folder / "home", symlinks=True)
        return Engine(folder / "home", copy_of(ROOT, folder / "orders"))

    return deploy
