from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import emulator
from local.instance import Instance
from local.instances import free_port
from tests.local.cloud import Cloud, eventually, left_out, unique

LONG_MS = 5000
"""Duration of a transaction in milliseconds. It is long enough for several calls on a busy machine."""


class Table:
    """A table in which each item is a counter."""

    def __init__(self, cloud: Cloud) -> None:
        self.name, self.client = unique("counters"), cloud.client("dynamodb")
        self.client.create_table(
            TableName=self.name,
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        )

    def place(self, name: str) -> dict[str, Any]:
        return {"TableName": self.name, "Key": {"id": {"S": name}}}

    def update(self, name: str) -> dict[str, Any]:
        return {
            **self.place(name),
            "UpdateExpression": "ADD n :one",
            "ExpressionAttributeValues": {":one": {"N": "1"}},
        }

    def transact(self, *names: str, **more: Any) -> Any:
        return self.client.transact_write_items(TransactItems=[{"Update": self.update(each)} for each in names], **more)

    def snapshot(self, *names: str) -> Any:
        return self.client.transact_get_items(TransactItems=[{"Get": self.place(each)} for each in names])

    def count(self, name: str) -> int:
        return int(self.client.get_item(**self.place(name)).get("Item", {"n": {"N": "0"}})["n"]["N"])


def refused(call: Callable[[], Any]) -> tuple[str, list[str]]:
    """Call `call`, and return its error code and its cancellation reasons. Both are empty if the call succeeds."""
    try:
        call()
    except ClientError as error:
        response: Any = error.response
        return response["Error"]["Code"], [each["Code"] for each in response.get("CancellationReasons", [])]
    return "", []


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Table]:
    """A table in a separate emulator, in which transactions are slow."""
    instance = Instance(port=free_port(), home=tmp_path_factory.mktemp("emulator"))
    slow = {"LOCAL_TRANSACTION_MS": str(LONG_MS), "LOCAL_WARM": "0"}
    emulator.start(instance, region="eu-west-1", without=left_out(), environment=slow).wait()
    yield Table(Cloud(instance, "eu-west-1"))
    emulator.stop(instance)


@pytest.fixture(scope="module")
def meanwhile(table: Table) -> dict[str, Any]:
    """The results of calls during a slow transaction on the items `a` and `b`, as {name of the call: result}.

    Each result is a value that `refused` returned. Only the call `afterwards` runs after the end of the transaction.
    """
    put = {"TableName": table.name, "Item": {"id": {"S": "a"}}}
    calls: dict[str, Callable[[], Any]] = {
        "transaction": lambda: table.transact("c", "b"),
        "put": lambda: table.client.put_item(**put),
        "update": lambda: table.client.update_item(**table.update("a")),
        "delete": lambda: table.client.delete_item(**table.place("b")),
        "snapshot": lambda: table.snapshot("b", "c"),
        "get": lambda: table.client.get_item(**table.place("a")),
        "same token": lambda: table.transact("a", "b", ClientRequestToken="token"),
        "other item": lambda: table.client.update_item(**table.update("d")),
    }
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(table.transact, "a", "b", ClientRequestToken="token")
        eventually(lambda: refused(calls["snapshot"])[0])
        found = {name: refused(call) for name, call in calls.items()}
        assert not first.done()
        first.result()
        found["afterwards"] = refused(calls["update"])
    return found


def test_transaction_is_canceled_during_a_conflicting_transaction(meanwhile: dict[str, Any]) -> None:
    assert meanwhile["transaction"] == ("TransactionCanceledException", ["None", "TransactionConflict"])


@pytest.mark.parametrize("write", ["put", "update", "delete"])
def test_write_is_refused_during_a_conflicting_transaction(meanwhile: dict[str, Any], write: str) -> None:
    assert meanwhile[write] == ("TransactionConflictException", [])


def test_transactional_read_is_canceled_during_a_conflicting_transaction(meanwhile: dict[str, Any]) -> None:
    assert meanwhile["snapshot"] == ("TransactionCanceledException", ["TransactionConflict", "None"])


@pytest.mark.parametrize("call", ["get", "same token", "other item", "afterwards"])
def test_calls_that_do_not_conflict_with_a_running_transaction_succeed(meanwhile: dict[str, Any], call: str) -> None:
    assert meanwhile[call] == ("", [])


@pytest.mark.usefixtures("meanwhile")
def test_calls_refused_during_a_transaction_change_no_item(table: Table) -> None:
    assert [table.count(each) for each in "abcd"] == [2, 1, 0, 1]


def test_concurrent_transactions_conflict_without_lost_updates(cloud: Cloud) -> None:
    table, clients = Table(cloud), 8
    with ThreadPoolExecutor(clients) as pool:
        calls = [pool.submit(refused, lambda: table.transact("a")) for _ in range(20 * clients)]
        ends = [each.result() for each in calls]

    assert {code for code, _ in ends} == {"", "TransactionCanceledException"}
    assert table.count("a") == ends.count(("", []))
