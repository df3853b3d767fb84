"""Entry point of the emulator's process. It applies the corrections and then starts the emulator."""

from __future__ import annotations

import argparse
import importlib
import sys

import emulator_fixes
from local import owner


def main() -> None:
    """Apply the corrections, and serve until a signal arrives or the owner process ends."""
    owner.obey()
    parser = argparse.ArgumentParser()
    # This process never reads the value of `--home`. `make down` finds the directory on the command line, and so
    # recognizes the process.
    parser.add_argument("--home", required=True)
    parser.add_argument("--without", action="append", default=[])
    arguments = parser.parse_args()
    emulator_fixes.apply(without=frozenset(arguments.without))
    sys.argv = sys.argv[:1]
    importlib.import_module("ministack.app").main()


if __name__ == "__main__":
    main()
