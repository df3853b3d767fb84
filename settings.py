"""The only reader of the stack's configuration: typed, checked before anything is created, and never changed after.

`python settings.py` prints the JSON Schema of the stack files, which editors use (settings.schema.json).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Mapping, Sequence
from functools import cache
from typing import Any, Final, Literal, Self, cast

import pulumi
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic.alias_generators import to_camel

from pulumi_yaml import quoted
from setting_types import (
    MailAddress,
    OptionalMailAddress,
    Origins,
    ProjectName,
    RedirectUris,
    Region,
    RetentionDays,
    StackName,
)

_REGION_KEY: Final = "aws:region"
AREAS: Final = ("identity", "api", "data", "functions", "workflow", "mail", "observability")
FUNCTION_NAMES: Final = (
    "users_api",
    "orders_api",
    "catalog_api",
    "publish_order_events",
    "process_order",
    "fail_order",
    "send_email",
    "record_analytics",
    "validate_order",
    "update_inventory",
)
# API Gateway stops waiting after 29 s (its quota), so the time limits of its functions must be shorter.
_API_TIMEOUT_S: Final = 28
_API_FUNCTIONS: Final = ("users_api", "orders_api", "catalog_api")
# workflows/order.asl.json sets this time limit for the tasks that invoke these functions.
_TASK_TIMEOUT_S: Final = 8
_TASK_FUNCTIONS: Final = ("validate_order", "update_inventory")

# Lambda retries a failed event after one minute (Lambda guide, "Asynchronous invocation"). An invocation of send_email
# claims its email until its time limit. With a time limit of more than a minute, the retry would find the claim and
# fail too.
_FIRST_RETRY_S: Final = 60
_CLAIMING_FUNCTIONS: Final = ("send_email",)
# Lambda limits all environment variables of a function to 4 KB. The origins are one of ten variables.
_LONGEST_ORIGINS: Final = 3_000


class _Area(BaseModel):
    """A group of settings: every key is required, none is unknown, no type is guessed."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True)


class IdentitySettings(_Area):
    """Signing in."""

    password_sign_in: bool = Field(
        description="Let users sign in by password or SRP through Cognito's API, besides the hosted sign-in page."
    )
    redirect_uris: RedirectUris = Field(description="Addresses to which the sign-in page may send a user back.")
    logout_uris: RedirectUris = Field(description="Addresses to which the sign-in page may send a user who signed out.")


class ApiSettings(_Area):
    """The REST API and the HTTP API."""

    cors_origins: Origins = Field(
        description="Origins of the frontends that may call the APIs from a browser. The first one is the main one: "
        "API Gateway's own errors name it."
    )
    throttle_rate: int = Field(
        ge=1,
        le=10_000,
        description="Requests a second that each API answers over time. Above it, API Gateway answers 429.",
    )
    throttle_burst: int = Field(ge=1, le=5_000, description="Requests that each API answers at the same moment.")
    waf: bool = Field(description="Put a web application firewall (AWS WAF) before the REST API.")
    owns_account_log_role: bool = Field(
        description="Let this stack set API Gateway's log role, of which each account has one in each region. "
        "Set it to false if another stack in the same account and region owns that role."
    )

    @field_validator("cors_origins")
    @classmethod
    def _origins_fit_into_an_environment(cls, origins: list[str]) -> list[str]:
        if (got := len(",".join(origins))) > _LONGEST_ORIGINS:
            raise ValueError(f"got {got} characters in all; allowed: at most {_LONGEST_ORIGINS}; remove some origins")
        return origins


