"""The attack `least-privilege` proves that each IAM permission of the platform is needed, and that none is missing.

On the emulator, which enforces IAM, the attack removes each permission in turn and runs a scenario that used this
permission before. Something must fail: a request, a log line or a message in a failure queue must show the denial.
Permissions that only AWS itself checks are derived from the resource graph and compared with the granted ones in both
directions. docs/permissions.md is generated from the same graph. Run the attack alone with `make prove
ATTACKS=least-privilege`.
"""
