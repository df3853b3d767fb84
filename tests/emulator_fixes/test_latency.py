import queue
import socket
import socketserver
from dataclasses import dataclass, field
from typing import Any

from emulator_fixes import latency
from local.bootstrap import END_OF_LOG
from tests.local.cloud import Cloud, log_group


@dataclass
class Environment:
    """A fake execution environment whose log contains `lines`. `looks` is the number of attempts to read a line."""

    lines: list[str]
    looks: int = 0
    _proc: Any = field(init=False)

    def __post_init__(self) -> None:
        self._proc = self

    @property
    def _stderr_queue(self) -> "Environment":
        return self

    def poll(self) -> None:
        """Return None, as `poll` of a running process does."""

    def get(self, timeout: float) -> str:
        del timeout
        self.looks += 1
        if not self.lines:
            raise queue.Empty
        return self.lines.pop(0)


def drained(environment: Environment) -> str:
    return latency.drain(None, environment)


def test_reading_an_invocation_log_stops_at_the_end_marker() -> None:
    environment = Environment(["one", "two", END_OF_LOG, "of the next one"])

    assert drained(environment) == "one\ntwo"
    assert environment.looks == 3


def test_reading_an_invocation_log_waits_for_late_lines() -> None:
    class Slow(Environment):
        def get(self, timeout: float) -> str:
            if self.looks < 100:
                self.looks += 1
                raise queue.Empty
            return super().get(timeout)

    assert drained(Slow(["late", END_OF_LOG])) == "late"


def test_log_of_an_ended_execution_environment_needs_no_end_marker() -> None:
    class Ended(Environment):
        def poll(self) -> Any:
            return 1

    assert drained(Ended(["last words"])) == "last words"


def test_server_connections_disable_nagles_algorithm() -> None:
    delays_small_packets: list[bool] = []

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            delays_small_packets.append(not self.connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))

    with (
        socketserver.TCPServer(("127.0.0.1", 0), Handler) as server,
        socket.create_connection(("127.0.0.1", server.server_address[1])),
    ):
        server.handle_request()
    assert delays_small_packets == [False]


def test_log_group_contains_the_lines_of_an_invocation(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): print('one'); print('two')")
    cloud.invoke(function, {})

    lines = cloud.log(log_group(function))
    assert [line for line in lines if not line.startswith(("START", "END", "REPORT"))] == ["one", "two"]
