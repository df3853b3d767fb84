"""Replaces the X-Ray daemon: receives the trace segments that Lambda functions on the emulator send."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

_LARGEST_BYTES: Final = 65_536
_BUFFER_BYTES: Final = 8 * 1024 * 1024


@dataclass
class Traces:
    """Receives trace segments on a UDP socket, and stores those that arrive within a `with` block of `following`."""

    socket: socket.socket
    found: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    """Received segments and subsegments, in the X-Ray SDK's format."""

    @classmethod
    @contextmanager
    def listening(cls) -> Generator[Traces]:
        """Open the socket on a free port, and close it at the end of the `with` block."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as made:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
            made.bind(("127.0.0.1", 0))
            yield cls(made)

    @property
    def address(self) -> str:
        """Value for the variable AWS_XRAY_DAEMON_ADDRESS, as host:port."""
        host, port = self.socket.getsockname()
        return f"{host}:{port}"

    @contextmanager
    def following(self) -> Generator[Traces]:
        """Within the `with` block, store arriving segments in `found`. Drops all earlier segments."""
        self.socket.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            while self.socket.recv(_LARGEST_BYTES):
                pass
        self.found.clear()
        ended = threading.Event()
        self.socket.settimeout(0.05)
        reader = threading.Thread(target=self._read, args=(ended,))
        reader.start()
        try:
            yield self
        finally:
            ended.set()
            reader.join()

    def _read(self, ended: threading.Event) -> None:
        while not ended.is_set():
            with contextlib.suppress(TimeoutError):
                # Each packet consists of two lines: a header, and the trace segment as JSON.
                self.found.append(json.loads(self.socket.recv(_LARGEST_BYTES).partition(b"\n")[2]))
