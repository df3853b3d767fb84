"""Load tests: a stack, many concurrent clients, and a few bulk reads that show what became of all their orders."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import urllib3

from local.client import Answer, client_of
from local.instance import Instance
from tests.journeys.checked_client import CheckedClient
from tests.journeys.fixtures import everything_on_the_bus
from tests.journeys.patience import Watcher
from tests.journeys.people import People, Person, lines
from tests.journeys.stack import Stack, start

T = TypeVar("T")
_PAUSE_S: Final = 0.5
_CONNECTIONS: Final = 256


@dataclass(frozen=True)
class Load:
    """A stack, and who puts load on it."""

    stack: Stack
    people: People
    admin: Person
    watcher: Watcher

    def customers(self, number: int) -> list[Person]:
        """Return new customers who are signed in and have no profile: no mail is sent to them."""
        made = [self.people.somebody() for _ in range(number)]
        at_once(number, [lambda each=each: each.id_token for each in made])
        return made

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield all rows of a table (`orders`, `inventory`, …) in DynamoDB's own JSON."""
        name = self.stack.ops["tables"][table]
        yield from self._all("dynamodb", "scan", "Items", TableName=name, ConsistentRead=True)

    def orders(self, mine: Callable[[dict[str, Any]], bool]) -> dict[str, dict[str, Any]]:
        """Return rows of the orders table by order id."""
        return {row["order_id"]["S"]: row for row in self.rows("orders") if mine(row)}

    def decided(self, order_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Return the rows of these orders once none is PENDING. Fails if one is not there, or does not end."""
        wanted = set(order_ids)

        def look() -> dict[str, dict[str, Any]]:
            found = self.orders(lambda row: row["order_id"]["S"] in wanted)
            assert set(found) == wanted, f"lost: {sorted(wanted - set(found))[:5]}"
            return {} if any(status(row) == "PENDING" for row in found.values()) else found

        return self.until(look, f"{len(wanted)} orders are decided")

    def until(self, look: Callable[[], T], what: str) -> T:
        """Return what `look` finds as soon as it is true: a look at all orders is work for the emulator too."""
        return self.watcher.until(look, what, pause_s=_PAUSE_S)

    def events(self, order_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return the events of these orders that came over the bus, whole."""
        wanted = set(order_ids)
        found = [json.loads(each["Body"]) for each in self.stack.queued(self.watcher.events_queue)]
        return [event for event in found if event["detail"]["order"]["order_id"] in wanted]

    def executions(self, order_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return the STANDARD executions that are named after these orders, as ListExecutions has them."""
        wanted, machine = set(order_ids), self.stack.ops["stateMachines"]["standard"]
        found = self._all("stepfunctions", "list_executions", "executions", stateMachineArn=machine)
        return [each for each in found if each["name"] in wanted]

    def recorded(self) -> list[str]:
        """Return the keys of all analytics objects."""
        found = self._all("s3", "list_objects_v2", "Contents", Bucket=self.stack.ops["analyticsBucket"])
        return [each["Key"] for each in found]

    def failures(self) -> dict[str, list[str]]:
        """Return what lies in each failure queue that is not empty."""
        queues: Mapping[str, Any] = self.stack.ops["failureQueues"]
        found = {name: self.stack.queued(queue["url"]) for name, queue in queues.items()}
        return {name: [each["Body"][:600] for each in messages] for name, messages in found.items() if messages}

    def _all(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        for page in self.stack.aws.client(service).get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])


def started(instance: Instance) -> Load:
    """Bring a stack of its own up for load."""
    stack = start(instance, LOCAL_DECISIONS="")
    plain = client_of(stack.outputs)
    pool = urllib3.PoolManager(retries=False, maxsize=_CONNECTIONS)
    people = People(stack, CheckedClient(plain.frontend, plain.cognito_url, pool))
    return Load(stack, people, people.somebody("admin"), Watcher(stack, everything_on_the_bus(stack)))


def at_once[T](clients: int, jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Return what the jobs give, in their order: begun in their order, `clients` of them at the same time."""
    with ThreadPoolExecutor(max_workers=clients) as pool:
        return [each.result() for each in [pool.submit(job) for job in jobs]]


def place(buyer: Person, way: str, items: Mapping[str, int], key: str) -> Answer:
    """Order by `way`, which is /orders or /process. There is no second try."""
    return buyer.rest("POST", way, lines(items), Idempotency_Key=key)


def status(row: Mapping[str, Any]) -> str:
    """Return the status of an order's row."""
    return row["status"]["S"]


def reason(row: Mapping[str, Any]) -> str:
    """Return the code of why an order's row was rejected or failed, or nothing."""
    return row["reason"]["M"]["code"]["S"] if "reason" in row else ""


def taken(row: Mapping[str, Any]) -> dict[str, int]:
    """Return what an order's row took from stock: {product: quantity}, nothing unless it is CONFIRMED."""
    if status(row) != "CONFIRMED":
        return {}
    return {line["M"]["product_id"]["S"]: int(line["M"]["quantity"]["N"]) for line in row["items"]["L"]}
