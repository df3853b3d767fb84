"""Products of the catalogue."""

from __future__ import annotations

import re
from typing import Final, TypedDict

# contracts/http-api.yaml, ProductId.
_PRODUCT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class ProductContent(TypedDict):
    """What an admin puts: `NewProduct` of the contract."""

    name: str
    unit_price: int
    currency: str
    quantity: int


class Product(ProductContent):
    """A product as everybody sees it."""

    product_id: str


def is_product_id(text: str) -> bool:
    """Say whether a product could have this id."""
    return _PRODUCT_ID.fullmatch(text) is not None
