"""Generates the tables in policy/README.md."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path
from typing import Final

from aws_rules.model import Rule
from aws_rules.not_taken import NOT_TAKEN
from aws_rules.rules import RULES
from aws_rules.waivers import WAIVERS

Table = tuple[tuple[str, ...], list[tuple[str, ...]]]
ENFORCEMENT: Final = Path(__file__).resolve().parents[2] / "policy" / "enforcement"


def rules() -> Table:
    """Return the table of all rules: what each rule requires, and which checks of cdk-nag and checkov it covers."""
    rows = [(f"`{rule.name}`", f"{rule.demands}{_narrowed(rule)}", _ids(rule.ids)) for rule in RULES]
    return ("rule", "what the rule requires", "checks that the rule covers"), rows


def waivers() -> Table:
    """Return the table of all waivers: the rule, the resources that are allowed to break it, and the reason."""
    ids = {rule.name: _ids(rule.ids) for rule in RULES}
    rows = [(f"`{each.rule}` ({ids[each.rule]})", f"`{each.resources}`", each.reason) for each in WAIVERS]
    return ("rule", "resources", "why the resources break the rule"), rows


def not_taken() -> Table:
    """Return the table of all checks of cdk-nag and checkov that no rule covers, grouped by the reason."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for check, reason in NOT_TAKEN.items():
        by_reason[reason].append(check)
    return ("checks", "why no rule covers them"), [
        (_ids(tuple(checks)), reason) for reason, checks in by_reason.items()
    ]


def enforcement() -> Table:
    """Return the table of all rules that are advisory in at least one stack, with their level in each stack."""
    stacks = sorted(path.stem for path in ENFORCEMENT.glob("*.json"))
    levels = {stack: levels_of(stack) for stack in stacks}
    names = sorted({name for each in levels.values() for name in each})
    rows = [(f"`{name}`", *(levels[stack].get(name, "mandatory") for stack in stacks)) for name in names]
    return ("rule", *stacks), rows


def levels_of(stack: str) -> dict[str, str]:
    """Return {name of the rule: enforcement level} from the file of `stack` in policy/enforcement."""
    levels: dict[str, str] = json.loads((ENFORCEMENT / f"{stack}.json").read_text(encoding="utf-8"))
    return levels


def _narrowed(rule: Rule) -> str:
    return f" *Narrower than the checks:* {rule.narrowed}" if rule.narrowed else ""


def _ids(ids: tuple[str, ...]) -> str:
    return ", ".join(ids)
