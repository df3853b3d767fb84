"""The attack `least-privilege` proves that each IAM permission of the platform is needed, and that none is missing.

The emulator enforces IAM. On the emulator, the attack first records which scenario uses which permission. Then it
removes each permission in turn, and repeats scenarios that use this permission. One of them must fail: a failed
request, a log line or a message in a failure queue must show the denial.

Some permissions are checked only by AWS. The attack derives from the resource graph which of these the platform needs.
Each needed permission must be granted, and each granted one must be needed. docs/permissions.md is generated from the
same graph.

Run the attack alone with `make prove ATTACKS=least-privilege`.
"""
