"""Reads the configuration of a stack into typed, immutable settings, and validates it before anything is created.

`python settings.py` prints the JSON Schema of the stack files, which editors use (settings.schema.json). No other
module reads the configuration.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel
from pydantic.config import JsonDict

from pulumi_yaml import quoted
from setting_types import (
    MailAddress,
    OptionalDomain,
    OptionalHostedZone,
    OptionalMailAddress,
    Origins,
    ProjectName,
    Reason,
    RedirectUris,
    Region,
    RetentionDays,
    StackName,
)

_REGION_KEY: Final = "aws:region"
AREAS: Final = ("identity", "api", "site", "data", "functions", "workflow", "mail", "observability")
FUNCTION_NAMES: Final = tuple(
    sorted(path.parent.name for path in (Path(__file__).parent / "functions").glob("*/handler.py"))
)
_FUNCTION_NAMES_SCHEMA: Final[JsonDict] = {"propertyNames": {"enum": [*FUNCTION_NAMES]}}
# Maximum length of all CORS origins together, in characters. Lambda limits the total size of a function's environment
# variables to 4 KB, and the origins are only one of ten variables.
_LONGEST_ORIGINS: Final = 3_000


class _Area(BaseModel):
    """A group of settings. Unknown keys, missing keys without a default, and values of a wrong type are errors."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True)


class IdentitySettings(_Area):
    """Settings of sign-in."""

    password_sign_in: bool = Field(
        description="Let users sign in with a password (or SRP) through Cognito's API, not only on the hosted sign-in "
        "page."
    )
    redirect_uris: RedirectUris = Field(description="URLs to which the sign-in page may redirect users after sign-in.")
    logout_uris: RedirectUris = Field(description="URLs to which the sign-in page may redirect users after sign-out.")


class ApiSettings(_Area):
    """Settings of the REST API and the HTTP API."""

    cors_origins: Origins = Field(
        description="Origins of the frontends that may call the APIs from a browser. API Gateway's own errors in the "
        "REST API allow only the first origin."
    )
    throttle_rate: int = Field(
        ge=1,
        le=10_000,
        description="Steady-state limit of each API, in requests per second. API Gateway rejects further requests with "
        "429.",
    )
    throttle_burst: int = Field(
        ge=1, le=5_000, description="Burst limit of each API: how many requests API Gateway accepts at the same moment."
    )
    waf: bool = Field(description="Protect the REST API with a web application firewall (AWS WAF).")
    capacity_waiver: Reason = Field(
        default="",
        description="Reason why throttleRate may exceed the orders per second that AWS's quotas permit, for example "
        "that most requests only read. Without a reason, `make capacity` and `make preview` print a warning.",
    )
    owns_account_log_role: bool = Field(
        description="Let this stack set API Gateway's role for writing logs. An account has one such role per region. "
        "Set this setting to false if another stack in the same account and region sets the role."
    )

    @field_validator("cors_origins")
    @classmethod
    def _origins_fit_into_an_environment(cls, origins: list[str]) -> list[str]:
        if (got := len(",".join(origins))) > _LONGEST_ORIGINS:
            raise ValueError(f"got {got} characters in total; allowed: at most {_LONGEST_ORIGINS}; remove some origins")
        return origins


class SiteSettings(_Area):
    """Settings of the web site, which serves the pages of the shop and both APIs from one origin."""

    enabled: bool = Field(description="Create the site: an S3 bucket behind Amazon CloudFront.")
    domain: OptionalDomain = Field(
        description='Domain name of the site. "" for the name that CloudFront assigns, such as d111abc.cloudfront.net.'
    )
    hosted_zone_id: OptionalHostedZone = Field(
        description='Id of the public Route 53 hosted zone that contains the domain. "" without a domain.'
    )

    @model_validator(mode="after")
    def _domain_has_its_zone(self) -> Self:
        if bool(self.domain) == bool(self.hosted_zone_id):
            return self
        given, missing = ("domain", "hostedZoneId") if self.domain else ("hostedZoneId", "domain")
        raise ValueError(
            f"{given}: got {quoted(self.domain or self.hosted_zone_id)} without {missing}; allowed: both or none, "
            f"because a record in the zone validates the domain's certificate; set {missing} too"
        )


