"""Handles GET /products, GET /products/{product_id} and PUT /products/{product_id} of the HTTP API.

Environment variables: INVENTORY_TABLE, CATALOG_INDEX.
"""

from __future__ import annotations

import os
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.utilities.typing import LambdaContext

from shared import aws, contracts, http
from shared.catalog_store import CatalogStore
from shared.domain import cursors, products
from shared.domain.products import Product, ProductContent
from shared.errors import ProductNotFound, ValidationError
from shared.telemetry import count_event, logger, metrics, tracer

api = http.http_api()
catalog = CatalogStore(aws.client("dynamodb"), table=os.environ["INVENTORY_TABLE"], index=os.environ["CATALOG_INDEX"])
check_body = contracts.request_check("putProduct")


@api.get("/products")
def list_products() -> Response[str]:
    """Return one page of products in id order, or the products whose ids the request lists.

    Raises ValidationError for a cursor whose product does not exist.
    """
    http.caller(api)
    ids = http.id_list(api)
    if ids is not None:
        return http.answer(HTTPStatus.OK, {"products": catalog.read(filter(products.is_product_id, ids))})
    limit, cursor = http.page_limit(api), http.page_cursor(api)
    after = None if cursor is None else cursors.decode(cursor)
    if after is not None and _product(after) is None:
        raise cursors.unknown()
    found, last = catalog.page(limit, after=after)
    next_cursor = {"next_cursor": cursors.encode(last)} if last else {}
    return http.answer(HTTPStatus.OK, {"products": found, **next_cursor})


@api.get("/products/<product_id>")
def get_product(product_id: str) -> Response[str]:
    """Return one product with its stock."""
    http.caller(api)
    product = _product(product_id)
    if product is None:
        raise ProductNotFound("product: not found")
    return http.answer(HTTPStatus.OK, product)


@api.put("/products/<product_id>")
def put_product(product_id: str) -> Response[str]:
    """Create or replace a product. The new stock is the `quantity` in the body."""
    http.caller(api).require_admin()
    if not products.is_product_id(product_id):
        raise ValidationError(
            "product_id: must be 1 to 64 characters of A-Z a-z 0-9 _ -, starting with a letter or digit"
        )
    content: ProductContent = http.json_body(api, check_body)
    product: Product = {"product_id": product_id, **content}
    created = catalog.put(product, request_id=api.lambda_context.aws_request_id)
    count_event("ProductWritten")
    logger.info("product written", product_id=product_id, is_new=created)
    return http.answer(HTTPStatus.CREATED if created else HTTPStatus.OK, product)


def _product(product_id: str) -> Product | None:
    return catalog.get(product_id) if products.is_product_id(product_id) else None


@logger.inject_lambda_context(clear_state=True)
@tracer.capture_lambda_handler(capture_response=False, capture_error=False)
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Handle one request of the HTTP API."""
    return api.resolve(event, context)
