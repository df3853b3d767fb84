"""Checks the result of each case: nothing is lost, duplicated, oversold or stuck."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from tests.proof.aws_faults.cases import ORDERED, Case
from tests.proof.aws_faults.faulty_stack import Seen
from tests.proof.aws_faults.plan import WORKFLOWS, Call

SUBJECTS: Final = {
    "PENDING": "Your order is received",
    "CONFIRMED": "Your order is confirmed",
    "REJECTED": "Your order is rejected",
    "FAILED": "Your order has failed",
    "CANCELLED": "Your order is cancelled",
}
# If one of these faults occurs, AWS carries out the call, but the caller gets no response.
_UNHEARD: Final = ("answer lost", "too slow", "killed after")


@dataclass
class Findings:
    """All errors that were found in the cases, and the numbers of duplicates that the platform cannot avoid."""

    wrong: list[str] = field(default_factory=list[str])
    counts: Counter[str] = field(default_factory=Counter[str])
    """{kind: number of findings}. Kinds are, for example, lost, duplicated, oversold, stuck and wrong_ends.

    Findings of the kinds mails_twice and events_twice are allowed, so they are not in `wrong`.
    """

    def add(self, kind: str, case: Case, what: str) -> None:
        """Record one error in `case`. `kind` is a key of `counts`, and `what` describes the error."""
        self.counts[kind] += 1
        self.wrong.append(f"{kind}: {what}: {case}: HTTP statuses {case.answers}, faults {case.life.met[:4]}")


def is_complete(case: Case, seen: Seen) -> bool:
    """Return whether all requests of `case` have a final response, and its order is completely processed.

    An order is completely processed if it is decided, all its events and analytics records exist, and the email about
    its current status was sent. A case without an order needs only the final responses.
    """
    if not case.scenario.ends:
        return not case.open
    row = seen.rows.get(case.order_id)
    if case.open:
        return False
    if row is None or row["status"]["S"] == "PENDING":
        return False
    expected = _expected(row)
    mailed = bool(seen.mails.get((case.customer.email, SUBJECTS[row["status"]["S"]])))
    return mailed and expected <= set(seen.events[case.order_id]) & set(seen.analytics[case.order_id])


def waits(case: Case, seen: Seen) -> bool:
    """Return whether a message of this case waits in a failure queue.

    In the failure queue `publish-order-events-stream`, some messages are reports by Lambda, which contain no order id.
    If an event of this case's order is missing, any message in this queue counts as a message of the case.
    """
    if any(case.order_id in body for bodies in seen.failed.values() for body in bodies):
        return True
    row = seen.rows.get(case.order_id)
    unpublished = row is not None and not _expected(row) <= set(seen.events[case.order_id])
    return unpublished and bool(seen.failed["publish-order-events-stream"])


def holds_on(case: Case) -> bool:
    """Return whether the case cannot end as long as its fault continues.

    This is true if a request has only received 429 or 5xx so far, or if a workflow retries a failing call.
    """
    if case.fault is None or case.fault[1].extent != "ever":
        return bool(case.open)
    return bool(case.open) or case.fault[0].caller in WORKFLOWS


def check_cases(cases: list[Case], seen: Seen) -> Findings:
    """Check all cases after the attack, and return everything that is wrong."""
    findings = Findings()
    for case in cases:
        for armed in case.life.armed:
            if not armed.fired and not _was_left_out(armed.call, case, seen):
                findings.add("never_happened", case, f"{armed.call} {armed.fault}")
        if case.open:
            findings.add("unanswered", case, ", ".join(name for name, *_ in case.open))
        if case.scenario.ends:
            _check_order(case, seen, findings)
    return findings


def _was_left_out(call: Call, case: Case, seen: Seen) -> bool:
    """Return whether `send_email` left out the order's first email, so that it did not make the later call `call`.

    This happens if the events of the order reach `send_email` in the wrong sequence.
    """
    return (
        call.caller == "send_email" and call.nth > 1 and not seen.mails.get((case.customer.email, SUBJECTS["PENDING"]))
    )


def _check_order(case: Case, seen: Seen, findings: Findings) -> None:
    row = seen.rows.get(case.order_id)
    if row is None:
        findings.add("lost", case, "the order")
        return
    status = row["status"]["S"]
    if status == "PENDING":
        findings.add("stuck", case, f"the order is PENDING; execution running: {case.order_id in seen.running}")
        return
    if status != case.scenario.ends:
        findings.add("wrong_ends", case, f"{status}, expected {case.scenario.ends}")
    for kind, what in (
        *_wrong_stock(case, seen, status),
        *_wrong_events(case, seen, _expected(row)),
        *_wrong_mails(case, seen, _expected(row), status),
        *_wrong_analytics(case, seen, _expected(row)),
    ):
        if kind in ("mails_twice", "events_twice"):
            findings.counts[kind] += 1
        else:
            findings.add(kind, case, what)


def _expected(row: Mapping[str, Any]) -> set[str]:
    """Return the statuses that the order must have had.

    Only a confirmation writes the attribute `total`, so an order with this attribute was CONFIRMED at some time.
    """
    return {"PENDING", row["status"]["S"]} | ({"CONFIRMED"} if "total" in row else set())


def _wrong_stock(case: Case, seen: Seen, status: str) -> Iterator[tuple[str, str]]:
    left = seen.stock[case.product]
    expected = case.scenario.stock - (ORDERED if status == "CONFIRMED" else 0)
    if left < expected:
        yield "oversold", f"{left} left in stock, expected {expected}"
    elif left > expected:
        yield "wrong_stock", f"{left} left in stock, expected {expected}"


def _wrong_events(case: Case, seen: Seen, expected: set[str]) -> Iterator[tuple[str, str]]:
    came = seen.events[case.order_id]
    unheard = any(call.operation == "PutEvents" and fault.kind in _UNHEARD for call, fault in case.life.met)
    yield from _missing_or_foreign("event", expected, set(came))
    for status in [status for status, times in came.items() if times > 1]:
        yield ("events_twice" if unheard else "duplicated"), f"event {status}"


def _wrong_mails(case: Case, seen: Seen, expected: set[str], last: str) -> Iterator[tuple[str, str]]:
    """Yield (kind, description) for each missing, unexpected or repeated email.

    An email about an earlier status can be missing, because `send_email` skips outdated emails.
    """
    mails = {status: seen.mails.get((case.customer.email, subject), 0) for status, subject in SUBJECTS.items()}
    left_out = expected - {last}
    yield from _missing_or_foreign("mail", expected, left_out | {status for status, times in mails.items() if times})
    for status in [status for status, times in mails.items() if times > 1]:
        yield ("mails_twice" if _is_mail_unknown(case) else "duplicated"), f"mail {status}"


def _is_mail_unknown(case: Case) -> bool:
    """Return whether the fault keeps `send_email` from knowing that SES sent an email.

    Such a fault loses SES's response, or kills the function's process before it records the email as sent. Only such
    faults excuse a second email.
    """
    if not case.fault:
        return False
    call, fault = case.fault
    at_ses = call.operation == "SendEmail" and fault.kind in _UNHEARD
    return call.caller == "send_email" and (
        at_ses or (call.operation == "UpdateItem" and fault.kind == "killed before")
    )


def _wrong_analytics(case: Case, seen: Seen, expected: set[str]) -> Iterator[tuple[str, str]]:
    kept = seen.analytics[case.order_id]
    yield from _missing_or_foreign("analytics object", expected, set(kept))
    if len(kept) > len(set(kept)):
        yield "duplicated", f"analytics objects {kept}"


def _missing_or_foreign(what: str, expected: set[str], found: set[str]) -> Iterator[tuple[str, str]]:
    for status in sorted(expected - found):
        yield "lost", f"{what} {status}"
    for status in sorted(found - expected):
        yield "wrong", f"{what} {status}, a status that the order never had"
