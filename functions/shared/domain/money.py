"""Formats amounts of money. An amount is an integer in minor units with an ISO 4217 currency code."""

from __future__ import annotations

from typing import Final

_NO_DECIMALS: Final = frozenset("BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split())  # noqa: SIM905
_THREE_DECIMALS: Final = frozenset("BHD IQD JOD KWD LYD OMR TND".split())  # noqa: SIM905
_FOUR_DECIMALS: Final = frozenset({"CLF", "UYW"})


def decimals(currency: str) -> int:
    """Return the number of decimal places of `currency` in ISO 4217, for example 2 for USD and 0 for JPY."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 4 if currency in _FOUR_DECIMALS else 2


def display(amount: int, currency: str) -> str:
    """Return `amount`, in minor units, as text for people, for example `1,200 JPY` or `12.34 USD`."""
    digits = decimals(currency)
    whole, rest = divmod(amount, 10**digits)
    return f"{whole:,}.{rest:0{digits}d} {currency}" if digits else f"{amount:,} {currency}"
