"""Node.js and the npm packages of tests/browser/package.json, which `make .venv/browser/installed` installs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.graph import ROOT

_ENVIRONMENT: Final = Path(sys.prefix)
_CLIENT: Final = ROOT / "clients" / "typescript"
_PACKAGES: Final = _ENVIRONMENT / "browser" / "node_modules"
PAGES: Final = Path(__file__).resolve().parent / "pages"


def run(*arguments: str) -> str:
    """Run Node.js with `arguments`, and return its output. Node.js finds the packages through NODE_PATH."""
    node = _ENVIRONMENT / "bin" / "node"
    for path in (node, _PACKAGES):
        assert path.exists(), f"{path} is missing; run `make .venv/browser/installed`"
    done = subprocess.run(  # noqa: S603 - the command runs a program of this repository's packages
        [str(node), *arguments],
        cwd=_PACKAGES.parent,
        env={**os.environ, "NODE_PATH": str(_PACKAGES)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def bundle(page: str) -> str:
    """Return one script with the code of the test page `page` (pages/PAGE.js) and of the packages that it imports."""
    esbuild = str(_PACKAGES / "esbuild" / "bin" / "esbuild")
    alias = f"--alias:@orders/client={_CLIENT / 'dist' / 'index.js'}"
    return run(esbuild, str(PAGES / f"{page}.js"), "--bundle", alias, "--format=esm", "--log-level=error")
