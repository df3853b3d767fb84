"""The rows of `make prove`: what is attacked, and what must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Row:
    """One attack."""

    attack: str
    holds: str


ROWS: Final = {
    "R1": Row("more orders than stock, at once", "exactly the stock is sold; stock + sold = initial at every read"),
    "R2": Row("many orders at once, all the way", "each ends, with its events, mails and analytics record once"),
    "R3": Row("idempotency keys, repeated at once", "one order a key, equal answers, 409 for another body"),
    "R4": Row("a fault at every AWS call", "the order ends right, or after `make redrive`; once"),
    "R5": Row("events twice and out of order", "the same end as once and in order"),
    "R6": Row("poison messages", "neighbours pass; the poison waits with its reason; redrive works"),
    "R7": Row("a model of the order's life", "the model's invariants after every step"),
    "R8": Row("generated requests and events", "no 5xx, no answer outside the contract"),
    "S1": Row("prod against the policy pack", "no violation without a waiver that says why"),
    "S2": Row("each permission removed in turn", "something fails: none is unused, none is missing"),
    "S3": Row("wrong tokens on every route", "each refused with its code; nothing of another user's is seen"),
    "S4": Row("canaries in every input", "found only where that kind of data may be"),
}
