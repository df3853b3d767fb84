import itertools
import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from emulator_fixes.environments import PLACES, Line, acquire, release
from local.patience import PATIENCE
from tests.local.cloud import Cloud, eventually

_LIMIT_S = 2
_ROUNDED_S = 0.002
"""Rounding error: a function sees its remaining time in whole milliseconds."""
_SLOW = """
import os, time
def handle(event, context):
    ends = time.time() + context.get_remaining_time_in_millis() / 1000
    time.sleep(0.1)
    return [os.getpid(), ends, time.time()]
"""


def test_time_limit_of_an_invocation_starts_when_it_gets_an_execution_environment(cloud: Cloud) -> None:
    function = cloud.function(_SLOW, Timeout=_LIMIT_S)
    many = 4 * PLACES
    with ThreadPoolExecutor(many) as pool:
        answers = [each.result() for each in [pool.submit(cloud.invoke, function, {}) for _ in range(many)]]

    # Maps the process id of each execution environment to its invocations, in the order in which they ended. Each
    # invocation is a pair: the time at which its time limit expires, and the time at which it ended.
    environments: defaultdict[int, list[tuple[float, float]]] = defaultdict(list)
    for process, limit, ended in sorted(answers, key=lambda answer: answer[2]):
        environments[process].append((limit, ended))
    assert len(environments) <= PLACES
    for invocations in environments.values():
        for (_, before), (limit, _) in itertools.pairwise(invocations):
            assert limit >= before + _LIMIT_S * PATIENCE - _ROUNDED_S, (
                "an invocation's time limit starts when the previous invocation in its environment has ended"
            )


def test_waiting_invocations_run_in_order_of_arrival() -> None:
    line, order, threads = Line(1), list[int](), list[threading.Thread]()
    line.enter()
    for number in range(5):
        arrived = len(line.waiting)

        def go(number: int = number) -> None:
            line.enter()
            order.append(number)
            line.leave()

        threads.append(threading.Thread(target=go))
        threads[-1].start()
        while len(line.waiting) == arrived:
            pass
    line.leave()
    for thread in threads:
        thread.join()

    assert order == list(range(5))


def test_failed_invocation_frees_its_environment(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): raise ValueError('no')")
    for _ in range(PLACES + 1):
        assert cloud.invoke(function, {})["errorType"] == "ValueError"


def test_waiting_invocations_do_not_count_toward_account_concurrency() -> None:
    config = {"FunctionArn": "arn:aws:lambda:eu-west-1:000000000000:function:f", "FunctionName": "f"}
    at_work: list[str] = []

    def take(_function: Any, config: dict[str, str]) -> tuple[str, None]:
        at_work.append(config["FunctionName"])
        return "000000000000:eu-west-1:f", None

    def drop(_slot: str) -> None:
        at_work.pop()

    def invoke() -> None:
        acquire(take, {}, config)

    callers = [threading.Thread(target=invoke) for _ in range(PLACES + 2)]
    for caller in callers:
        caller.start()
    assert eventually(lambda: sum(caller.is_alive() for caller in callers) == 2)
    assert len(at_work) == PLACES
    for _ in range(2):
        release(drop, "000000000000:eu-west-1:f")
    for caller in callers:
        caller.join()
    assert len(at_work) == PLACES


def test_invocation_above_the_concurrency_limit_is_refused_immediately() -> None:
    line = Line(1)

    assert line.enter(limit=2)
    waiting = threading.Thread(target=line.enter, kwargs={"limit": 2})
    waiting.start()
    assert eventually(lambda: len(line.waiting) == 1)
    assert not line.enter(limit=2)
    line.leave()
    waiting.join(5)
    assert not waiting.is_alive()
