"""The attack `policy-pack` checks all resources of stack prod against the rules of cdk-nag and checkov.

The rules are those of our policy pack (policy/), applied to the resource graph of the Pulumi program. Stack prod is
allowed to violate a rule only if a waiver states the reason. To prove that the rules work, the tests also violate each
rule on purpose by a change to one resource. Exactly this rule must report the resource. Run the attack alone with
`make prove ATTACKS=policy-pack`.
"""
