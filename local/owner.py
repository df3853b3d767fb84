"""Who an emulator belongs to: it ends when its owner ends, even if that one is killed.

The emulator's standard input is a pipe that its owner holds open. The kernel closes the pipe with its last holder, on
every system, so nothing has to be polled and no process number can be mistaken for another's.
"""

from __future__ import annotations

import os
import signal
import threading
from functools import cache
from typing import Final

_STANDARD_INPUT: Final = 0


@cache
def this_process() -> int:
    """Return the file descriptor to read from for what shall belong to this process until it ends."""
    # Nobody closes the write end of the pipe, so the operating system closes it when this process ends.
    read, _ = os.pipe()
    return read


def obey() -> None:
    """End this process and its whole group when the owner ends. The functions of an emulator are in its group."""
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    if not os.read(_STANDARD_INPUT, 1):
        os.killpg(os.getpid(), signal.SIGKILL)
