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
    "stock-race": Row(
        "more orders than stock, at once", "exactly the stock is sold; stock + sold = initial at every read"
    ),
    "many-orders": Row(
        "many orders at once, all the way", "each ends, with its events, mails and analytics record once"
    ),
    "repeated-keys": Row("idempotency keys, repeated at once", "one order a key, equal answers, 409 for another body"),
    "aws-faults": Row("a fault at every AWS call", "the order ends right, or after `make redrive`; once"),
    "repeated-events": Row("events twice and out of order", "the same end as once and in order"),
    "poison-messages": Row("poison messages", "neighbours pass; the poison waits with its reason; redrive works"),
    "order-life": Row("a model of the order's life", "the model's invariants after every step"),
    "generated-requests": Row("generated requests and events", "no 5xx, no answer outside the contract"),
    "policy-pack": Row("prod against the policy pack", "no violation without a waiver that says why"),
    "least-privilege": Row("each permission removed in turn", "something fails: none is unused, none is missing"),
    "wrong-tokens": Row("wrong tokens on every route", "each refused with its code; nothing of another user's is seen"),
    "canaries": Row("canaries in every input", "found only where that kind of data may be"),
}
