"""Tests that `pulumi up` works in a fresh clone without make: the program builds the missing archives itself."""

from __future__ import annotations

from pathlib import Path

from tests.commands.package_index import locked, tiny_wheel
from tests.engine.engine import Engine, copy_of
from tests.support.graph import ROOT

STACK = "dev"
LAYER_LOCK = Path("functions", "layers", "powertools.txt")


def fresh_clone(folder: Path) -> Engine:
    """Return an engine whose checkout has no built archives, like a fresh clone. uv finds packages only in `folder`."""
    checkout = copy_of(ROOT, folder / "orders", built=False)
    (checkout / LAYER_LOCK).write_text(locked(tiny_wheel(folder)) + "\n", encoding="utf-8")
    variables = {"UV_NO_INDEX": "1", "UV_FIND_LINKS": str(folder), "UV_CACHE_DIR": str(folder / "cache")}
    return Engine(folder / "home", checkout, variables)


def test_preview_without_make_builds_the_missing_archives(tmp_path: Path) -> None:
    engine = fresh_clone(tmp_path)
    engine.create(STACK)
    assert not (engine.checkout / ".build").exists()
    engine.must("preview", "--stack", STACK)
    built = {path.name.rpartition("-")[0] for path in (engine.checkout / ".build").glob("*.zip")}
    functions = {path.parent.name.replace("_", "-") for path in engine.checkout.glob("functions/*/handler.py")}
    assert built == {*functions, "common-layer", "powertools-layer-arm64"}


def test_archive_that_cannot_be_built_stops_the_update_before_the_first_resource(tmp_path: Path) -> None:
    engine = fresh_clone(tmp_path)
    (tmp_path / "tiny-1.0-py3-none-any.whl").unlink()
    engine.create(STACK)
    ended = engine.up(STACK)
    assert ended.code != 0
    assert [resource["type"] for resource in engine.state(STACK)] == ["pulumi:pulumi:Stack"]
    assert "Traceback" not in ended.said
    assert "error: powertools layer: uv could not install powertools.txt for arm64: " in ended.said
    assert " Remedy: " in ended.said


def test_archive_folder_that_cannot_be_written_stops_the_update_before_the_first_resource(tmp_path: Path) -> None:
    engine = fresh_clone(tmp_path)
    (engine.checkout / ".build").write_text("in the way of the folder", encoding="utf-8")
    engine.create(STACK)
    ended = engine.up(STACK)
    assert ended.code != 0
    assert [resource["type"] for resource in engine.state(STACK)] == ["pulumi:pulumi:Stack"]
    assert "Traceback" not in ended.said
    assert "error: archives: got " in ended.said
