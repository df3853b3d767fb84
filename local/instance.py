"""Where an instance keeps what it knows: one directory for each port."""

from __future__ import annotations

import argparse
import fcntl
import json
import os
from collections.abc import Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

from cli.errors import naming
from local.errors import LocalError

ROOT: Final = Path(__file__).resolve().parent.parent
DEFAULT_PORT: Final = 4566
LAST_PORT: Final = 65_535
HOST: Final = "127.0.0.1"
ACCOUNT: Final = "000000000000"
# These are the emulator's root credentials, which the deployment and the person at the terminal use.
ROOT_KEY: Final = "test"
# The emulator recognizes a repeated call by this header (local.corrections.repeated_calls).
ONCE: Final = "x-local-once"


@dataclass(frozen=True)
class Instance:
    """An emulator, and the deployment in it."""

    port: int
    """TCP port on the loopback interface."""
    home: Path
    """Directory with everything that belongs to it."""

    @property
    def url(self) -> str:
        """Endpoint of every AWS service of this instance."""
        return f"http://{HOST}:{self.port}"

    def command(self, name: str) -> str:
        """Return the command that a person types for this instance: `make up PORT=4600`."""
        return f"make {name}" if self.port == DEFAULT_PORT else f"make {name} PORT={self.port}"

    @property
    def anew(self) -> str:
        """The commands that start the instance again without its data, with a warning that the data is deleted."""
        return f"`{self.command('down')} && {self.command('up')}` (deletes its data)"

    @property
    def log(self) -> Path:
        """What the emulator prints."""
        return self.home / "emulator.log"

    @property
    def process(self) -> Path:
        """Which process the emulator is."""
        return self.home / "emulator.json"

    @property
    def state(self) -> Path:
        """Every resource that was deployed: URN -> inputs, id, outputs."""
        return self.home / "state.json"

    @property
    def journal(self) -> Path:
        """Changes of the state that are not in `state` yet."""
        return self.home / "state.journal"

    @property
    def outputs(self) -> Path:
        """What `pulumi stack output --json` gives, and how to sign in."""
        return self.home / "outputs.json"

    @property
    def data(self) -> Path:
        """The emulator's own files, gone with it."""
        return self.home / "data"


def instance(port: int = DEFAULT_PORT, home: Path | None = None) -> Instance:
    """Return the instance of `port`: .local for the default port, .local/PORT for the others."""
    if home is None:
        home = ROOT / ".local" if port == DEFAULT_PORT else ROOT / ".local" / str(port)
    # Unlike Path.resolve, os.path.realpath accepts circular symbolic links. The error then appears when a command uses
    # the directory.
    return Instance(port=port, home=Path(os.path.realpath(home)))


def port_number(text: str) -> int:
    """Return the TCP port that an argument names. Raises argparse.ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(
            f"PORT: got {text!r}; allowed: 1 to {LAST_PORT}; the default is {DEFAULT_PORT}"
        )
    return int(text)


@contextmanager
def alone(instance: Instance) -> Generator[None]:
    """Let nobody else change the instance meanwhile. Raises LocalError if somebody is at it."""
    instance.home.mkdir(parents=True, exist_ok=True)
    path = instance.home / "lock"
    with path.open("w") as file:
        try:
            with naming(path):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                f"another `make up` or `make down` is at work on {instance.url}. Remedy: wait until it has ended"
            ) from None
        yield


def write_private(path: Path, content: Any) -> None:
    """Write `content` as JSON, readable by its owner alone, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        with naming(scratch):
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(content, file, indent=1, ensure_ascii=False)
                file.write("\n")
        scratch.replace(path)
    except OSError:
        # The unfinished file is deleted, because it occupies space that a full disk needs.
        with suppress(OSError):
            scratch.unlink()
        raise


class DamagedError(LocalError):
    """A file of the instance is not what `write_private` wrote."""


def read_json(path: Path, *keys: str, remedy: str) -> dict[str, Any] | None:
    """Return the object that `write_private` wrote, or None if there is none.

    Raises DamagedError, with `remedy`, for anything but a JSON object with `keys`, of which there is one at least.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: got no JSON ({error}). Remedy: {remedy}") from None
    held = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if missing := [key for key in keys if key not in held]:
        raise DamagedError(f"{path}: got no {', '.join(missing)}. Remedy: {remedy}")
    return held


def read_outputs(instance: Instance) -> dict[str, Any] | None:
    """Return what .local/outputs.json holds, or None before the first `make up`. Raises DamagedError."""
    return read_json(instance.outputs, "local", remedy=f"{instance.command('up')} writes it again")
