"""Builds the emails that customers receive."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from contracts.orders import Status
from shared.domain import money
from shared.domain.orders import Order
from shared.domain.users import User, is_name, plain_text

_NEWS: Final[Mapping[Status, tuple[str, str]]] = MappingProxyType(
    {
        "PENDING": ("received", "We have received your order and are checking it."),
        "CONFIRMED": ("confirmed", "Your order is confirmed."),
        "REJECTED": ("rejected", "We cannot accept your order."),
        "FAILED": ("failed", "We could not process your order because of an internal error. Please place it again."),
        "CANCELLED": ("cancelled", "Your order is cancelled."),
    }
)


@dataclass(frozen=True, kw_only=True)
class Email:
    """An email in plain text."""

    subject: str
    text: str


def email_about(order: Order, user: User) -> Email:
    """Return the email that informs `user` about the status of `order`.

    The email leaves out a name that contains an invisible character or looks like a link. Profiles can contain such
    names, because release 0.1.0 accepted any text as a name.
    """
    word, news = _NEWS[order["status"]]
    greeting = f"Hello {plain_text(user['name'])}," if is_name(user["name"]) else "Hello,"
    lines = [greeting, "", news, "", f"Order {order['order_id']}"]
    lines += [f"  {line['quantity']} x {line['product_id']}" for line in order["items"]]
    if "total" in order and "currency" in order:
        lines.append(f"Total: {money.display(order['total'], order['currency'])}")
    if order["status"] == "REJECTED" and "reason" in order:
        lines += ["", f"Reason: {plain_text(order['reason']['message'])}"]
    return Email(
        subject=f"Your order is {word}" if word != "failed" else "Your order has failed", text="\n".join(lines) + "\n"
    )
