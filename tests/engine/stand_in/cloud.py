"""The stand-in for AWS: a file with the resources that exist, and a file with the calls of the last command."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.stand_in.kinds import Things


@dataclass(frozen=True)
class Cloud:
    """A folder with the resources that exist (things.json), and the calls of the last command (calls.jsonl)."""

    folder: Path

    @contextmanager
    def locked(self) -> Generator[Things]:
        """Yield {key: resource}, which the caller can change. A key consists of the resource's type and name.

        When the `with` block ends, saves the changes. Until then, other processes that call `locked` wait.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "lock").open("w", encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            path = self.folder / "things.json"
            before = path.read_text(encoding="utf-8") if path.exists() else "{}"
            things: Things = json.loads(before)
            yield things
            # Write the JSON without indentation. Indentation makes the encoder ten times slower, and each call encodes
            # all resources.
            after = json.dumps(things, sort_keys=True)
            if after != before:
                new = path.with_suffix(".new")
                new.write_text(after, encoding="utf-8")
                new.replace(path)

    def restore(self, things: Things, number: int) -> None:
        """Replace all resources with `things`. `number` is the last number that `next_number` returned."""
        with self.locked() as known:
            known.clear()
            known.update(things)
            (self.folder / "count").write_text(str(number), encoding="utf-8")

    def note(self, call: str, urn: str, **more: Any) -> None:
        """Record the call `call` for the resource `urn`. Call this method only within a `with` block of `locked`."""
        with (self.folder / "calls.jsonl").open("a", encoding="utf-8") as calls:
            calls.write(json.dumps({"call": call, "urn": urn, **more}) + "\n")

    def calls(self) -> list[dict[str, Any]]:
        """Return the recorded calls, oldest first."""
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()] if path.exists() else []

    def forget_calls(self) -> None:
        """Delete the recorded calls."""
        (self.folder / "calls.jsonl").unlink(missing_ok=True)

    def next_number(self) -> int:
        """Return a number that this method never returned before. Call it only within a `with` block of `locked`."""
        path = self.folder / "count"
        number = int(path.read_text(encoding="utf-8")) + 1 if path.exists() else 1
        # A test can kill the provider at this point. Write the counter to a new file and rename this file, so that a
        # kill cannot leave a half-written counter.
        new = path.with_suffix(".new")
        new.write_text(str(number), encoding="utf-8")
        new.replace(path)
        return number
