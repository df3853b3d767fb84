"""The files and names of an instance. Each port has its own instance and its own directory."""

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
# This text is both the access key id and the secret key of the emulator's root user. The deployment and the person at
# the terminal use these credentials.
ROOT_KEY: Final = "test"
# The emulator recognizes a repeated call by this header (emulator_fixes.repeated_calls).
ONCE: Final = "x-local-once"
HTTPS: Final = "/_ministack/https"
"""Path of the request that opens the emulator's HTTPS port (see emulator_fixes/https_page.py)."""


@dataclass(frozen=True)
class Instance:
    """An emulator and the deployment in it."""

    port: int
    """TCP port on the loopback interface."""
    home: Path
    """Directory with all files of the instance."""

    @property
    def url(self) -> str:
        """Endpoint of every AWS service of this instance."""
        return f"http://{HOST}:{self.port}"

    def command(self, name: str) -> str:
        """Return the command that a user types for this instance, for example `make up PORT=4600`."""
        return f"make {name}" if self.port == DEFAULT_PORT else f"make {name} PORT={self.port}"

    @property
    def anew(self) -> str:
        """The commands that delete the instance's data and start the instance again, with a note about the deletion."""
        return f"`{self.command('down')} && {self.command('up')}` (deletes the instance's data)"

    @property
    def log(self) -> Path:
        """File with the emulator's output."""
        return self.home / "emulator.log"

    @property
    def process(self) -> Path:
        """File with the record of the emulator's process."""
        return self.home / "emulator.json"

    @property
    def state(self) -> Path:
        """File with the inputs, id and outputs of every deployed resource, by URN."""
        return self.home / "state.json"

    @property
    def journal(self) -> Path:
        """File with the latest changes of the deployed resources, which the file `state` does not contain yet."""
        return self.home / "state.journal"

    @property
    def outputs(self) -> Path:
        """File with the stack outputs, as in `pulumi stack output --json`, and the sign-in data."""
        return self.home / "outputs.json"

    @property
    def certificate(self) -> Path:
        """File with the key and the certificate of the HTTPS port.

        `make down` keeps the file. Otherwise, users would have to accept a new certificate in their browsers.
        """
        return self.home / "https.pem"

    @property
    def data(self) -> Path:
        """Directory with the emulator's own files, which is deleted with the emulator."""
        return self.home / "data"


def instance(port: int = DEFAULT_PORT, home: Path | None = None) -> Instance:
    """Return the instance of `port`. Without `home`, its directory is .local for the default port, else .local/PORT."""
    if home is None:
        home = ROOT / ".local" if port == DEFAULT_PORT else ROOT / ".local" / str(port)
    # `os.path.realpath` raises no error for circular symbolic links. The command reports such links later, when it uses
    # the directory.
    return Instance(port=port, home=Path(os.path.realpath(home)))


def port_number(text: str) -> int:
    """Return the TCP port in a command line argument. Raises argparse.ArgumentTypeError if `text` is not a port."""
    if not text.isdecimal() or not 1 <= int(text) <= LAST_PORT:
        raise argparse.ArgumentTypeError(f"PORT: got {text!r}; allowed: 1 to {LAST_PORT}; default: {DEFAULT_PORT}")
    return int(text)


@contextmanager
def alone(instance: Instance) -> Generator[None]:
    """Lock the instance until the `with` block ends. Raises LocalError if another command has locked it."""
    instance.home.mkdir(parents=True, exist_ok=True)
    path = instance.home / "lock"
    with path.open("w") as file:
        try:
            with naming(path):
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise LocalError(
                f"another `make up` or `make down` is running on {instance.url}. Remedy: wait until it ends"
            ) from None
        yield


def write_private(path: Path, content: Any) -> None:
    """Write `content` as JSON in a file that only its owner can read. The file is written completely or not at all."""
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
        # Delete the unfinished file, because it would occupy space on a disk that may be full.
        with suppress(OSError):
            scratch.unlink()
        raise


class DamagedError(LocalError):
    """A file of the instance was changed or damaged after `write_private` wrote it."""


def read_json(path: Path, *keys: str, remedy: str) -> dict[str, Any] | None:
    """Return the JSON object that `write_private` wrote to `path`, or None if the file does not exist.

    Raises DamagedError with `remedy` if the file is not a JSON object with all `keys`. Pass at least one key. Without
    keys, this function would accept other JSON values, for example a list.
    """
    try:
        found: Any = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except (ValueError, RecursionError) as error:
        raise DamagedError(f"{path}: the content is not JSON ({error}). Remedy: {remedy}") from None
    held = cast("dict[str, Any]", found) if isinstance(found, dict) else {}
    if missing := [key for key in keys if key not in held]:
        raise DamagedError(f"{path}: the JSON object has no {', '.join(missing)}. Remedy: {remedy}")
    return held


def read_outputs(instance: Instance) -> dict[str, Any] | None:
    """Return the content of .local/outputs.json, or None before the first `make up`. Raises DamagedError."""
    return read_json(instance.outputs, "local", remedy=f"run `{instance.command('up')}`, which writes the file again")
