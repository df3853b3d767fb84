"""Settings: the three stack files, and every way to get one wrong."""

from __future__ import annotations

import json
from typing import Any, cast

import jsonschema
import pulumi
import pytest
import yaml

import settings
from tests.support.graph import ROOT, run, stack_config

STACKS = ("dev", "prod", "local")


def load(stack: str, config: dict[str, str]) -> settings.Settings:
    loaded: list[settings.Settings] = []
    run(lambda: loaded.append(settings.load()), stack, config=config)
    return loaded[0]


def with_change(area: str, path: str, value: Any) -> dict[str, str]:
    config = stack_config("dev")
    document = json.loads(config[f"orders:{area}"])
    place = document
    *parents, last = path.split(".")
    for part in parents:
        place = place[part]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return {**config, f"orders:{area}": json.dumps(document)}


def keys(value: Any, prefix: str = "") -> set[str]:
    if not isinstance(value, dict):
        return {prefix}
    return {key for name, item in cast("dict[str, Any]", value).items() for key in keys(item, f"{prefix}.{name}")}


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_file_is_valid(stack: str) -> None:
    assert load(stack, stack_config(stack)).stack == stack


def test_all_stack_files_have_the_same_keys() -> None:
    documents = [yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text()) for stack in STACKS]
    assert keys(documents[0]) == keys(documents[1]) == keys(documents[2])


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_file_fits_the_schema_that_editors_use_and_names_it(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    schema = json.loads((ROOT / "settings.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    cast("Any", jsonschema.Draft202012Validator(schema)).validate(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=settings.schema.json\n")


def test_the_schema_that_editors_use_is_the_one_of_the_code() -> None:
    written = (ROOT / "settings.schema.json").read_text()
    assert json.loads(written) == settings.stack_file_schema(), "run `make generate`"


@pytest.mark.parametrize(
    ("area", "path", "value", "said"),
    [
        ("api", "waf", "yes", "orders:api.waf: got 'yes'"),
        ("api", "waf", ..., "orders:api.waf: missing"),
        ("api", "colour", "red", "orders:api.colour: unknown setting"),
        ("api", "corsOrigins", ["*"], "orders:api.corsOrigins.0: got '*'; allowed: an exact origin"),
        ("api", "corsOrigins", ["https://a.example/"], "allowed: an exact origin without path"),
        ("api", "corsOrigins", [], "orders:api.corsOrigins"),
        ("api", "throttleRate", 0, "orders:api.throttleRate: got 0"),
        ("api", "throttleRate", "50", "orders:api.throttleRate: got '50'"),
        ("identity", "redirectUris", ["http://a.example/cb"], "orders:identity.redirectUris.0"),
        ("data", "forceDestroy", True, "deletionProtection and forceDestroy exclude each other"),
        ("data", "pointInTimeRecovery", False, "keeps the table, not the data"),
        ("data", "analyticsRetentionDays", -1, "orders:data.analyticsRetentionDays: got -1"),
        ("functions", "architecture", "riscv", "orders:functions.architecture: got 'riscv'"),
        ("functions", "logLevel", "LOUD", "orders:functions.logLevel: got 'LOUD'"),
        ("functions", "sizes.users_api", ..., "missing ['users_api']"),
        ("functions", "sizes.orders_api.timeoutSeconds", 29, "API Gateway stops waiting"),
        ("functions", "sizes.update_inventory.timeoutSeconds", 30, "the workflow's task stops waiting"),
        ("functions", "sizes.send_email.memoryMb", 64, "sizes.send_email.memoryMb: got 64"),
        ("observability", "logRetentionDays", 15, "allowed: what CloudWatch Logs knows"),
        ("observability", "alarmEmail", "nobody", "orders:observability.alarmEmail"),
        ("mail", "sender", "nobody", "orders:mail.sender: got 'nobody'; allowed: an e-mail address"),
        ("workflow", "standardTimeoutSeconds", 5, "orders:workflow.standardTimeoutSeconds: got 5"),
    ],
)
def test_a_wrong_setting_is_refused_by_name_with_what_is_allowed(area: str, path: str, value: Any, said: str) -> None:
    config = with_change(area, path, value)
    if said.startswith(("deletionProtection", "keeps")):
        protected = {"deletionProtection": True, "forceDestroy": False}
        data = {**json.loads(config["orders:data"]), **protected, path: value}
        config["orders:data"] = json.dumps(data)
    with pytest.raises(settings.SettingsError) as error:
        load("dev", config)
    assert said in str(error.value)
    assert "Pulumi.dev.yaml: nothing was created" in str(error.value)


def test_every_wrong_setting_is_said_at_once() -> None:
    config = with_change("api", "waf", "yes") | {"orders:mail": "{}", "aws:region": "tokyo", "orders:colour": "red"}
    with pytest.raises(settings.SettingsError) as error:
        load("dev", config)
    text = str(error.value)
    for part in ("orders:api.waf", "orders:mail.sender: missing", "aws:region: got 'tokyo'", "orders:colour: unknown"):
        assert part in text


def test_an_area_that_is_missing_or_no_object_is_said() -> None:
    config = stack_config("dev")
    del config["orders:data"]
    config["orders:api"] = "on"
    with pytest.raises(settings.SettingsError) as error:
        load("dev", config)
    assert "orders:data: missing" in str(error.value)
    assert "orders:api: got 'on'" in str(error.value)


def test_a_stack_name_that_cannot_be_part_of_aws_names_is_refused() -> None:
    for stack in ("Dev", "a" * 17, "1st"):
        with pytest.raises(settings.SettingsError, match="name of the stack"):
            load(stack, stack_config("dev"))


def test_a_settings_error_is_printed_without_a_traceback() -> None:
    assert issubclass(settings.SettingsError, pulumi.RunError)
