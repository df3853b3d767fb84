"""`POST /orders` written by hand, with the platform's rules, response, idempotency and log line, but nothing else.

The handler has no traces, no metrics and no routes for other requests. Its error messages are shorter.
"""

import hashlib
import json
import os
import re
import uuid
from datetime import UTC, datetime

import boto3

dynamodb = boto3.client("dynamodb")
ORDER_IDS = uuid.UUID("6f1b9f0e-52a8-4c1d-9a53-0d6f3f0c7b21")
PRODUCT_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
ORIGINS = os.environ["CORS_ORIGINS"].split(",")


def lambda_handler(event, context):
    method, resource = event["httpMethod"], event["path"]
    if resource == "/orders" and method == "POST":
        return create_order(event)
    return answer(event, 404, {"code": "NotFound", "message": "unknown route"})


def create_order(event):
    headers = {name.lower(): value for name, value in event["headers"].items()}
    user_id = event["requestContext"]["authorizer"]["claims"]["sub"]
    if headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        return answer(event, 415, {"code": "UnsupportedMediaType", "message": "allowed: application/json"})
    try:
        items = checked_items(json.loads(event["body"]))
    except ValueError as error:
        return answer(event, 400, {"code": "ValidationError", "message": str(error)})
    key = headers.get("idempotency-key")
    order_id = str(uuid.uuid5(ORDER_IDS, f"{user_id}:{key}") if key else uuid.uuid4())
    now = datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    request_hash = hashlib.sha256(json.dumps(items, sort_keys=True).encode()).hexdigest()
    order = {
        "order_id": order_id,
        "user_id": user_id,
        "status": "PENDING",
        "items": items,
        "created_at": now,
        "updated_at": now,
    }
    lines = [{"M": {"product_id": {"S": i["product_id"]}, "quantity": {"N": str(i["quantity"])}}} for i in items]
    try:
        dynamodb.put_item(
            TableName=os.environ["ORDERS_TABLE"],
            Item={
                "order_id": {"S": order_id},
                "user_id": {"S": user_id},
                "status": {"S": "PENDING"},
                "items": {"L": lines},
                "created_at": {"S": now},
                "updated_at": {"S": now},
                "request_hash": {"S": request_hash},
                "synchronous": {"BOOL": False},
            },
            ConditionExpression="attribute_not_exists(order_id)",
            ReturnValuesOnConditionCheckFailure="ALL_OLD",
        )
    except dynamodb.exceptions.ConditionalCheckFailedException as error:
        if error.response["Item"]["request_hash"]["S"] != request_hash:
            return answer(event, 409, {"code": "IdempotencyConflict", "message": "the key was used with another body"})
    print(json.dumps({"level": "INFO", "message": "order accepted", "order_id": order_id}))
    return answer(event, 202, order, Location=f"{event['requestContext']['path']}/{order_id}")


def checked_items(body):
    if not isinstance(body, dict) or set(body) != {"items"} or not isinstance(body["items"], list):
        raise ValueError("body: allowed: items")
    if not 1 <= len(body["items"]) <= 25:
        raise ValueError("items: allowed: 1 to 25")
    seen = set()
    for item in body["items"]:
        if not isinstance(item, dict) or set(item) != {"product_id", "quantity"}:
            raise ValueError("items: allowed: product_id, quantity")
        product_id, quantity = item["product_id"], item["quantity"]
        if not isinstance(product_id, str) or not PRODUCT_ID.fullmatch(product_id) or product_id in seen:
            raise ValueError("product_id")
        if not isinstance(quantity, int) or isinstance(quantity, bool) or not 1 <= quantity <= 1000:
            raise ValueError("quantity")
        seen.add(product_id)
    return body["items"]


def answer(event, status, body, **headers):
    origin = event["headers"].get("Origin")
    cors = {"Access-Control-Allow-Origin": origin} if origin in ORIGINS else {}
    return {
        "statusCode": status,
        "headers": {
            "Content-Type": "application/json",
            "Cache-Control": "no-store",
            "Vary": "Origin",
            **cors,
            **headers,
        },
        "body": json.dumps(body, separators=(",", ":")),
        "isBase64Encoded": False,
    }
