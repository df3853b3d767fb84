"""Tests that the update after a small change in the checkout changes only the expected resources on AWS."""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.engine.checkouts import add_stack, edit
from tests.engine.engine import Engine, operations

STACK = "dev"
REST_CONTRACT = "contracts/rest-api.yaml"
ROUTES = "components/apis/routes.py"


def test_changed_code_of_one_function_updates_only_that_function_and_its_alias(
    deployed: Callable[[str], Engine],
) -> None:
    engine = deployed(STACK)
    handler = engine.checkout / "functions" / "users_api" / "handler.py"
    handler.write_text(handler.read_text(encoding="utf-8") + "# changed\n", encoding="utf-8")
    engine.must_up(STACK)
    assert operations(engine.cloud.calls()) == {"update": ["users-api", "users-api-live"]}
    state = {resource["urn"].rsplit("::", 1)[-1]: resource for resource in engine.state(STACK)}
    assert state["users-api"]["outputs"]["version"] == "2"
    assert state["users-api-live"]["outputs"]["functionVersion"] == "2"


def test_renamed_path_parameter_and_operation_update_the_api_and_replace_its_deployment(
    deployed: Callable[[str], Engine],
) -> None:
    engine = deployed(STACK)
    contract = engine.checkout / REST_CONTRACT
    text = contract.read_text(encoding="utf-8")
    assert "{order_id}" in text
    contract.write_text(text.replace("{order_id}", "{id}").replace("name: order_id", "name: id"), encoding="utf-8")
    edit(engine.checkout, REST_CONTRACT, ("operationId: getOrder\n", "operationId: readOrder\n"))
    edit(engine.checkout, ROUTES, ('"getOrder"', '"readOrder"'))
    engine.must_up(STACK)
    assert operations(engine.cloud.calls()) == {
        "create": ["rest-api-deployment"],
        "delete": ["rest-api-deployment"],
        "update": ["rest-api", "rest-api-stage"],
    }
    assert engine.differences() == []


def test_changed_descriptions_in_a_contract_change_nothing_on_aws(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    contract = engine.checkout / REST_CONTRACT
    text = contract.read_text(encoding="utf-8")
    changed, count = re.subn(r"""(description: ["']?)(?=\w)""", r"\1Changed ", text)
    assert count > 10
    contract.write_text(changed, encoding="utf-8")
    engine.must("preview", "--stack", STACK, "--expect-no-changes")


def test_user_pool_of_dev_can_be_replaced(deployed: Callable[[str], Engine]) -> None:
    engine = deployed(STACK)
    change = ('username_attributes=["email"]', 'username_attributes=["email", "phone_number"]')
    edit(engine.checkout, "components/identity.py", change)
    engine.must_up(STACK)
    done = operations(engine.cloud.calls())
    assert "identity-pool" in done["create"]
    assert "identity-pool" in done["delete"]
    assert engine.differences() == []


def test_second_stack_with_the_settings_of_dev_fails_at_the_ses_email_identity(
    deployed: Callable[[str], Engine],
) -> None:
    engine = deployed(STACK)
    add_stack(engine.checkout, "pr-1", like=STACK)
    engine.create("pr-1")
    ended = engine.up("pr-1")
    assert ended.code != 0
    refused = [call for call in engine.cloud.calls() if call["call"] == "refused"]
    assert [call["urn"].rsplit("::", 1)[-1] for call in refused] == ["events-sender"]
