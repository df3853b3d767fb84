"""Ends an emulator when its owner process ends, even if the owner is killed.

The emulator's standard input is a pipe that its owner holds open. The operating system closes the pipe when the owner
ends. The emulator therefore does not need to poll for its owner by a process id, which another process could reuse.
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
    """Return the read end of a pipe whose write end closes when this process ends.

    Pass it to an emulator as its standard input, from which `obey` reads.
    """
    # This process never closes the write end of the pipe. The operating system closes it when the process ends.
    read, _ = os.pipe()
    return read


def obey() -> None:
    """End this process and its process group when its owner process ends.

    The emulator's functions are in the process group, so they end too.
    """
    threading.Thread(target=_wait, daemon=True).start()


def _wait() -> None:
    if not os.read(_STANDARD_INPUT, 1):
        os.killpg(os.getpid(), signal.SIGKILL)
