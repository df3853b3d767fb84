import queue
import socket
import socketserver
from dataclasses import dataclass, field
from typing import Any

from local.bootstrap import END_OF_LOG
from local.corrections import latency
from tests.local.cloud import Cloud, log_group


@dataclass
class Environment:
    """What the correction sees of one that lives, and how often it looked for a line."""

    lines: list[str]
    looks: int = 0
    _proc: Any = field(init=False)

    def __post_init__(self) -> None:
        self._proc = self

    @property
    def _stderr_queue(self) -> "Environment":
        return self

    def poll(self) -> None:
        """Say that the process has not ended."""

    def get(self, timeout: float) -> str:
        del timeout
        self.looks += 1
        if not self.lines:
            raise queue.Empty
        return self.lines.pop(0)


def drained(environment: Environment) -> str:
    return latency.drain(None, environment)


def test_the_log_of_an_invocation_ends_with_its_mark_and_nothing_is_waited_for() -> None:
    environment = Environment(["one", "two", END_OF_LOG, "of the next one"])

    assert drained(environment) == "one\ntwo"
    assert environment.looks == 3


def test_the_log_of_an_invocation_is_waited_for_however_long_it_takes() -> None:
    class Slow(Environment):
        def get(self, timeout: float) -> str:
            if self.looks < 100:
                self.looks += 1
                raise queue.Empty
            return super().get(timeout)

    assert drained(Slow(["late", END_OF_LOG])) == "late"


def test_the_log_of_an_environment_that_ended_is_what_it_printed() -> None:
    class Ended(Environment):
        def poll(self) -> Any:
            return 1

    assert drained(Ended(["last words"])) == "last words"


def test_a_server_answers_without_waiting_for_an_acknowledgement() -> None:
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


def test_the_log_of_an_invocation_is_what_it_printed(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): print('one'); print('two')")
    cloud.invoke(function, {})

    lines = cloud.log(log_group(function))
    assert [line for line in lines if not line.startswith(("START", "END", "REPORT"))] == ["one", "two"]
