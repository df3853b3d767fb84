"""The attacks of `make prove`: what each attack does, and which guarantee must hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Row:
    """One line of the report."""

    attack: str
    """What the attack does to the platform."""
    holds: str
    """The guarantee that must hold."""


ROWS: Final = {
    "stock-race": Row(
        "many customers order the last items at the same time",
        "exactly the stock is sold, and stock plus sold items equals the initial stock at every read",
    ),
    "many-orders": Row(
        "customers place many orders at the same time",
        "every order is confirmed or rejected, with each of its events, emails and analytics records exactly once",
    ),
    "repeated-keys": Row(
        "clients send many requests with the same idempotency key at the same time",
        "each key creates one order, equal requests get equal responses, and another body gets 409",
    ),
    "aws-faults": Row(
        "each AWS call fails in each possible way",
        "every order ends correctly exactly once, by itself or after `make redrive`",
    ),
    "outages": Row(
        "parts of the platform stay broken for a while: no permissions, no concurrency, or a bad release",
        "every accepted order is confirmed or rejected, with each email and record once, and nobody does anything",
    ),
    "repeated-events": Row(
        "events arrive twice and out of order",
        "the final state is the same as if each event arrived once and in order",
    ),
    "poison-messages": Row(
        "consumers receive messages that they can never process",
        "other messages are processed, the bad message waits in a failure queue with its error, and a redrive works",
    ),
    "order-life": Row(
        "random sequences of requests, deliveries and failures",
        "all rules of the order's lifecycle hold after every step",
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
        "something fails each time, so no permission is unused, and none is missing",
    ),
    "wrong-tokens": Row(
        "invalid tokens and other users' tokens on every route",
        "each request is rejected with the right error code, and no response shows another user's data",
    ),
    "canaries": Row(
        "unique words in every input, found again in all logs, tables, queues and traces",
        "each kind of data is found only where docs/data.md allows it",
    ),
}
