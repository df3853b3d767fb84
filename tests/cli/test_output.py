"""A command completes its work even if its output cannot be written. The tests run small commands."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Generator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from tests.cli.conftest import Command

# This command writes more output than fits into a pipe's buffer and Python's buffer together.
LONG = """
for number in range(50_000):
    print("line", number)
Path({done!r}).touch()
sys.exit(3)
"""
needs_full = pytest.mark.skipif(
    not Path("/dev/full").exists(), reason="only Linux has /dev/full, a device that is always full"
)


@contextmanager
def closed_pipe() -> Generator[int]:
    """Yield the writing end of a pipe whose reading end is closed."""
    read, write = os.pipe()
    os.close(read)
    try:
        yield write
    finally:
        os.close(write)


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_message_on_standard_error_appears_at_once(command: Command, unbuffered: str) -> None:
    small = command("""
import os
sys.stderr.write("first\\n")
os.write(1, b"second\\n")
""")
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    ended = subprocess.run(small, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment, check=False)  # noqa: S603
    assert ended.stdout == b"first\nsecond\n"


def test_command_completes_if_nobody_reads_its_output_from_the_start(command: Command, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with closed_pipe() as write:
        long = command(LONG.format(done=str(done)))
        ended = subprocess.run(long, stdout=write, stderr=subprocess.PIPE, check=False)  # noqa: S603
    assert (ended.returncode, ended.stderr) == (3, b"")
    assert done.exists()


def test_command_completes_if_the_reader_of_its_output_ends_early(command: Command, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with subprocess.Popen(  # noqa: S603
        command(LONG.format(done=str(done))), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stderr
        assert process.stdout.readline() == b"line 0\n"
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 3
    assert done.exists()


@needs_full
def test_full_disk_is_reported_after_the_command_has_done_its_work(command: Command, tmp_path: Path) -> None:
    done = tmp_path / "done"
    with Path("/dev/full").open("wb") as full:
        long = command(LONG.format(done=str(done)))
        ended = subprocess.run(long, stdout=full, stderr=subprocess.PIPE, check=False)  # noqa: S603
    assert ended.returncode == 1
    assert ended.stderr.startswith(
        b"error: standard output: No space left on device; the command finished, but its output is incomplete."
    )
    assert ended.stderr.count(b"\n") == 1
    assert done.exists()


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_a_command_runs_without_standard_streams(command: Command, tmp_path: Path, closed: str) -> None:
    done = tmp_path / "done"
    # If standard output is closed, file descriptor 1 is free. The file `done` must not get this descriptor, because
    # child processes would use it as their standard output, and write into the file.
    body = f"""
        import os
        with Path({str(done)!r}).open("w") as file:
            print("to nobody")
            os.system("echo to nobody")
            sys.stderr.write("to nobody either")
            file.write("done")
    """
    shell = ["sh", "-c", f'"$@" {closed}', "sh", *command(body)]
    ended = subprocess.run(shell, capture_output=True, check=False)  # noqa: S603
    assert ended.returncode == 0
    assert done.read_text() == "done"


def test_command_waits_for_the_reader_of_a_full_non_blocking_pipe(command: Command, tmp_path: Path) -> None:
    prints = tmp_path / "prints"
    read, write = os.pipe()
    os.set_blocking(write, False)
    for size in (1000, 1):
        with suppress(BlockingIOError):
            while True:
                os.write(write, b"\n" * size)
    line = command(f"Path({str(prints)!r}).touch(); print('line', flush=True)")
    with subprocess.Popen(line, stdout=write) as process:  # noqa: S603
        os.close(write)
        while not prints.exists():
            time.sleep(0.01)
        with suppress(subprocess.TimeoutExpired):
            process.wait(0.3)
        with os.fdopen(read) as output:
            assert output.read().endswith("line\n")
    assert process.returncode == 0