class DataSettings(_Area):
    """Settings of the tables, the bucket and the event archive."""

    point_in_time_recovery: bool = Field(
        description="Make continuous backups of the tables, which cover the last 35 days."
    )
    deletion_protection: bool = Field(
        description="Protect these resources against deletion: the tables, the bucket, the user pool, the event "
        "archive, the APIs, and all queues, log groups and keys."
    )
    force_destroy: bool = Field(
        description="Let `pulumi destroy` delete the bucket even if it contains analytics records."
    )
    analytics_retention_days: int = Field(
        ge=1, le=3650, description="Number of days after which S3 deletes an analytics record."
    )
    archive_retention_days: int = Field(
        ge=1,
        le=3650,
        description="Number of days for which the archive stores events for replay. send_email remembers each sent "
        "email for longer than this, so a replay sends no email twice. If you raise this value, only emails "
        "that are sent afterwards are remembered for the longer time.",
    )

    @model_validator(mode="after")
    def _protected_data_is_recoverable(self) -> Self:
        wrong: list[str] = []
        if self.deletion_protection and self.force_destroy:
            wrong.append(
                "forceDestroy: got true with deletionProtection; allowed: only one of the two; set one to false"
            )
        if self.deletion_protection and not self.point_in_time_recovery:
            wrong.append(
                "pointInTimeRecovery: got false with deletionProtection; allowed: both settings together, because "
                "deletionProtection protects the tables but not their rows; set it to true"
            )
        return _unless(wrong, self)


class FunctionSettings(_Area):
    """The limits that this stack overrides for one function."""

    timeout_seconds: int | None = Field(
        default=None, ge=1, le=900, description="Seconds after which Lambda ends an invocation."
    )
    memory_mb: int | None = Field(
        default=None, ge=128, le=10_240, description="Memory in MiB. Lambda assigns CPU in proportion to the memory."
    )


class FunctionsSettings(_Area):
    """Settings of all functions."""

    architecture: Literal["arm64", "x86_64"] = Field(description="CPU architecture of the functions and their layers.")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        description="Lowest level of log lines that the functions write."
    )
    provisioned_concurrency: dict[str, Annotated[int, Field(ge=0, le=1000)]] = Field(
        description="Provisioned concurrency by function: how many execution environments Lambda keeps initialized. A "
        "function that is not listed has none. Each environment costs money all the time.",
        json_schema_extra=_FUNCTION_NAMES_SCHEMA,
    )
    overrides: dict[str, FunctionSettings] = Field(
        default={},
        description="Time limits and memory that this stack overrides, by function. The declarations of the functions "
        "contain all other limits.",
        json_schema_extra=_FUNCTION_NAMES_SCHEMA,
    )

    @model_validator(mode="after")
    def _functions_exist(self) -> Self:
        named = [("provisionedConcurrency", name) for name in self.provisioned_concurrency]
        named += [("overrides", name) for name in self.overrides]
        return _unless(
            [
                f"{key}: got function {quoted(name)}; allowed: {', '.join(FUNCTION_NAMES)}; correct or remove it"
                for key, name in named
                if name not in FUNCTION_NAMES
            ],
            self,
        )


class WorkflowSettings(_Area):
    """Settings of the order workflow."""

    standard_timeout_seconds: int = Field(
        ge=60,
        le=86_400,
        description="Time limit of a STANDARD execution in seconds. If the order is still PENDING after that time, "
        "the order becomes FAILED.",
    )
    sweep_minutes: int = Field(
        default=5,
        ge=1,
        # This value is also the batching window of mark_late_orders, and Lambda limits batching windows to 300 s.
        le=5,
        description="Minutes from one sweep for late orders to the next. If the workflow of an order was not "
        "started, or its execution was aborted, one of the next two sweeps restarts the workflow.",
    )


