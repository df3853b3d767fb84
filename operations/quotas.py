"""Compares the quotas of the AWS account with the requests per second that the APIs of a stack accept.

needed_quotas.json lists the quotas that limit orders, and how much of each quota one order uses. `make generate` writes
the file.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, cast

from botocore.exceptions import BotoCoreError, ClientError

NEEDED: Final = Path(__file__).resolve().parent / "needed_quotas.json"
_REMEDY: Final = (
    "request an increase in Service Quotas, lower api.throttleRate, or state in api.capacityWaiver why the rate is "
    "right"
)


def too_low(config: Mapping[str, Any], client: Callable[[str], Any]) -> list[str]:
    """Return a warning for each quota of the account that is too low for `api.throttleRate` requests per second.

    The comparison assumes that every request is an order. `config` is the stack's configuration. If it sets
    `api.capacityWaiver`, the list is empty. `client` is a function that creates an AWS SDK client by service name. If
    Service Quotas does not respond, the list contains only a warning about that.
    """
    api = config.get("orders:api")
    rate = cast("dict[str, Any]", api).get("throttleRate") if isinstance(api, dict) else None
    if not isinstance(rate, int) or cast("dict[str, Any]", api).get("capacityWaiver"):
        return []
    needed = cast("list[dict[str, Any]]", json.loads(NEEDED.read_text(encoding="utf-8")))
    try:
        quotas = client("service-quotas")
        values = [(need, _value(quotas, need)) for need in needed]
    except (BotoCoreError, ClientError) as error:
        return [f"AWS's quotas were not compared with api.throttleRate: {' '.join(str(error).split())}"]
    return [
        f"quota {need['name']} ({need['service']}): got {value:,.0f}; required: {rate * need['per_order']:,.0f}, "
        f"because api.throttleRate allows {rate:,} orders per second; {_REMEDY}"
        for need, value in values
        if value is not None and value < rate * need["per_order"]
    ]


def _value(quotas: Any, need: Mapping[str, Any]) -> float | None:
    """Return the account's value of the quota in `need`, or None if Service Quotas does not list the quota."""
    if not need["code"]:
        listed = quotas.list_service_quotas(ServiceCode=need["service"], MaxResults=100)["Quotas"]
        return next((float(each["Value"]) for each in listed if each["QuotaName"] == need["name"]), None)
    wanted = {"ServiceCode": need["service"], "QuotaCode": need["code"]}
    try:
        return float(quotas.get_service_quota(**wanted)["Quota"]["Value"])
    except ClientError as error:
        # NoSuchResourceException means that the account has no value of its own for this quota. AWS's default applies.
        if error.response.get("Error", {}).get("Code") != "NoSuchResourceException":
            raise
        return float(quotas.get_aws_default_service_quota(**wanted)["Quota"]["Value"])
