"""The fields of products, and the format of product ids."""

from __future__ import annotations

import re
from typing import Final, TypedDict

# This pattern must equal the pattern of ProductId in contracts/http-api.yaml. A test compares the two.
_PRODUCT_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")


class ProductContent(TypedDict):
    """The fields of a product that an admin sets. The schema is `NewProduct` in contracts/http-api.yaml."""

    name: str
    unit_price: int
    currency: str
    quantity: int


class Product(ProductContent):
    """A product as the API returns it."""

    product_id: str


def is_product_id(text: str) -> bool:
    """Return whether `text` has the format of a product id."""
    return _PRODUCT_ID.fullmatch(text) is not None