class MailSettings(_Area):
    """Settings of emails, which Amazon SES sends."""

    sender: MailAddress = Field(
        description="Sender address (`From`) of all emails. SES must have verified the address or its domain."
    )
    max_send_rate: int = Field(
        ge=1,
        le=1_000,
        description="Highest number of emails per second that the stack sends. SES limits the rate of an account in a "
        "region (`aws sesv2 get-account`): usually 1 in the SES sandbox, and 14 after AWS has moved the account "
        "out of the sandbox. If several stacks share an account, the sum of their rates must not exceed the rate of "
        "the account.",
    )
    create_identity: bool = Field(
        description="Let this stack create the SES identity of the sender. SES then emails a verification link. "
        "Set this setting to false if the identity already exists."
    )


class ObservabilitySettings(_Area):
    """Settings of logs and alarms."""

    log_retention_days: RetentionDays = Field(description="Number of days for which CloudWatch Logs stores logs.")
    alarm_email: OptionalMailAddress = Field(
        description="Email address for alarms. The owner of the address must confirm the SNS subscription. "
        '"" for no email.'
    )


class Settings(_Area):
    """All settings of one stack, from its stack file."""

    stack: StackName
    project: ProjectName
    region: Region = Field(description="AWS region of the stack.")
    identity: IdentitySettings
    api: ApiSettings
    site: SiteSettings
    data: DataSettings
    functions: FunctionsSettings
    workflow: WorkflowSettings
    mail: MailSettings
    observability: ObservabilitySettings


class SettingsError(pulumi.RunError):
    """The configuration of the stack is invalid. Pulumi prints the message of this error without a traceback."""


def load() -> Settings:
    """Return the settings of the current stack. Raises SettingsError, whose message lists every invalid setting."""
    store = pulumi.runtime.config
    # pulumi.Config cannot list its keys, so read the store from which pulumi.Config reads its values.
    config = cast("Mapping[str, str]", store.CONFIG.get())
    secrets = {key for key in config if store.is_config_secret(key)}
    return check(pulumi.get_project(), pulumi.get_stack(), config, secrets)


def check(project: str, stack: str, config: Mapping[str, str], secrets: Collection[str] = ()) -> Settings:
    """Return the validated settings in `config`, which maps `namespace:key` to text.

    The text of a list or a mapping is JSON. `secrets` contains the keys whose values Pulumi has encrypted. Raises
    SettingsError.
    """
    values: dict[str, Any] = {"project": project, "stack": stack, "region": config.get(_REGION_KEY)}
    values |= {area: _value(config.get(f"{project}:{area}")) for area in AREAS}
    problems = _unknown_areas(project, config) + _secrets(project, secrets)
    try:
        settings = Settings.model_validate(values, by_alias=True, by_name=True)
    except ValidationError as error:
        # Each error of pydantic contains the invalid value. Leave out the errors about encrypted settings, because
        # their values are secrets. `_secrets` reports these settings instead.
        told = [item for item in error.errors() if _key(project, item["loc"][:1]) not in secrets]
        problems += [line for item in told for line in _explain(project, dict(item))]
    else:
        if not problems:
            return settings
    lines = "\n".join(f"  {problem}" for problem in problems)
    raise SettingsError(
        f"Pulumi.{quoted(stack)[1:-1]}.yaml: nothing was created, because of {len(problems)} invalid setting(s):\n"
        f"{lines}"
    )


def _value(text: str | None) -> Any:
    """Return the value of the configuration text `text`: the parsed JSON if `text` is JSON, otherwise `text` itself."""
    try:
        return json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text


def _unless[Valid](wrong: list[str], settings: Valid) -> Valid:
    if wrong:
        raise ValueError("\n".join(wrong))
    return settings


def _unknown_areas(project: str, config: Mapping[str, str]) -> list[str]:
    names = {key.removeprefix(f"{project}:") for key in config if key.startswith(f"{project}:")}
    return [
        f"{project}:{quoted(name)[1:-1]}: unknown setting; allowed: {', '.join(AREAS)}; correct or remove it"
        for name in sorted(names - set(AREAS))
    ]