class DataSettings(_Area):
    """Tables, bucket and event archive."""

    point_in_time_recovery: bool = Field(description="Back up the tables continuously; a restore can go back 35 days.")
    deletion_protection: bool = Field(description="Refuse to delete the tables, the bucket and the user pool.")
    force_destroy: bool = Field(description="Let `pulumi destroy` delete the bucket with the analytics records in it.")
    analytics_retention_days: int = Field(ge=1, le=3650, description="Days until S3 deletes an analytics record.")
    archive_retention_days: int = Field(
        ge=1,
        le=3650,
        description="Days for which the archive keeps events, so that you can replay them. send_email remembers for "
        "longer which mails it sent, so a replay sends none of them again. A higher value counts for later mails only.",
    )

    @model_validator(mode="after")
    def _protected_data_is_recoverable(self) -> Self:
        wrong: list[str] = []
        if self.deletion_protection and self.force_destroy:
            wrong.append("forceDestroy: got true with deletionProtection; allowed: one of them; set one to false")
        if self.deletion_protection and not self.point_in_time_recovery:
            wrong.append(
                "pointInTimeRecovery: got false with deletionProtection, which keeps the tables, not the data in them; "
                "allowed: both; set it to true"
            )
        return _unless(wrong, self)


class FunctionSettings(_Area):
    """One function."""

    timeout_seconds: int = Field(ge=1, le=900, description="Seconds after which Lambda ends an invocation.")
    memory_mb: int = Field(ge=128, le=10_240, description="Memory in MiB. The share of CPU grows with it.")
    provisioned_concurrency: int = Field(
        ge=0,
        le=1000,
        description="Environments that Lambda keeps initialized; 0 for none. Each one costs money all the time.",
    )


class FunctionsSettings(_Area):
    """All functions."""

    architecture: Literal["arm64", "x86_64"] = Field(
        description="Processor of the functions. The layers are built for it."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        description="Lowest level of the log lines that the functions write."
    )
    sizes: dict[str, FunctionSettings] = Field(
        description="Time limit and memory of each function, by its name.",
        json_schema_extra={"propertyNames": {"enum": list(FUNCTION_NAMES)}, "required": list(FUNCTION_NAMES)},
    )

    @model_validator(mode="after")
    def _sizes_fit_functions_and_callers(self) -> Self:
        names = set(FUNCTION_NAMES)
        wrong = [f"sizes.{name}: missing; copy it from another stack file" for name in sorted(names - set(self.sizes))]
        wrong += [
            f"sizes.{quoted(name)[1:-1]}: unknown function; correct or remove it"
            for name in sorted(set(self.sizes) - names)
        ]
        for functions, limit, why in (
            (_API_FUNCTIONS, _API_TIMEOUT_S, "API Gateway stops waiting then"),
            (_TASK_FUNCTIONS, _TASK_TIMEOUT_S - 1, "the workflow's task stops waiting then"),
            (_CLAIMING_FUNCTIONS, _FIRST_RETRY_S, "Lambda repeats the event then"),
        ):
            wrong += [
                f"sizes.{name}.timeoutSeconds: got {size.timeout_seconds}; allowed: at most {limit}; {why}"
                for name, size in self.sizes.items()
                if name in functions and size.timeout_seconds > limit
            ]
        return _unless(wrong, self)


class WorkflowSettings(_Area):
    """The order workflow."""

    standard_timeout_seconds: int = Field(
        ge=60,
        le=86_400,
        description="Seconds after which Step Functions ends a STANDARD execution; its order then fails.",
    )


class MailSettings(_Area):
    """Mail by Amazon SES."""

    sender: MailAddress = Field(description="From address of all mail. SES must have verified it, or its domain.")
    create_identity: bool = Field(
        description="Let this stack create the SES identity of the sender; SES then mails a link that verifies it. "
        "Set it to false if the identity exists."
    )


class ObservabilitySettings(_Area):
    """Logs and alarms."""

    log_retention_days: RetentionDays = Field(description="Days for which CloudWatch keeps the logs.")
    alarm_email: OptionalMailAddress = Field(
        description='Mail address that SNS tells of alarms, once it has confirmed the subscription; "" for none.'
    )


class Settings(_Area):
    """All settings of one stack."""

    stack: StackName
    project: ProjectName
    region: Region = Field(description="AWS region of the stack.")
    identity: IdentitySettings
    api: ApiSettings
    data: DataSettings
    functions: FunctionsSettings
    workflow: WorkflowSettings
    mail: MailSettings
    observability: ObservabilitySettings


class SettingsError(pulumi.RunError):
    """The stack's configuration is wrong. Pulumi prints the message alone."""


