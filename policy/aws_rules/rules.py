"""The list of all rules of the policy pack."""

from __future__ import annotations

from typing import Final

from aws_rules import (
    buckets,
    firewall,
    functions,
    http_api,
    keys,
    messaging,
    monitoring,
    rest_api,
    roles,
    sites,
    state_machines,
    tables,
    user_pools,
)
from aws_rules.model import Rule

RULES: Final[tuple[Rule, ...]] = (
    *functions.RULES,
    *rest_api.RULES,
    *http_api.RULES,
    *firewall.RULES,
    *sites.RULES,
    *user_pools.RULES,
    *tables.RULES,
    *buckets.RULES,
    *messaging.RULES,
    *state_machines.RULES,
    *roles.RULES,
    *keys.RULES,
    *monitoring.RULES,
)
