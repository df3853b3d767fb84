"""The deployed state of each release: the output of `pulumi stack export`, and the contents of the stand-in for AWS.

A test updates the stacks of each release to the current program. `python -m tests.engine.releases` writes the files for
the version in pyproject.toml, and overwrites existing files. Run the command only before this version is released,
because the files of a release must not change.
"""

from __future__ import annotations

import json
import lzma
import tomllib
from pathlib import Path
from typing import Any, Final

from tests.engine.engine import Engine, copy_of
from tests.support.graph import ROOT

FOLDER: Final = Path(__file__).parent
STACKS: Final = ("dev", "prod")


def version() -> str:
    """Return the version of the current program."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]


def stored() -> list[tuple[str, str]]:
    """Return a (version, stack) pair for each stored state, oldest version first."""
    found = [(path.parent.name, path.name.partition(".")[0]) for path in FOLDER.glob("*/*.json.xz")]
    return sorted(found, key=lambda item: (by_age(item[0]), item[1]))


def by_age(version: str) -> list[int]:
    """Return a sort key for `version`, which puts older versions before newer versions."""
    return [int(part) for part in version.split(".")]


def deployed_release(version: str, stack: str, folder: Path, checkout: Path | None = None) -> Engine:
    """Return an engine with the stack `stack` in the state in which the release `version` deployed it.

    The engine's checkout is `checkout`. By default, it is a copy of the current program.
    """
    saved = json.loads(lzma.decompress(_path(version, stack).read_bytes()))
    engine = Engine(folder / "home", checkout or copy_of(ROOT, folder / "orders"))
    engine.create(stack)
    exported = folder / "state.json"
    exported.write_text(json.dumps(saved["state"]), encoding="utf-8")
    engine.must("stack", "import", "--stack", stack, "--file", str(exported))
    engine.cloud.restore(saved["aws"], saved["numbers"])
    return engine


def write_release(folder: Path) -> list[Path]:
    """Deploy the current program to new stacks, write the files of its version, and return the paths of the files.

    `folder` is a folder for temporary files.
    """
    written: list[Path] = []
    for stack in STACKS:
        engine = Engine(folder / stack, copy_of(ROOT, folder / f"orders-{stack}"))
        engine.create(stack)
        engine.must_up(stack)
        with engine.cloud.locked() as things:
            saved: dict[str, Any] = {
                "state": json.loads(engine.must("stack", "export", "--stack", stack).out),
                "aws": things,
                "numbers": engine.cloud.next_number(),
            }
        path = _path(version(), stack)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(lzma.compress(json.dumps(saved, sort_keys=True).encode(), preset=9))
        written.append(path)
    return written


def _path(version: str, stack: str) -> Path:
    return FOLDER / version / f"{stack}.json.xz"
