"""Every command ends with an exit code, and reports an error in one line."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from cli import endings, errors


class TooBigError(Exception):
    """An error that the command expects, with a message for users."""


def _run(error: BaseException | None, log: Path) -> int:
    def command() -> int:
        if error:
            raise error
        return 0

    return endings.run(command, log, known=(TooBigError,), failed=2)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (TooBigError("size: got 7; allowed: 1-5"), "error: size: got 7; allowed: 1-5\n"),
        (KeyboardInterrupt(), "interrupted\n"),
        (OSError(errno.ENOSPC, "No space", "/data/x"), "error: /data/x: No space. Remedy: free some disk space"),
    ],
)
def test_expected_error_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: BaseException, said: str
) -> None:
    assert _run(error, tmp_path / "error.log") == 2
    written = capsys.readouterr().err
    assert written.startswith(said)
    assert written.count("\n") == 1
    assert not list(tmp_path.iterdir())


def test_unexpected_error_is_reported_in_one_line_with_its_traceback_in_a_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "new" / "error.log"
    assert _run(KeyError("first\nsecond"), log) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert said.endswith(f"Remedy: report the bug and attach {log}\n")
    assert log.read_text().startswith("Traceback")
    assert 'KeyError: "first' in log.read_text() or "KeyError: 'first" in log.read_text()


def test_traceback_goes_to_a_temporary_file_if_the_error_log_is_unwritable(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    _run(KeyError("x"), tmp_path / "file" / "error.log")
    name = capsys.readouterr().err.strip().rpartition(" ")[2]
    assert Path(name).parent == tmp_path
    assert "KeyError" in Path(name).read_text()


def test_successful_command_prints_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert _run(None, tmp_path / "error.log") == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp1252", "shift_jis", "utf-8"])
def test_output_replaces_only_characters_that_its_encoding_lacks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, encoding: str
) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)

    def command() -> int:
        sys.stdout.write("1 → 2 … “mail” é 注文 \udce9 end\n")
        return 0

    assert endings.run(command, tmp_path / "error.log", known=()) == 0
    stream.flush()
    said = written.getvalue().decode(encoding)
    assert said.startswith("1 ")
    assert said.endswith(" end\n")
    assert "mail" in said


@pytest.mark.parametrize("name", ["stdout", "stderr"])
def test_closed_standard_stream_does_not_change_the_exit_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(sys, name, None)
    assert _run(TooBigError("x"), tmp_path / "error.log") == 2


@pytest.mark.parametrize(
    ("number", "remedy"),
    [
        (errno.EACCES, "sudo chown -R"),
        (errno.EPERM, "sudo chown -R"),
        (errno.EROFS, "writable copy of the checkout"),
        (errno.ENOSPC, "free some disk space"),
        (errno.EDQUOT, "free some disk space"),
        (errno.EMFILE, "ulimit -n"),
        (errno.ENAMETOOLONG, "shorter path"),
        (errno.EAGAIN, "ulimit -u"),
        (errno.ENOMEM, "close other programs"),
        (errno.ENOENT, "check that the file exists"),
        (errno.ENOTSUP, "fix the cause"),
    ],
)
def test_system_error_is_reported_with_a_remedy_for_its_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, remedy: str
) -> None:
    monkeypatch.setattr(errors, "_CHECKOUT", tmp_path)
    path = tmp_path / ".local" / "lock"
    said = errors.described(OSError(number, os.strerror(number), str(path)))
    assert said.startswith(f"{path}: {os.strerror(number)}. Remedy: ")
    assert remedy in said


@pytest.mark.parametrize("number", [errno.EACCES, errno.EISDIR, errno.EEXIST])
def test_remedy_contains_no_command_that_changes_files_outside_the_checkout(tmp_path: Path, number: int) -> None:
    said = errors.described(OSError(number, "Refused", str(tmp_path)))
    assert not [command for command in ("mv ", "sudo", "chmod") if command in said]
    assert str(tmp_path) in said.partition("Remedy: ")[2]


@pytest.mark.parametrize("depth", [0, 2])
def test_remedy_is_to_rename_a_file_that_exists_in_place_of_a_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, depth: int
) -> None:
    monkeypatch.setattr(errors, "_CHECKOUT", tmp_path)
    path = tmp_path / "a place"
    path.touch()
    wanted = path.joinpath(*"xy"[:depth])
    with pytest.raises(OSError) as refused:  # noqa: PT011 - the error type depends on the depth
        wanted.mkdir(parents=True, exist_ok=True)
    _, remedy, command = errors.described(refused.value).partition("Remedy: rename the existing path: ")
    assert remedy
    subprocess.run(["/bin/sh", "-c", command], check=True)  # noqa: S603 - the command is a remedy from a message of this repository
    wanted.mkdir(parents=True, exist_ok=True)


def test_error_with_two_paths_contains_the_target_path() -> None:
    error = OSError(errno.EROFS, "Read-only", "/source", None, "/target")
    assert errors.described(error).startswith("/target: Read-only. Remedy: ")


@pytest.mark.parametrize("error", [OSError("words"), OSError(errno.EIO, "I/O error"), OSError(errno.EBADF, "Bad", 7)])
def test_error_without_a_file_is_reported_with_a_remedy(error: OSError) -> None:
    said = errors.described(error)
    assert said.startswith("the operating system: ")
    assert "Remedy: " in said