def load() -> Settings:
    """Return the settings of the current stack. Raises SettingsError, which lists everything that is wrong."""
    store = pulumi.runtime.config
    # pulumi.Config cannot list its keys, so the settings come from the store behind it.
    config = cast("Mapping[str, str]", store.CONFIG.get())
    secrets = {key for key in config if store.is_config_secret(key)}
    return check(pulumi.get_project(), pulumi.get_stack(), config, secrets)


def check(project: str, stack: str, config: Mapping[str, str], secrets: Collection[str] = ()) -> Settings:
    """Return the settings that `config` has: `namespace:key` -> string, a structured value as JSON.

    Raises SettingsError. `secrets` are the keys whose values Pulumi has encrypted.
    """
    values: dict[str, Any] = {"project": project, "stack": stack, "region": config.get(_REGION_KEY)}
    values |= {area: _value(config.get(f"{project}:{area}")) for area in AREAS}
    problems = _unknown_areas(project, config) + _secrets(project, secrets)
    try:
        settings = Settings.model_validate(values, by_alias=True, by_name=True)
    except ValidationError as error:
        # A message must not contain the value of a secret.
        told = [item for item in error.errors() if _key(project, item["loc"][:1]) not in secrets]
        problems += [line for item in told for line in _explain(project, dict(item))]
    else:
        if not problems:
            return settings
    lines = "\n".join(f"  {problem}" for problem in problems)
    raise SettingsError(
        f"Pulumi.{quoted(stack)[1:-1]}.yaml: nothing was created, because of {len(problems)} wrong setting(s):\n{lines}"
    )


def _value(text: str | None) -> Any:
    """Return the value of a string of the configuration: parsed if it is JSON, else as it is."""
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
        f"{key}: got a secret; allowed: plain values, because names and outputs show them; set it without --secret"
        for key in known
        if key in secrets
    ]


def _key(project: str, place: Sequence[str | int]) -> str:
    """Return the name by which people know a place in the settings."""
    first, *others = [quoted(part)[1:-1] if isinstance(part, str) else str(part) for part in place]
    if first == "region":
        return _REGION_KEY
    return f"name of the {first}" if first in ("stack", "project") else f"{project}:{'.'.join([first, *others])}"


def _explain(project: str, error: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing that is wrong: key, what was found, what is allowed, what to do."""
    place, got = error["loc"], error["input"]
    name = _key(project, place)
    if error["type"] == "missing" or (got is None and error["type"] != "value_error"):
        return [f"{name}: missing; every stack file has the same keys; copy it from another one"]
    if error["type"] == "extra_forbidden":
        known = ", ".join(_schema_at(place[:-1]).get("properties", ()))
        return [f"{name}: unknown setting; allowed: {known}; correct or remove it"]
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "value_error":
        # A rule that compares several settings adds the name of the wrong setting to its message.
        start = f"{name}." if isinstance(got, dict) else f"{name}: "
        start += f"got {quoted(got)}; " if message.startswith("allowed:") else ""
        return [f"{start}{line}" for line in message.splitlines()]
    count = error.get("ctx", {}).get("actual_length")
    found = quoted(got) if count is None else f"{count} entries"
    return [f"{name}: got {found}; allowed: {_allowed(_schema_at(place))}; correct it"]


def _schema_at(place: Sequence[str | int]) -> dict[str, Any]:
    """Return the JSON Schema of a place in the settings."""
    root = _schema()
    schema: dict[str, Any] = root
    for part in place:
        inner = schema.get("items") if isinstance(part, int) else schema.get("properties", {}).get(part)
        schema = inner or schema.get("additionalProperties") or {}
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return schema


@cache
def _schema() -> dict[str, Any]:
    return Settings.model_json_schema(by_alias=True)


def _allowed(schema: Mapping[str, Any]) -> str:
    """Return in words what a JSON Schema takes."""
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
    """Return the JSON Schema of Pulumi.STACK.yaml."""
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
                "required": sorted(config),
                "patternProperties": {"^(aws|pulumi):": {}},
                "additionalProperties": False,
            }
        },
        "required": ["config"],
        "$defs": areas["$defs"],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(stack_file_schema(), indent=2) + "\n")
