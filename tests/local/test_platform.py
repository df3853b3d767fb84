"""The platform itself on the emulator: seeds, outputs and `make order`. What it does for users is tested elsewhere."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import jsonschema
import pytest

from local import emulator
from local.aws import CallError
from local.instance import ROOT
from local.instances import Running, command, running
from local.seeds import PRODUCTS
from operations import redrive, stack_outputs
from tests.support import hostile


@pytest.fixture(scope="module")
def platform(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(tmp_path_factory.mktemp("platform") / "instance") as found:
        yield found


def test_the_outputs_are_what_frontends_are_promised(platform: Running) -> None:
    schema = json.loads((ROOT / "contracts" / "frontend-outputs.schema.json").read_text(encoding="utf-8"))

    jsonschema.validate(platform.outputs["frontend"], schema)
    assert platform.outputs["local"].keys() == {"endpointUrl", "customer", "admin"}
    addresses = [value for value in json.dumps(platform.outputs["frontend"]).split('"') if "amazon" in value]
    assert addresses == [platform.outputs["frontend"]["auth"]["issuer"]], "only the issuer is a name of AWS"


def test_the_seeded_people_can_sign_in_and_have_what_was_promised(platform: Running) -> None:
    client, people = platform.client, platform.outputs["local"]
    customer = client.sign_in(**people["customer"])
    admin = client.sign_in_by_code(**people["admin"])

    products = client.http("GET", "/products?limit=100", admin.access_token).json()["products"]
    assert {product["product_id"] for product in products} == set(PRODUCTS)
    created = client.rest("POST", "/users", customer.id_token, {"name": "x", "email": "x@example.com"})
    assert created.status == 409, "the customer has a profile"


def test_a_second_up_changes_no_resource_and_no_seed(platform: Running) -> None:
    client, people = platform.client, platform.outputs["local"]
    admin = client.sign_in_by_code(**people["admin"])
    changed = {**PRODUCTS["teapot"], "quantity": 7}
    assert client.http("PUT", "/products/teapot", admin.access_token, changed).status == 200
    again = command("up", platform.instance)

    assert again.returncode == 0, again.stderr
    assert " same" in again.stdout
    assert not [word for word in ("created", "updated", "replaced", "deleted") if word in again.stdout]
    assert json.loads(Path(platform.instance.outputs).read_text()) == platform.outputs
    assert client.http("GET", "/products/teapot", admin.access_token).json()["quantity"] == 7


def test_make_order_shows_the_whole_way(platform: Running) -> None:
    done = command("order", platform.instance)

    assert done.returncode == 0, done.stdout + done.stderr
    for expected in ("202 PENDING", "OrderCreated", "CheckInventory", "SUCCEEDED", "PROCESSING", "OrderConfirmed"):
        assert expected in done.stdout
    assert "“Your order is confirmed” to customer@example.com" in done.stdout
    assert "_CONFIRMED.json" in done.stdout
    assert "apple 1000 → 997" in done.stdout
    with pytest.raises(CallError, match="NonExistentQueue"):
        platform.aws("sqs", "get_queue_url", QueueName="orders-local-watch")


def test_settings_for_aws_and_a_proxy_change_nothing(
    platform: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = hostile.everything(tmp_path)
    again = command("up", platform.instance, environment=settings)
    order = command("order", platform.instance, environment=settings)

    assert again.returncode == 0, again.stderr
    assert order.returncode == 0, order.stdout + order.stderr
    assert "Everything arrived" in order.stdout
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(stack_outputs, "outputs_file", {platform.instance.port: platform.instance.outputs}.get)
    assert redrive.main(["local", "--port", str(platform.instance.port)]) == 0


def test_make_order_says_what_does_not_arrive(platform: Running) -> None:
    bus, target = platform.ops["eventBus"]["name"], platform.ops["functions"]["send_email"]
    names = platform.aws("events", "list_rule_names_by_target", TargetArn=target, EventBusName=bus)["RuleNames"]
    for name in names:
        platform.aws("events", "disable_rule", Name=name, EventBusName=bus)
    done = command("order", platform.instance)
    for name in names:
        platform.aws("events", "enable_rule", Name=name, EventBusName=bus)

    assert done.returncode == 1
    assert "mail Your order is confirmed: look into the log group /aws/lambda/orders-local-send-email" in done.stdout


def test_nothing_of_the_seeds_and_the_order_ended_in_a_failure_queue(platform: Running) -> None:
    waiting: dict[str, str] = {}
    for name, queue in platform.ops["failureQueues"].items():
        found = platform.aws("sqs", "get_queue_attributes", QueueUrl=queue["url"], AttributeNames=["All"])
        waiting[name] = found["Attributes"]["ApproximateNumberOfMessages"]

    assert set(waiting.values()) == {"0"}, waiting
    assert "ERROR" not in emulator.tail(platform.instance)
