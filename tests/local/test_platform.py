"""Tests of the whole platform on the emulator: its sample data (seeds), its outputs and `make order`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import jsonschema
import pytest

from local import emulator
from local.aws import Aws, CallError
from local.instance import ROOT, Instance, instance
from local.instances import Running, command, free_port, stopped_at_the_end, up
from local.order import EXPECTED
from local.seeds import PRODUCTS
from operations import redrive, stack_outputs
from tests.local.inventory import inventory
from tests.local.terminal import CTRL_C, Terminal, in_terminal
from tests.support import hostile


@dataclass(frozen=True)
class CutOff:
    """A deployment that created all resources but recorded none, as if it was killed before recording them."""

    instance: Instance
    made: Counter[str]


@pytest.fixture(scope="module")
def cut_off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CutOff]:
    root = tmp_path_factory.mktemp("platform")
    where = instance(free_port(), root / "instance")
    program = root / "program"
    program.mkdir()
    for path in ROOT.iterdir():
        if path.name not in (".local", "__main__.py"):
            (program / path.name).symlink_to(path)
    text = (ROOT / "__main__.py").read_text(encoding="utf-8")
    (program / "__main__.py").write_text(f"{text}\nimport pulumi\nraise pulumi.RunError('the end')\n", encoding="utf-8")
    with stopped_at_the_end(where):
        done = command("up", where, program=program)
        assert done.stderr == "error: the end\n"
        changes = [change for line in where.journal.read_text().splitlines() if line for change in json.loads(line)]
        begun = [[change] for change in changes if change[0] == "begun" and change[2]]
        where.journal.write_text("\n".join(map(json.dumps, begun)))
        yield CutOff(where, inventory(Aws(where, emulator.find(where).record["region"])))


@pytest.fixture(scope="module")
def platform(cut_off: CutOff) -> Running:
    return up(cut_off.instance)


def test_deployment_takes_over_unrecorded_resources_of_a_killed_deployment(cut_off: CutOff, platform: Running) -> None:
    assert inventory(platform.aws) == cut_off.made
    assert sum(cut_off.made.values()) > 150


def test_outputs_match_the_contract_for_frontends(platform: Running) -> None:
    schema = json.loads((ROOT / "contracts" / "frontend-outputs.schema.json").read_text(encoding="utf-8"))

    jsonschema.validate(platform.outputs["frontend"], schema)
    assert platform.outputs["local"].keys() == {"endpointUrl", "customer", "admin"}
    addresses = [value for value in json.dumps(platform.outputs["frontend"]).split('"') if "amazon" in value]
    assert addresses == [platform.outputs["frontend"]["auth"]["issuer"]], "only the issuer may contain a domain of AWS"


def test_sample_users_can_sign_in_with_their_permissions(platform: Running) -> None:
    client, people = platform.client, platform.outputs["local"]
    customer = client.sign_in(**people["customer"])
    admin = client.sign_in_by_code(**people["admin"])

    products = client.http("GET", "/products?limit=100", admin.access_token).json()["products"]
    assert {product["product_id"] for product in products} == set(PRODUCTS)
    created = client.rest("POST", "/users", customer.id_token, {"name": "x", "email": people["customer"]["username"]})
    assert created.status == 409, "the customer must already have a profile"


def test_second_make_up_changes_neither_resources_nor_sample_data(platform: Running) -> None:
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


def test_make_up_interrupted_while_it_creates_sample_data_loses_none(platform: Running) -> None:
    terminal = in_terminal("up", platform.instance)
    terminal.wait(text="sample data")
    terminal.type(CTRL_C)

    assert terminal.end(2)[0] == 130, terminal.shown
    assert json.loads(platform.instance.outputs.read_text()) == platform.outputs
    assert platform.client.sign_in(**platform.outputs["local"]["customer"])


def test_make_order_shows_every_step(platform: Running) -> None:
    done = command("order", platform.instance)

    assert done.returncode == 0, done.stdout + done.stderr
    for expected in ("202 PENDING", "OrderCreated", "CheckInventory", "SUCCEEDED", "PROCESSING", "OrderConfirmed"):
        assert expected in done.stdout
    assert "“Your order is confirmed” to customer@example.com" in done.stdout
    assert "_CONFIRMED.json" in done.stdout
    assert "apple 1000 → 997" in done.stdout
    with pytest.raises(CallError, match="NonExistentQueue"):
        platform.aws("sqs", "get_queue_url", QueueName="orders-local-watch")


def test_local_commands_ignore_aws_settings_and_proxies(
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


def test_interrupted_make_order_deletes_its_temporary_queue_and_rule(platform: Running) -> None:
    terminal = in_terminal("order", platform.instance)
    terminal.wait(text=f" of {len(EXPECTED)}")
    terminal.type(CTRL_C)

    assert terminal.end(2)[0] == 130, terminal.shown
    bus = platform.ops["eventBus"]["name"]
    rules = platform.aws("events", "list_rules", EventBusName=bus)["Rules"]
    assert not [rule for rule in rules if "watch" in rule["Name"]]
    with pytest.raises(CallError, match="NonExistentQueue"):
        platform.aws("sqs", "get_queue_url", QueueName="orders-local-watch")


def test_interrupted_make_redrive_ends_immediately(platform: Running) -> None:
    where = instance(platform.instance.port)
    where.home.parent.mkdir(exist_ok=True)
    where.home.symlink_to(platform.instance.home)
    try:
        terminal = Terminal([sys.executable, "-m", "operations.redrive", "local", "--port", str(where.port)])
        terminal.wait(text="reading")
        terminal.type(CTRL_C)

        assert terminal.end(2)[0] == 130, terminal.shown
        assert "Traceback" not in terminal.shown
    finally:
        where.home.unlink()


def test_make_order_completes_even_if_its_output_is_not_read(platform: Running) -> None:
    table = platform.ops["tables"]["orders"]
    before = platform.aws("dynamodb", "scan", TableName=table)["Count"]
    where = ["--port", str(platform.instance.port), "--home", str(platform.instance.home)]
    piped = [
        "bash",
        "-c",
        '"$@" | head -1; exit ${PIPESTATUS[0]}',
        "bash",
        sys.executable,
        "-m",
        "local",
        "order",
        *where,
    ]
    done = subprocess.run(piped, cwd=ROOT, capture_output=True, check=False)  # noqa: S603

    assert (done.returncode, done.stderr) == (0, b"")
    assert platform.aws("dynamodb", "scan", TableName=table)["Count"] == before + 1


def test_make_order_reports_which_results_of_the_order_are_missing(platform: Running) -> None:
    bus, queue = platform.ops["eventBus"]["name"], platform.ops["failureQueues"]["send-email-failures"]["redriveTo"]
    target = platform.aws("sqs", "get_queue_attributes", QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    names = platform.aws("events", "list_rule_names_by_target", TargetArn=target["QueueArn"], EventBusName=bus)[
        "RuleNames"
    ]
    for name in names:
        platform.aws("events", "disable_rule", Name=name, EventBusName=bus)
    done = command("order", platform.instance)
    for name in names:
        platform.aws("events", "enable_rule", Name=name, EventBusName=bus)

    assert done.returncode == 1
    assert "mail Your order is confirmed: see the log group /aws/lambda/orders-local-send-email" in done.stdout


def test_failure_queues_are_empty_after_make_up_and_make_order(platform: Running) -> None:
    waiting: dict[str, str] = {}
    for name, queue in platform.ops["failureQueues"].items():
        found = platform.aws("sqs", "get_queue_attributes", QueueUrl=queue["url"], AttributeNames=["All"])
        waiting[name] = found["Attributes"]["ApproximateNumberOfMessages"]

    assert set(waiting.values()) == {"0"}, waiting
    assert "ERROR" not in emulator.tail(platform.instance)
