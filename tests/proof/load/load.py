"""Helpers of the load attacks: many concurrent requests, and bulk reads that show the results of all orders."""

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
    """A stack, and the people who send requests to it."""

    stack: Stack
    people: People
    admin: Person
    watcher: Watcher

    def customers(self, number: int) -> list[Person]:
        """Create customers, and sign them in. They have no profile, so no emails are sent to them."""
        made = [self.people.somebody() for _ in range(number)]
        at_once(number, [lambda each=each: each.id_token for each in made])
        return made

    def rows(self, table: str) -> Iterator[dict[str, Any]]:
        """Yield all rows of a table, for example `orders`, in DynamoDB's JSON."""
        name = self.stack.ops["tables"][table]
        yield from self._all("dynamodb", "scan", "Items", TableName=name, ConsistentRead=True)

    def orders(self, mine: Callable[[dict[str, Any]], bool]) -> dict[str, dict[str, Any]]:
        """Return {order id: row} for the rows of the orders table for which `mine` returns True."""
        return {row["order_id"]["S"]: row for row in self.rows("orders") if mine(row)}

    def decided(self, order_ids: Iterable[str]) -> dict[str, dict[str, Any]]:
        """Wait until none of these orders is PENDING, and return {order id: row}. Fail if an order has no row."""
        wanted = set(order_ids)

        def look() -> dict[str, dict[str, Any]]:
            found = self.orders(lambda row: row["order_id"]["S"] in wanted)
            assert set(found) == wanted, f"orders without a row: {sorted(wanted - set(found))[:5]}"
            return {} if any(status(row) == "PENDING" for row in found.values()) else found

        return self.until(look, f"{len(wanted)} orders are no longer PENDING")

    def until(self, look: Callable[[], T], what: str) -> T:
        """Call `look` until its result is true, and return the result.

        The pause between calls is long, because reading all orders often would slow down the emulator.
        """
        return self.watcher.until(look, what, pause_s=_PAUSE_S)

    def events(self, order_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return all events of these orders that were published on the bus."""
        wanted = set(order_ids)
        found = [json.loads(each["Body"]) for each in self.stack.queued(self.watcher.events_queue)]
        return [event for event in found if event["detail"]["order"]["order_id"] in wanted]

    def executions(self, order_ids: Iterable[str]) -> list[dict[str, Any]]:
        """Return the STANDARD executions of these orders, as ListExecutions returns them."""
        wanted, machine = set(order_ids), self.stack.ops["stateMachines"]["standard"]
        found = self._all("stepfunctions", "list_executions", "executions", stateMachineArn=machine)
        return [each for each in found if each["name"] in wanted]

    def recorded(self) -> list[str]:
        """Return the keys of all analytics objects."""
        found = self._all("s3", "list_objects_v2", "Contents", Bucket=self.stack.ops["analyticsBucket"])
        return [each["Key"] for each in found]

    def failures(self) -> dict[str, list[str]]:
        """Return {name of a failure queue: message bodies} for all failure queues that aren't empty."""
        queues: Mapping[str, Any] = self.stack.ops["failureQueues"]
        found = {name: self.stack.queued(queue["url"]) for name, queue in queues.items()}
        return {name: [each["Body"][:600] for each in messages] for name, messages in found.items() if messages}

    def _all(self, service: str, operation: str, key: str, **parameters: Any) -> Iterator[dict[str, Any]]:
        for page in self.stack.aws.client(service).get_paginator(operation).paginate(**parameters):
            yield from page.get(key, [])


def started(instance: Instance) -> Load:
    """Deploy a stack on the given instance, and return it with an admin and a client for many connections."""
    stack = start(instance, LOCAL_DECISIONS="")
    plain = client_of(stack.outputs)
    pool = urllib3.PoolManager(retries=False, maxsize=_CONNECTIONS)
    people = People(stack, CheckedClient(plain.frontend, plain.cognito_url, pool))
    return Load(stack, people, people.somebody("admin"), Watcher(stack, everything_on_the_bus(stack)))


def at_once[T](clients: int, jobs: Sequence[Callable[[], T]]) -> list[T]:
    """Run the jobs, at most `clients` at the same time, and return their results in the same sequence."""
    with ThreadPoolExecutor(max_workers=clients) as pool:
        return [each.result() for each in [pool.submit(job) for job in jobs]]


def place(buyer: Person, way: str, items: Mapping[str, int], key: str) -> Answer:
    """Place an order once, without retries. `way` is the path: /orders or /process."""
    return buyer.rest("POST", way, lines(items), Idempotency_Key=key)


def status(row: Mapping[str, Any]) -> str:
    """Return the status in an order's row."""
    return row["status"]["S"]


def reason(row: Mapping[str, Any]) -> str:
    """Return the error code with which an order was rejected or failed, or an empty string."""
    return row["reason"]["M"]["code"]["S"] if "reason" in row else ""


def taken(row: Mapping[str, Any]) -> dict[str, int]:
    """Return {product id: quantity that the order took from stock}, which is empty unless the order is CONFIRMED."""
    if status(row) != "CONFIRMED":
        return {}
    return {line["M"]["product_id"]["S"]: int(line["M"]["quantity"]["N"]) for line in row["items"]["L"]}
