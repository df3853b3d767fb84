"""Checks the AWS account that a stack will be deployed to, with the credentials that Pulumi's AWS provider will use."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, cast

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from operations import quotas

LIMIT_S: Final = 4.0
"""Time limit of all checks together, in seconds. An unfinished check becomes a warning."""
UNRESERVED: Final = 100
# STS returns the identity of the caller in every region. If the configuration names no region, the check uses this
# region.
_ANY_REGION: Final = "us-east-1"
# Settings with which the AWS provider finds its credentials or endpoints in a way that this check does not support. If
# one of them is present, the account is not checked.
_NOT_READ: Final = (
    *("aws:assumeRoleWithWebIdentity", "aws:endpoints", "aws:sharedConfigFiles", "aws:sharedCredentialsFiles"),
    *("aws:skipCredentialsValidation", "aws:skipRequestingAccountId"),
)
_CONFIG: Final = Config(connect_timeout=1, read_timeout=2, retries={"total_max_attempts": 1})


@dataclass
class Found:
    """The results of the checks."""

    problems: list[str] = field(default_factory=list[str])
    """Reasons why the deployment would fail or go to the wrong account, each with a remedy."""
    warnings: list[str] = field(default_factory=list[str])
    """Checks that could not be done, each with the reason."""
    account: str = ""
    """The id of the account, or an empty text if it is not known."""


def check(config: Mapping[str, Any], environment: Mapping[str, str]) -> Found:
    """Check the account of a stack with the configuration `config` and the environment variables `environment`."""
    found = Found()
    if unread := [key for key in _NOT_READ if key in config]:
        found.warnings.append(unchecked(f"this check does not support {', '.join(unread)}"))
        return found
    done: list[Found] = []
    compared: list[list[str]] = []
    failed: list[Exception] = []

    def work() -> None:
        try:
            client = _clients(config, environment)
            done.append(_checked(config, client))
            compared.append([] if done[0].problems else quotas.too_low(config, client))
        except Exception as error:  # noqa: BLE001 - whatever prevents the check must not prevent the deployment
            failed.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(LIMIT_S)
    why_not = " ".join(str(failed[0]).split()) if failed else f"no answer within {LIMIT_S:g} s"
    if done:
        not_compared = [f"AWS's quotas were not compared with api.throttleRate: {why_not}"]
        done[0].warnings += compared[0] if compared else not_compared
        return done[0]
    found.warnings.append(unchecked(why_not))
    return found


def unchecked(why: str) -> str:
    """Return the warning that the account was not checked, with the reason `why`."""
    return f"the AWS account was not checked: {why}"


def _checked(config: Mapping[str, Any], client: Callable[[str], Any]) -> Found:
    found = Found()
    found.account = str(client("sts").get_caller_identity()["Account"])
    found.problems += wrong_account(config, found.account)
    if found.problems:
        return found
    try:
        quota = client("lambda").get_account_settings()["AccountLimit"]["ConcurrentExecutions"]
    except (BotoCoreError, ClientError) as error:
        found.warnings.append(f"Lambda's quota of concurrent executions was not checked: {error}")
        return found
    found.problems += too_few_environments(config, int(quota))
    return found


def _clients(config: Mapping[str, Any], environment: Mapping[str, str]) -> Callable[[str], Any]:
    """Return a function that creates a client of a service, with the stack's profile, keys and roles."""
    os.environ.update(environment)
    session: Any = boto3
    keys = {
        "region_name": config.get("aws:region") or os.environ.get("AWS_REGION") or _ANY_REGION,
        "profile_name": config.get("aws:profile"),
        "aws_access_key_id": config.get("aws:accessKey"),
        "aws_secret_access_key": config.get("aws:secretKey"),
        "aws_session_token": config.get("aws:token"),
    }
    current = session.Session(**keys)
    for role in _roles(config):
        given = current.client("sts", config=_CONFIG).assume_role(
            RoleArn=role["roleArn"],
            RoleSessionName=role.get("sessionName") or "orders-prerequisites",
            **({"ExternalId": role["externalId"]} if role.get("externalId") else {}),
        )["Credentials"]
        current = session.Session(
            region_name=keys["region_name"],
            aws_access_key_id=given["AccessKeyId"],
            aws_secret_access_key=given["SecretAccessKey"],
            aws_session_token=given["SessionToken"],
        )
    return lambda service: current.client(service, config=_CONFIG)


def _roles(config: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the roles to assume, in this order.

    They come from the list `aws:assumeRoles`, or from `aws:assumeRole`. Version 6 of the provider had only
    `aws:assumeRole`, which contains one role.
    """
    roles: Any = config.get("aws:assumeRoles") or config.get("aws:assumeRole") or []
    listed = cast("list[Any]", roles) if isinstance(roles, list) else [roles]
    return [cast("dict[str, Any]", role) for role in listed if isinstance(role, dict) and "roleArn" in role]


def wrong_account(config: Mapping[str, Any], account: str) -> list[str]:
    """Return a problem if the stack's configuration does not allow `account`, otherwise an empty list."""
    allowed, forbidden = (_texts(config.get(f"aws:{key}")) for key in ("allowedAccountIds", "forbiddenAccountIds"))
    if allowed and account not in allowed:
        wanted = f"allowed: {', '.join(allowed)} (aws:allowedAccountIds)"
    elif account in forbidden:
        wanted = f"allowed: any but {', '.join(forbidden)} (aws:forbiddenAccountIds)"
    else:
        return []
    return [f"AWS account: got {account}; {wanted}; use other credentials, e.g. set AWS_PROFILE"]


def _texts(value: Any) -> list[str]:
    return [str(each) for each in cast("Sequence[Any]", value)] if isinstance(value, list) else []


def too_few_environments(config: Mapping[str, Any], quota: int) -> list[str]:
    """Return a problem if Lambda would refuse the provisioned concurrency in `config`, otherwise an empty list.

    `quota` is the account's quota of concurrent executions. Lambda keeps 100 of them unreserved. The quota of a new
    account can be as low as 10.
    """
    provisioned = _section(_section(config, "orders:functions"), "provisionedConcurrency")
    wanted = sum(number for number in provisioned.values() if isinstance(number, int))
    if not wanted or quota - wanted >= UNRESERVED:
        return []
    needed = f"{wanted} for provisioned concurrency and {UNRESERVED} that Lambda keeps unreserved"
    remedy = "request an increase in Service Quotas (Lambda, Concurrent executions), or lower provisionedConcurrency"
    return [f"Lambda's quota of concurrent executions: got {quota}; required: {needed}; {remedy}"]


def _section(of: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """Return the section `name` of the configuration, or {} if the section is not a mapping."""
    found = of.get(name)
    return cast("Mapping[str, Any]", found) if isinstance(found, dict) else {}
