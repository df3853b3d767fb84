"""The local platform: runs the unchanged Pulumi program on one machine, on an embedded emulator of AWS."""

import time
from typing import Final

import cli

BEGAN: Final = time.monotonic()
"""Time at which the command started, before its slow imports (monotonic clock, seconds)."""
cli.begin()
