"""Defines the policy pack, which `pulumi preview --policy-pack policy` runs."""

from __future__ import annotations

from pulumi_policy import EnforcementLevel, PolicyPack

from aws_rules.pack import policies

PolicyPack("orders-aws", policies(), EnforcementLevel.MANDATORY)
