"""The common part of both Pulumi plugins: each listens on a free port, prints the port, and ends when the CLI ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc


def serve(register: Callable[[Any], None], at_end: Callable[[], None] = lambda: None) -> None:
    """Serve until the CLI that started this process has ended. `register` adds the plugin's service to the server."""
    _grpc: Any = grpc
    server = _grpc.server(
        futures.ThreadPoolExecutor(max_workers=32), options=[("grpc.max_receive_message_length", 400 << 20)]
    )
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # Exit on SIGINT, because the Pulumi CLI sends SIGINT to end a plugin, and waits up to five seconds until the plugin
    # exits. Ctrl-C at the terminal does not reach a plugin, because each plugin has its own process group.
    ended = threading.Event()

    def end(*_: object) -> None:
        ended.set()

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, end)
    parent = os.getppid()
    while os.getppid() == parent and not ended.wait(0.2):
        pass
    server.stop(0)
    at_end()
    os._exit(0)
