"""What a scenario of the attack on permissions is.

A scenario is a generator with two steps. The first step only makes preparations. The second step does the actual work,
and yields a function that checks all results. The attack removes a permission between the two steps.
"""

from __future__ import annotations

from collections.abc import Callable, Generator

from tests.proof.least_privilege.audited_stack import AuditedStack

Check = Callable[[], object]
Scenario = Callable[[AuditedStack], Generator[Check]]


def ready() -> bool:
    """Return True. A scenario yields this function after its preparations, which need no check."""
    return True
