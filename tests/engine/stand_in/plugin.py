"""What both plugins do: serve on a free port, print it, and end with the CLI that started them."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Callable
from concurrent import futures
from typing import Any

import grpc


def serve(register: Callable[[Any], None], at_end: Callable[[], None] = lambda: None) -> None:
    """Serve until the CLI that started this process is gone. `register` adds the service to the server."""
    _grpc: Any = grpc
    server = _grpc.server(
        futures.ThreadPoolExecutor(max_workers=32), options=[("grpc.max_receive_message_length", 400 << 20)]
    )
    register(server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    sys.stdout.write(f"{port}\n")
    sys.stdout.flush()
    # The CLI receives Ctrl-C too. It ends its plugins itself after their last responses, so a plugin must ignore
    # Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.2)
    server.stop(0)
    at_end()
    os._exit(0)
