"""`POST /orders` with Powertools as in the examples of its documentation, and with boto3's resource API.

The handler uses validation with pydantic models, Logger, Tracer and Metrics, `capture_method` on the route, and a
correlation id.
"""

import hashlib
import json
import os
import uuid
from datetime import UTC, datetime
from typing import Annotated

import boto3
from aws_lambda_powertools import Logger, Metrics, Tracer
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, CORSConfig, Response
from aws_lambda_powertools.event_handler.openapi.params import Header
from aws_lambda_powertools.logging import correlation_paths
from botocore.exceptions import ClientError
from pydantic import BaseModel, ConfigDict, Field, field_validator

ORDER_IDS = uuid.UUID("6f1b9f0e-52a8-4c1d-9a53-0d6f3f0c7b21")
first, *others = os.environ["CORS_ORIGINS"].split(",")
logger = Logger()
tracer = Tracer()
metrics = Metrics()
app = APIGatewayRestResolver(
    enable_validation=True,
    cors=CORSConfig(allow_origin=first, extra_origins=others, expose_headers=["Location"]),
)
table = boto3.resource("dynamodb").Table(os.environ["ORDERS_TABLE"])


class Line(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)
    product_id: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")
    quantity: int = Field(ge=1, le=1000)


class NewOrder(BaseModel):
    model_config = ConfigDict(extra="forbid")
    items: list[Line] = Field(min_length=1, max_length=25)

    @field_validator("items")
    @classmethod
    def each_product_once(cls, items):
        if len({line.product_id for line in items}) < len(items):
            raise ValueError("at most one line for each product")
        return items


class Order(BaseModel):
    order_id: str
    user_id: str
    status: str
    items: list[Line]
    created_at: str
    updated_at: str


@app.post("/orders")
@tracer.capture_method
def create_order(
    new: NewOrder, key: Annotated[str | None, Header(alias="Idempotency-Key", max_length=255)] = None
) -> Response[Order]:
    user_id = app.current_event.request_context.authorizer.claims["sub"]
    order_id = str(uuid.uuid5(ORDER_IDS, f"{user_id}:{key}") if key else uuid.uuid4())
    logger.append_keys(order_id=order_id)
    tracer.put_annotation("order_id", order_id)
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    order = Order(order_id=order_id, user_id=user_id, status="PENDING", items=new.items, created_at=now, updated_at=now)
    lines = [line.model_dump() for line in new.items]
    request_hash = hashlib.sha256(json.dumps(lines, sort_keys=True).encode()).hexdigest()
    try:
        table.put_item(
            Item={**order.model_dump(), "request_hash": request_hash, "synchronous": False},
            ConditionExpression="attribute_not_exists(order_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except ClientError as error:
        if error.response["Item"]["request_hash"]["S"] != request_hash:
            return Response(status_code=409, content_type="application/json", body={"code": "IdempotencyConflict"})
    logger.info("order accepted")
    return Response(
        status_code=202,
        content_type="application/json",
        body=order,
        headers={"Location": f"{app.current_event.request_context.path}/{order_id}", "Cache-Control": "no-store"},
    )


@logger.inject_lambda_context(correlation_id_path=correlation_paths.API_GATEWAY_REST, clear_state=True)
@tracer.capture_lambda_handler
@metrics.log_metrics(capture_cold_start_metric=True)
def lambda_handler(event, context):
    return app.resolve(event, context)
