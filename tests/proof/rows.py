"""The attacks of `make prove`: what each attack does, and which guarantee must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Row:
    """An attack, as one line of the report of `make prove`."""

    attack: str
    """What the attack does to the platform."""
    holds: str
    """The guarantee that must hold."""


ROWS: Final = {
    "stock-race": Row(
        "many customers order the last items at the same time",
        "the whole stock is sold and no more; at every read, stock plus sold items equals the initial stock",
    ),
    "many-orders": Row(
        "customers place many orders at the same time",
        "every order is confirmed or rejected, with each of its events, emails and analytics records exactly once",
    ),
    "repeated-keys": Row(
        "clients send many requests with the same idempotency key at the same time",
        "each key creates one order, equal requests get equal responses, and a used key with another body gets 409",
    ),
    "aws-faults": Row(
        "each AWS call fails in each possible way",
        "every order reaches its expected final status exactly once, by itself or after `make redrive`",
    ),
    "outages": Row(
        "parts of the platform are broken for a while: missing permissions, no concurrency, or a bad release",
        "without manual action, every accepted order is confirmed or rejected, with each email and record once",
    ),
    "repeated-events": Row(
        "events arrive twice and out of order",
        "the final state is the same as if each event arrived once and in order",
    ),
    "poison-messages": Row(
        "consumers receive messages that they can never process",
        "valid messages are processed, and each invalid one waits with its error in a failure queue until a redrive",
    ),
    "order-life": Row(
        "random sequences of API requests, event deliveries and failures",
        "all rules of an order's lifecycle hold after every step",
    ),
    "generated-requests": Row(
        "generated requests and events, valid and invalid",
        "no response is 5xx or outside the API contract, and consumers process or reject every event",
    ),
    "policy-pack": Row(
        "the policy pack checks all resources of stack prod",
        "each policy violation has a waiver with a reason",
    ),
    "least-privilege": Row(
        "each IAM permission is removed in turn",
        "every permission is needed (something fails without it), and no needed permission is missing",
    ),
    "wrong-tokens": Row(
        "invalid tokens and other users' tokens on every route",
        "each request is rejected with the right error code, and no response shows another user's data",
    ),
    "canaries": Row(
        "every input contains a unique word, and all logs, tables, queues and traces are searched for these words",
        "each word is found only where docs/data.md allows its kind of data",
    ),
}
