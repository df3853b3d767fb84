"""The platform on one machine: the unchanged Pulumi program, run on an embedded emulator of AWS."""

import time
from typing import Final

import cli

BEGAN: Final = time.monotonic()
"""When the command was given: its imports count."""
cli.begin()
