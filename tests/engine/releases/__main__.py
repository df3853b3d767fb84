"""`python -m tests.engine.releases`: writes the files with which later versions test the update from this release.

The version of the release is in pyproject.toml. The files contain the deployed states, the data that the Lambda
functions write, and the source code of the functions.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.engine.releases import write_release
from tests.releases.stored import write_data

if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        for path in [*write_data(), *write_release(Path(scratch))]:
            sys.stdout.write(f"{path.relative_to(Path.cwd())}: {path.stat().st_size} bytes\n")
