"""The archives of functions and layers have the right contents, and unchanged sources give identical archives."""

import os
import re
import shutil
import types
import zipfile
import zlib
from pathlib import Path

import pytest

from components.functions import archives, generated_code
from components.functions.byte_code import BuildError


def entries(archive: object) -> dict[str, bytes]:
    with zipfile.ZipFile(getattr(archive, "path")) as file:  # noqa: B009 - the SDK has no type for it
        return {entry.filename: file.read(entry) for entry in file.infolist()}


def test_function_archive_contains_only_its_package() -> None:
    names = set(entries(archives.function_archive("users_api")))
    assert "users_api/handler.py" in names
    assert all(name.startswith("users_api/") and name.endswith(".py") for name in names)


def test_unknown_function_is_reported_by_name() -> None:
    with pytest.raises(FileNotFoundError, match=r"no functions/nobody/handler\.py"):
        archives.function_archive("nobody")


def test_archive_does_not_depend_on_file_times_modes_or_byte_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def built(name: str, *, disturbed: bool) -> bytes:
        root = tmp_path / name
        shutil.copytree(archives.FUNCTIONS, root / "functions", ignore=shutil.ignore_patterns("__pycache__"))
        if disturbed:
            for path in (root / "functions" / "users_api").iterdir():
                os.utime(path, (1, 1))
                path.chmod(0o755)
            cache = root / "functions" / "users_api" / "__pycache__"
            cache.mkdir()
            (cache / "handler.cpython-311.pyc").write_bytes(b"x")
        monkeypatch.setattr(archives, "FUNCTIONS", root / "functions")
        monkeypatch.setattr(archives, "BUILD", root / "build")
        return Path(str(archives.function_archive("users_api").path)).read_bytes()

    assert built("a", disturbed=False) == built("b", disturbed=True)


def test_archive_does_not_depend_on_the_machines_zlib(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def built(name: str) -> bytes:
        monkeypatch.setattr(archives, "BUILD", tmp_path / name)
        return Path(str(archives.function_archive("users_api").path)).read_bytes()

    usual = built("usual")

    # Some Python builds use zlib-ng, whose compressed output differs from zlib's for the same data. This function
    # simulates zlib-ng with a different compression level.
    def compressed_otherwise(_level: int, method: int, window: int) -> object:
        return zlib.compressobj(1, method, window)

    monkeypatch.setattr(zipfile, "zlib", types.SimpleNamespace(**{**vars(zlib), "compressobj": compressed_otherwise}))
    assert built("other") == usual


def test_changed_source_changes_the_archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(archives.FUNCTIONS, tmp_path / "functions", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(archives, "FUNCTIONS", tmp_path / "functions")
    monkeypatch.setattr(archives, "BUILD", tmp_path / "build")
    before = Path(str(archives.function_archive("users_api").path)).read_bytes()
    with (tmp_path / "functions" / "users_api" / "handler.py").open("a") as file:
        file.write("# changed\n")
    assert Path(str(archives.function_archive("users_api").path)).read_bytes() != before


def test_common_layer_contains_shared_code_validators_and_sdk_data() -> None:
    files = entries(archives.common_layer_archive())
    assert "python/shared/errors.pyc" in files
    for name in generated_code.schemas():
        assert f"python/shared/checks/{name}.pyc" in files
    assert "python/shared/sdk/dynamodb/2012-08-10/service-2.json" in files


def test_layer_contains_no_stale_generated_files() -> None:
    stale = archives.FUNCTIONS / "shared" / "checks" / "stale.py"
    stale.write_text("")
    try:
        assert "python/shared/checks/stale.pyc" not in entries(archives.common_layer_archive())
    finally:
        stale.unlink()


@pytest.mark.parametrize("architecture", ["arm64"])
def test_wheels_of_the_powertools_layer_match_the_functions_platform(architecture: str) -> None:
    files = entries(archives.powertools_layer_archive(architecture))
    tags = {
        name: re.findall(r"^Tag: (.+)$", data.decode(), re.MULTILINE)
        for name, data in files.items()
        if name.endswith(".dist-info/WHEEL")
    }
    assert len(tags) >= 4
    machine = {"arm64": "aarch64", "x86_64": "x86_64"}[architecture]
    for name, found in tags.items():
        assert any(re.search(rf"(-none-any$)|(cp313-cp313-manylinux.*{machine})", tag) for tag in found), (name, found)
    for name in files:
        if name.endswith(".so"):
            assert name.endswith(f".cpython-313-{machine}-linux-gnu.so"), name


def test_powertools_layer_contains_no_sdk_and_no_records_of_the_installation() -> None:
    names = set(entries(archives.powertools_layer_archive("arm64")))
    roots = {name.split("/")[1] for name in names}
    assert {"aws_lambda_powertools", "aws_xray_sdk", "wrapt"} <= roots
    assert not roots & {"boto3", "botocore", "jmespath", "urllib3", "fastjsonschema", "bin"}
    assert not [name for name in names if "__pycache__" in name or name.endswith(("RECORD", "INSTALLER"))]


def test_failed_download_reports_the_layer_lock_file_and_platform(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lock = tmp_path / "broken.txt"
    lock.write_text("nonexistent-package==1 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(archives, "LAYER_LOCK", lock)
    monkeypatch.setattr(archives, "BUILD", tmp_path)
    monkeypatch.setenv("UV_OFFLINE", "1")
    with pytest.raises(BuildError, match=r"powertools layer: uv could not install broken\.txt for arm64"):
        archives.powertools_layer_archive("arm64")