def _secrets(project: str, secrets: Collection[str]) -> list[str]:
    known = [_REGION_KEY, *(f"{project}:{area}" for area in AREAS)]
    return [
        f"{key}: got a secret; allowed: plain values, because resource names and outputs show them; "
        "set it without --secret"
        for key in known
        if key in secrets
    ]


def _key(project: str, place: Sequence[str | int]) -> str:
    """Return the full name of the setting at the path `place`, for example `orders:api.waf`."""
    first, *others = [quoted(part)[1:-1] if isinstance(part, str) else str(part) for part in place]
    if first == "region":
        return _REGION_KEY
    return f"name of the {first}" if first in ("stack", "project") else f"{project}:{'.'.join([first, *others])}"


def _explain(project: str, error: Mapping[str, Any]) -> list[str]:
    """Return one line for each problem that `error` reports: the key, the value, the allowed values and the remedy."""
    place, got = error["loc"], error["input"]
    name = _key(project, place)
    if error["type"] == "missing" or (got is None and error["type"] != "value_error"):
        return [f"{name}: missing; every stack file has the same keys; copy it from another stack file"]
    if error["type"] == "extra_forbidden":
        known = ", ".join(_schema_at(place[:-1]).get("properties", ()))
        return [f"{name}: unknown setting; allowed: {known}; correct or remove it"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        # If a rule compares several settings of a group, its message starts with the name of the wrong setting. Put the
        # name of the group and a dot before it, for example `api.corsOrigins`.
        start = f"{name}." if isinstance(got, dict) else f"{name}: "
        start += f"got {quoted(got)}; " if message.startswith("allowed:") else ""
        return [f"{start}{line}" for line in message.splitlines()]
    count = error.get("ctx", {}).get("actual_length")
    found = quoted(got) if count is None else f"{count} entries"
    return [f"{name}: got {found}; allowed: {_allowed(_schema_at(place))}; correct it"]


def _schema_at(place: Sequence[str | int]) -> dict[str, Any]:
    """Return the JSON Schema of the setting at the path `place`."""
    root = _schema()
    schema: dict[str, Any] = root
    for part in place:
        inner = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
        schema = inner or schema.get("additionalProperties") or {}
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
        # The schema of an optional setting is `anyOf` with two entries: the schema of its value, and null.
        schema = schema["anyOf"][0] if "anyOf" in schema else schema
    return schema


@cache
def _schema() -> dict[str, Any]:
    return Settings.model_json_schema(by_alias=True)


def _allowed(schema: Mapping[str, Any]) -> str:
    """Return a description of the values that the JSON Schema `schema` allows."""
    if "patternErrorMessage" in schema:
        return schema["patternErrorMessage"].removeprefix("allowed: ")
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    kind = schema.get("type")
    if kind == "integer":
        return f"a whole number from {schema['minimum']} to {schema['maximum']}"
    if kind == "array":
        return f"a list of {schema['minItems']} to {schema['maxItems']} entries" if "maxItems" in schema else "a list"
    return {"boolean": "true or false", "object": "a mapping"}.get(str(kind), "a string")


def stack_file_schema() -> dict[str, Any]:
    """Return the JSON Schema of the stack files Pulumi.STACK.yaml."""
    areas = _schema()
    config: dict[str, Any] = {f"orders:{area}": areas["properties"][area] for area in AREAS}
    config[_REGION_KEY] = areas["properties"]["region"]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Stack file of orders",
        "type": "object",
        "properties": {
            "config": {
                "type": "object",
                "properties": config,
                "patternProperties": {"^(aws|pulumi):": {}},
                "additionalProperties": False,
            }
        },
        # A stack file with an ESC environment may leave out groups of settings, because the environment can supply
        # them. Any other stack file must contain all groups.
        "if": {"required": ["environment"]},
        "else": {"required": ["config"], "properties": {"config": {"required": sorted(config)}}},
        "$defs": areas["$defs"],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(stack_file_schema(), indent=2) + "\n")
