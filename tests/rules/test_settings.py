"""Tests of the settings in the stack files, and of the errors for invalid settings."""

from __future__ import annotations

import json
from typing import Any, cast

import jsonschema
import pulumi
import pytest
import yaml

import settings
from tests.conftest import STACKS
from tests.support.graph import ROOT, run, stack_config

FUNCTIONS = sorted(path.parent.name for path in (ROOT / "functions").glob("*/handler.py"))


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
    # The keys of provisionedConcurrency are function names. Each stack can list other functions.
    if not isinstance(value, dict) or prefix.endswith(".provisionedConcurrency"):
        return {prefix}
    return {key for name, item in cast("dict[str, Any]", value).items() for key in keys(item, f"{prefix}.{name}")}


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_file_is_valid(stack: str) -> None:
    assert load(stack, stack_config(stack)).stack == stack


def test_all_stack_files_have_the_same_keys() -> None:
    first, *others = [keys(yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())) for stack in STACKS]
    assert all(each == first for each in others)


def test_pull_request_stacks_have_the_settings_of_dev_without_shared_resources_and_site() -> None:
    # The stacks of all pull requests get their settings from one file, Pulumi.pr.yaml.
    dev, pr = (yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"] for stack in ("dev", "pr"))
    dev["orders:api"]["ownsAccountLogRole"] = dev["orders:mail"]["createIdentity"] = False
    dev["orders:site"]["enabled"] = False
    assert pr == dev


@pytest.mark.parametrize("stack", STACKS)
def test_analytics_records_are_kept_at_least_as_long_as_archived_events(stack: str) -> None:
    # If archived events outlived their analytics records, a replay would write the expired records again (see
    # docs/operations.md, "Replay").
    data = load(stack, stack_config(stack)).data
    assert data.archive_retention_days <= data.analytics_retention_days


@pytest.mark.parametrize("stack", STACKS)
def test_each_stack_file_matches_and_refers_to_the_editor_schema(stack: str) -> None:
    text = (ROOT / f"Pulumi.{stack}.yaml").read_text()
    schema = json.loads((ROOT / "settings.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    cast("Any", jsonschema.Draft202012Validator(schema)).validate(yaml.safe_load(text))
    assert text.startswith("# yaml-language-server: $schema=settings.schema.json\n")


def test_editor_schema_accepts_settings_from_a_pulumi_esc_environment() -> None:
    validator: Any = jsonschema.Draft202012Validator(settings.stack_file_schema())
    assert validator.is_valid({"environment": ["acme/dev"]})
    assert validator.is_valid({"environment": ["acme/dev"], "config": {"aws:allowedAccountIds": ["123456789012"]}})
    assert not validator.is_valid({"config": {"aws:region": "ap-northeast-1"}})
    assert not validator.is_valid({})


def test_editor_schema_is_up_to_date() -> None:
    written = (ROOT / "settings.schema.json").read_text()
    assert json.loads(written) == settings.stack_file_schema(), "run `make generate`"


@pytest.mark.parametrize(
    ("area", "path", "value", "said"),
    [
        ("api", "waf", "yes", "orders:api.waf: got 'yes'; allowed: true or false; correct it"),
        (
            "api",
            "waf",
            ...,
            "orders:api.waf: missing; every stack file has the same keys; copy it from another stack file",
        ),
        ("api", "color", "red", "orders:api.color: unknown setting; allowed: corsOrigins, throttleRate,"),
        ("api", "co\nlour", "red", "orders:api.co\\nlour: unknown setting"),
        ("api", "corsOrigins", ["*"], "orders:api.corsOrigins.0: got '*'; allowed: an origin as browsers send it"),
        ("api", "corsOrigins", [], "orders:api.corsOrigins: got 0 entries; allowed: a list"),
        ("api", "throttleRate", "50", "orders:api.throttleRate: got '50'; allowed: a whole number from 1 to 10000"),
        ("api", "throttleRate", {"a": 1}, "orders:api.throttleRate: got a mapping; allowed: a whole number"),
        ("api", "throttleRate", "5" * 99, f"orders:api.throttleRate: got '{'5' * 59}...; allowed:"),
        ("data", "forceDestroy", True, "orders:data.forceDestroy: got true with deletionProtection; allowed: only one"),
        ("data", "pointInTimeRecovery", False, "allowed: both settings together, because deletionProtection"),
        ("functions", "architecture", "riscv", "architecture: got 'riscv'; allowed: one of arm64, x86_64"),
        (
            "functions",
            "provisionedConcurrency",
            {"user_api": 1},
            f"orders:functions.provisionedConcurrency: got function 'user_api'; allowed: {', '.join(FUNCTIONS)};",
        ),
        ("functions", "provisionedConcurrency", {"users_api": -1}, "users_api: got -1; allowed: a whole number from 0"),
        ("functions", "overrides", {"user_api": {}}, "orders:functions.overrides: got function 'user_api'; allowed: "),
        (
            "functions",
            "overrides",
            {"send_email": {"timeout": 64}},
            "overrides.send_email.timeout: unknown setting; allowed: timeoutSeconds, memoryMb; correct or remove it",
        ),
        (
            "functions",
            "overrides",
            {"send_email": {"memoryMb": 64}},
            "overrides.send_email.memoryMb: got 64; allowed: a whole number from 128 to 10240",
        ),
        ("observability", "logRetentionDays", 15, "logRetentionDays: got 15; allowed: one of 1, 3, 5, 7"),
        ("mail", "sender", "nobody", "orders:mail.sender: got 'nobody'; allowed: an ASCII email address"),
        (
            "site",
            "domain",
            "shop.example.com",
            "site.domain: got 'shop.example.com' without hostedZoneId; allowed: both",
        ),
        ("site", "hostedZoneId", "Z0123456789", "site.hostedZoneId: got 'Z0123456789' without domain; allowed: both"),
        ("mail", "sender", 5, "orders:mail.sender: got 5; allowed: an ASCII email address"),
    ],
)
def test_error_names_the_wrong_setting_and_its_allowed_values(area: str, path: str, value: Any, said: str) -> None:
    config = with_change(area, path, value)
    if area == "data":
        data = {**json.loads(config["orders:data"]), "deletionProtection": True, "forceDestroy": False, path: value}
        config["orders:data"] = json.dumps(data)
    with pytest.raises(settings.SettingsError) as error:
        settings.check("orders", "dev", config)
    heading, line = str(error.value).split("\n")
    assert said in line
    assert heading == "Pulumi.dev.yaml: nothing was created, because of 1 invalid setting(s):"


def test_all_wrong_settings_are_reported_together() -> None:
    config = with_change("api", "waf", "yes") | {"orders:mail": "{}", "aws:region": "tokyo", "orders:color": "red"}
    wrong = {"users_api": {"memoryMb": 1}, "orders_api": {"timeoutSeconds": 0}, "catalog_api": {"memoryMb": "big"}}
    config["orders:functions"] = json.dumps({**json.loads(config["orders:functions"]), "overrides": wrong})
    config |= {
        "orders:data": '{"deletionProtection": true, "forceDestroy": true, "pointInTimeRecovery": false, '
        '"analyticsRetentionDays": 30, "archiveRetentionDays": 7}'
    }
    with pytest.raises(settings.SettingsError) as error:
        load("dev", config)
    heading, *lines = str(error.value).split("\n")
    assert "because of 11 invalid setting(s)" in heading
    for part in (
        *("orders:api.waf", "orders:mail.sender: missing", "orders:mail.createIdentity: missing"),
        "orders:mail.maxSendRate: missing",
        *("aws:region: got 'tokyo'", "orders:color: unknown", "data.forceDestroy", "data.pointInTimeRecovery"),
        *("users_api.memoryMb: got 1;", "orders_api.timeoutSeconds: got 0;", "catalog_api.memoryMb: got 'big';"),
    ):
        assert len([line for line in lines if part in line]) == 1, part


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "orders:api: missing"),
        ("", "orders:api: missing"),
        ("null", "orders:api: missing"),
        ("on", "orders:api: got 'on'; allowed: a mapping"),
        ('"text"', "orders:api: got 'text'; allowed: a mapping"),
        ("5", "orders:api: got 5; allowed: a mapping"),
        ("true", "orders:api: got True; allowed: a mapping"),
        ("NaN", "orders:api: got nan; allowed: a mapping"),
        ("[]", "orders:api: got a list; allowed: a mapping"),
        ("{", "orders:api: got '{'; allowed: a mapping"),
        ("[" * 100_000, "orders:api: got '[[["),
        ("1" * 10_000, "orders:api: got '111"),
        ("a\nb", "orders:api: got 'a\\nb'; allowed: a mapping"),
        ("2026-01-01 00:00:00 +0000 UTC", "orders:api: got '2026-01-01 00:00:00 +0000 UTC'; allowed: a mapping"),
    ],
)
def test_settings_area_that_is_not_a_mapping_is_reported_by_name(text: str | None, said: str) -> None:
    config = {key: value for key, value in stack_config("dev").items() if key != "orders:api"}
    config |= {"orders:api": text} if text is not None else {}
    with pytest.raises(settings.SettingsError) as error:
        settings.check("orders", "dev", config)
    _, line = str(error.value).split("\n")
    assert line.strip().startswith(said)


def test_secret_setting_is_refused_without_showing_its_value() -> None:
    config = with_change("mail", "sender", "hidden word")
    with pytest.raises(settings.SettingsError) as error:
        settings.check("orders", "dev", config, secrets={"orders:mail"})
    assert "orders:mail: got a secret; allowed: plain values" in str(error.value)
    assert "hidden" not in str(error.value)


def test_secret_in_another_configuration_namespace_is_ignored() -> None:
    settings.check("orders", "dev", {**stack_config("dev"), "other:token": "x"}, secrets={"other:token"})


def test_settings_area_set_as_json_text_on_the_command_line_is_accepted() -> None:
    # `pulumi config set orders:workflow '{"standardTimeoutSeconds": 600}'` stores text instead of an object.
    config = {**stack_config("dev"), "orders:workflow": '{"standardTimeoutSeconds": 600}'}
    assert load("dev", config).workflow.standard_timeout_seconds == 600


def test_pulumi_prints_a_settings_error_without_a_traceback() -> None:
    assert issubclass(settings.SettingsError, pulumi.RunError)
