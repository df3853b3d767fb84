"""Tests that each setting accepts valid values and refuses all others. The cases are in setting_values.yaml."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, cast

import botocore
import pytest
import yaml

import setting_types
import settings
from components.aws.naming import Naming
from tests.support.graph import ROOT, Graph, stack_config

VALUES: Final[dict[str, dict[str, list[Any]]]] = yaml.safe_load(
    (ROOT / "tests" / "rules" / "setting_values.yaml").read_text(encoding="utf-8")
)
_BOTOCORE: Final = Path(botocore.__file__).parent / "data"
# The keys of LIMITS (components/aws/naming.py), by resource type. LIMITS contains the maximum lengths of names.
_KINDS: Final = {
    "MetricAlarm": "alarm",
    "EventArchive": "archive",
    "Bucket": "bucket",
    "UserPoolDomain": "cognito-domain",
    "Dashboard": "dashboard",
    "Function": "function",
    "Queue": "queue",
    "Role": "role",
    "EventRule": "rule",
    "StateMachine": "state-machine",
    "Table": "table",
    "Topic": "topic",
    "TopicSubscription": "topic",
}


def each(verdict: str) -> list[Any]:
    cases = [(key, value) for key, table in VALUES.items() for value in table[verdict]]
    return [pytest.param(key, value, id=f"{key}={ascii(value)[:60]}") for key, value in cases]


def check(key: str, value: Any) -> settings.Settings:
    """Validate the settings of the stack dev after changing the setting `key` to `value`."""
    names, config = {"project": "orders", "stack": "dev"}, stack_config("dev")
    area, _, place = key.partition(".")
    if area in names:
        names[area] = value
        config = {name.replace("orders:", f"{names['project']}:"): text for name, text in config.items()}
    elif area == "region":
        config["aws:region"] = value
    else:
        document = json.loads(config[f"orders:{area}"])
        *parents, last = place.split(".")
        inner = document
        for part in parents:
            inner = inner[part]
        inner[last] = value
        config[f"orders:{area}"] = json.dumps(document)
    return settings.check(names["project"], names["stack"], config)


@pytest.mark.parametrize(("key", "value"), each("takes"))
def test_setting_accepts_every_valid_value(key: str, value: Any) -> None:
    check(key, value)


@pytest.mark.parametrize(("key", "value"), each("refuses"))
def test_error_about_an_invalid_value_is_one_line(key: str, value: Any) -> None:
    with pytest.raises(settings.SettingsError) as error:
        check(key, value)
    _, *lines = str(error.value).split("\n")
    (line,) = lines
    name = {"region": "aws:region", "stack": "name of the stack", "project": "name of the project"}.get(key)
    assert line.strip().startswith(name or f"orders:{key}")
    assert ("got " in line and "allowed: " in line) or "missing" in line


def test_setting_values_yaml_covers_every_setting() -> None:
    named = {tuple(key.split(".")[:2]) for key in VALUES}
    schema = settings.Settings.model_json_schema(by_alias=True)
    wanted = {
        (area, name)
        for area in settings.AREAS
        for name in schema["$defs"][schema["properties"][area]["$ref"].rpartition("/")[2]]["properties"]
    }
    # Whether deletionProtection is allowed depends on two other settings, so test_settings.py tests it separately.
    assert wanted - named == {("data", "deletionProtection")}


def test_only_regions_of_the_partition_aws_are_accepted() -> None:
    partitions = json.loads((_BOTOCORE / "partitions.json").read_text(encoding="utf-8"))["partitions"]
    rule = re.compile(settings.Settings.model_json_schema()["properties"]["region"]["pattern"])
    for partition in partitions:
        for region in partition["regions"]:
            is_one = partition["id"] == "aws" and region != "aws-global"
            assert bool(rule.match(region)) == is_one, region


def _shapes(service: str) -> dict[str, Any]:
    path = max((_BOTOCORE / service).glob("*/service-2.json.gz"))
    return cast("dict[str, Any]", json.loads(gzip.decompress(path.read_bytes()))["shapes"])


def test_limits_of_redirect_uris_and_log_retention_match_the_aws_sdk() -> None:
    cognito = _shapes("cognito-idp")
    uris = settings.Settings.model_json_schema()["$defs"]["IdentitySettings"]["properties"]["redirectUris"]
    assert uris["maxItems"] == cognito["CallbackURLsListType"]["max"] == cognito["LogoutURLsListType"]["max"]
    with pytest.raises(settings.SettingsError, match="at most 1024 ASCII"):
        check("identity.redirectUris", ["https://a.example/".ljust(cognito["RedirectUrlType"]["max"] + 1, "x")])
    check("identity.redirectUris", ["https://a.example/".ljust(cognito["RedirectUrlType"]["max"], "x")])
    days = re.sub("<[^>]+>", "", _shapes("logs")["Days"]["documentation"])
    named = re.search(r"Possible values are: ([\d, and]+)", days)
    assert named
    assert tuple(map(int, re.findall(r"\d+", named[1]))) == setting_types.RETENTION_DAYS


def test_error_about_too_many_uris_gives_their_number() -> None:
    uris = [f"https://a.example/{number}" for number in range(101)]
    with pytest.raises(settings.SettingsError, match="redirectUris: got 101 entries; allowed: a list of 1 to 100"):
        check("identity.redirectUris", uris)


def test_cors_origins_with_more_than_3000_characters_in_total_are_refused() -> None:
    origins = [f"https://{number:050}.example" for number in range(60)]
    with pytest.raises(settings.SettingsError, match="characters in total; allowed: at most 3000"):
        check("api.corsOrigins", origins)
    check("api.corsOrigins", origins[:40])


def names_fit(graph: Graph, naming: Naming) -> bool:
    """Return whether the names in `graph` still fit AWS's limits with the project and stack of `naming`."""
    ours = f"orders-{graph.stack}-"
    for made in graph.resources:
        kind = _KINDS.get(made.type.rsplit(":", 1)[-1], "")
        for key in ("name", "bucket", "domain", "layerName", "dashboardName"):
            name = str(made.inputs.get(key, ""))
            if name.startswith(ours):
                role, dot, suffix = name.removeprefix(ours).partition(".")
                try:
                    naming.physical(role, kind=kind, suffix=dot + suffix)
                except ValueError:
                    return False
    return True


def test_longest_project_and_stack_names_fit_aws_limits(graph_of: Callable[[str], Graph]) -> None:
    project, stack = "p" * setting_types.LONGEST_PROJECT, "s" * setting_types.LONGEST_STACK
    assert names_fit(graph_of("prod"), Naming(project=project, stack=stack))
    assert not names_fit(graph_of("prod"), Naming(project=f"{project}p", stack=stack)), (
        "the limit is too strict: longer names would fit"
    )
