"""The only reader of the stack's configuration: typed, checked before anything is created, and never changed after.

`python settings.py` prints the JSON Schema of the stack files, which editors use (settings.schema.json).
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, Self, cast

import pulumi
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic.alias_generators import to_camel

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
# API Gateway gives up after 29 s; its function must answer before (API Gateway quotas).
_API_TIMEOUT_S: Final = 28
_API_FUNCTIONS: Final = ("users_api", "orders_api", "catalog_api")
# What the workflow's tasks give their functions, in workflows/order.asl.json.
_TASK_TIMEOUT_S: Final = 8
_TASK_FUNCTIONS: Final = ("validate_order", "update_inventory")

_STACK: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST_STACK: Final = 16
_ORIGIN: Final = re.compile(r"(https://[a-z0-9.-]+(:\d+)?|http://(localhost|127\.0\.0\.1)(:\d+)?)")
_REDIRECT: Final = re.compile(r"(https://[^\s*#]+|http://localhost(:\d+)?(/[^\s*#]*)?)")
_REGION: Final = re.compile(r"[a-z]{2}(-[a-z]+)+-\d")
_MAIL: Final = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")
# The retention periods that CloudWatch Logs accepts (PutRetentionPolicy).
_RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)


def _matching(pattern: re.Pattern[str], allowed: str) -> AfterValidator:
    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"allowed: {allowed}")
        return value

    return AfterValidator(check)


def _retention(value: int) -> int:
    if value not in _RETENTION_DAYS:
        raise ValueError(f"allowed: what CloudWatch Logs knows, {', '.join(map(str, _RETENTION_DAYS))}")
    return value


Origin = Annotated[str, _matching(_ORIGIN, "an exact origin without path, https://… or http://localhost:PORT, never *")]
RedirectUri = Annotated[str, _matching(_REDIRECT, "an exact https://… or http://localhost… address without # or *")]
MailAddress = Annotated[str, _matching(_MAIL, "an e-mail address")]
RetentionDays = Annotated[int, AfterValidator(_retention)]


class _Area(BaseModel):
    """A group of settings: every key is required, none is unknown, no type is guessed."""

    model_config = ConfigDict(alias_generator=to_camel, extra="forbid", frozen=True, strict=True)


class IdentitySettings(_Area):
    """Signing in."""

    password_sign_in: bool = Field(description="Sign in by password or SRP, beside the hosted page's code flow.")
    redirect_uris: list[RedirectUri] = Field(min_length=1, description="Where the hosted page may return to.")
    logout_uris: list[RedirectUri] = Field(min_length=1, description="Where it may send users who signed out.")


class ApiSettings(_Area):
    """Both APIs."""

    cors_origins: list[Origin] = Field(min_length=1, description="Origins of the frontends; the first is the main one.")
    throttle_rate: int = Field(ge=1, le=10_000, description="Requests a second of each API, steady.")
    throttle_burst: int = Field(ge=1, le=5_000, description="Requests at once of each API.")
    waf: bool = Field(description="A web application firewall before the REST API.")
    owns_account_log_role: bool = Field(
        description="This stack sets API Gateway's log role, which is one for an account and region. "
        "False if another stack in the same account and region does."
    )


class DataSettings(_Area):
    """Tables, bucket and archive."""

    point_in_time_recovery: bool = Field(description="Continuous backups of the tables.")
    deletion_protection: bool = Field(description="Tables, bucket and user pool cannot be deleted.")
    force_destroy: bool = Field(description="`pulumi destroy` empties the analytics bucket.")
    analytics_retention_days: int = Field(ge=1, le=3650, description="Days until an analytics record expires.")
    archive_retention_days: int = Field(ge=1, le=3650, description="Days that events can be replayed.")

    @model_validator(mode="after")
    def _protected_data_is_recoverable(self) -> Self:
        if self.deletion_protection and self.force_destroy:
            raise ValueError("deletionProtection and forceDestroy exclude each other; set one of them to false")
        if self.deletion_protection and not self.point_in_time_recovery:
            raise ValueError("deletionProtection without pointInTimeRecovery keeps the table, not the data; set both")
        return self


class FunctionSettings(_Area):
    """One function."""

    timeout_seconds: int = Field(ge=1, le=900, description="Seconds it may run, below its caller's limit.")
    memory_mb: int = Field(ge=128, le=10_240, description="MiB of memory; CPU grows with it.")
    provisioned_concurrency: int = Field(ge=0, le=1000, description="Environments kept initialised; 0 is none.")


class FunctionsSettings(_Area):
    """All functions."""

    architecture: Literal["arm64", "x86_64"] = Field(description="Processor; the layers are built for it.")
    layers_hold_byte_code: bool = Field(
        description="The layers hold byte code of Lambda's Python instead of sources: a third of the initialisation. "
        "False where functions run on another Python, as on one machine."
    )
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(description="Of Powertools' logger.")
    sizes: dict[str, FunctionSettings] = Field(description="Each function by its name.")

    @model_validator(mode="after")
    def _sizes_fit_functions_and_callers(self) -> Self:
        missing, unknown = set(FUNCTION_NAMES) - set(self.sizes), set(self.sizes) - set(FUNCTION_NAMES)
        if missing or unknown:
            raise ValueError(
                f"sizes: missing {sorted(missing)}, unknown {sorted(unknown)}; one entry for each function"
            )
        for names, limit, caller in (
            (_API_FUNCTIONS, _API_TIMEOUT_S, "API Gateway"),
            (_TASK_FUNCTIONS, _TASK_TIMEOUT_S - 1, "the workflow's task"),
        ):
            for name in names:
                got = self.sizes[name].timeout_seconds
                if got > limit:
                    raise ValueError(
                        f"sizes.{name}.timeoutSeconds: got {got}; allowed: at most {limit}; {caller} stops waiting then"
                    )
        return self


class WorkflowSettings(_Area):
    """The order workflow."""

    standard_timeout_seconds: int = Field(ge=60, le=86_400, description="Seconds that a STANDARD execution may take.")


class MailSettings(_Area):
    """Mail by SES."""

    sender: MailAddress = Field(description="From address. SES must have verified it or its domain.")
    create_identity: bool = Field(
        description="This stack makes the SES identity of the sender, and SES sends it a verification mail. "
        "False if the identity exists."
    )


class ObservabilitySettings(_Area):
    """Logs and alarms."""

    log_retention_days: RetentionDays = Field(description="Days that logs are kept.")
    alarm_email: MailAddress | Literal[""] = Field(description="Who is told of alarms; empty is nobody by mail.")


class Settings(_Area):
    """All settings of one stack."""

    stack: Annotated[str, _matching(_STACK, "lower-case letters, digits and single hyphens, a letter first")] = Field(
        max_length=_LONGEST_STACK
    )
    project: str
    region: Annotated[str, _matching(_REGION, "an AWS region such as ap-northeast-1")]
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
    project, stack = pulumi.get_project(), pulumi.get_stack()
    values: dict[str, Any] = {"project": project, "stack": stack, "region": pulumi.Config("aws").get("region")}
    config = pulumi.Config(project)
    problems = _unknown_areas(project)
    for area in AREAS:
        try:
            values[area] = config.get_object(area)
        except (pulumi.ConfigTypeError, ValueError):
            values[area] = config.get(area)
    try:
        settings = Settings.model_validate(values, by_alias=True, by_name=True)
    except ValidationError as error:
        problems += [_explain(project, dict(item)) for item in error.errors()]
    else:
        if not problems:
            return settings
    lines = "\n".join(f"  {problem}" for problem in problems)
    raise SettingsError(
        f"Pulumi.{stack}.yaml: nothing was created, because of {len(problems)} wrong setting(s):\n{lines}"
    )


def _unknown_areas(project: str) -> list[str]:
    # pulumi.Config cannot list its keys; its store can.
    keys = cast("Mapping[str, Any]", pulumi.runtime.config.CONFIG.get())
    names = [key.removeprefix(f"{project}:") for key in keys if key.startswith(f"{project}:")]
    return [
        f"{project}:{name}: unknown setting; allowed: {', '.join(AREAS)}; correct or remove it"
        for name in sorted(set(names) - set(AREAS))
    ]


def _explain(project: str, error: Mapping[str, Any]) -> str:
    """Return one line: what, got, allowed."""
    where = [str(part) for part in error["loc"]]
    if not where:
        return str(error["msg"])
    name = "aws:region" if where[0] == "region" else f"{project}:{'.'.join(where)}"
    if where[0] in ("stack", "project"):
        name = f"name of the {where[0]}"
    message = str(error["msg"]).removeprefix("Value error, ")
    if error["type"] == "missing" or error["input"] is None:
        return f"{name}: missing; every stack file has the same keys, so take it over from Pulumi.dev.yaml"
    if error["type"] == "extra_forbidden":
        return f"{name}: unknown setting; correct or remove it"
    got = error["input"]
    if isinstance(got, dict | list):
        return f"{name}: {message}"
    return f"{name}: got {got!r}; {message}"


def stack_file_schema() -> dict[str, Any]:
    """Return the JSON Schema of Pulumi.STACK.yaml."""
    areas = Settings.model_json_schema(by_alias=True)
    definitions = areas.pop("$defs")
    config: dict[str, Any] = {f"orders:{area}": areas["properties"][area] for area in AREAS}
    config["aws:region"] = {"type": "string", "pattern": f"^{_REGION.pattern}$", "description": "AWS region."}
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
        "$defs": definitions,
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(stack_file_schema(), indent=2) + "\n")
