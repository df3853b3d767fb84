"""`python -m tests.engine.releases`: stores the deployed state of the release whose version pyproject.toml has."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.engine.releases import write_release

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for path in write_release(Path(scratch)):
            sys.stdout.write(f"{path.relative_to(Path.cwd())}: {path.stat().st_size} bytes\n")
