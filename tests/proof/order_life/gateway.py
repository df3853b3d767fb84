"""Simulates API Gateway: builds a function's event from a request, and a response from the function's result."""

from __future__ import annotations

import json

from contracts.orders import HTTP_STATUS
from tests.fakes import gateway
from tests.proof.order_life.activities import Activity, Died
from tests.proof.order_life.answers import Reply, Request
from tests.proof.order_life.history import Json
from tests.proof.order_life.workflow import Ended


def event_of(request: Request) -> Json:
    paths = {
        "createOrder": ("POST", "/orders"),
        "listOrders": ("GET", "/orders"),
        "getOrder": ("GET", f"/orders/{request.name}"),
        "cancelOrder": ("POST", f"/orders/{request.name}/cancel"),
        "putProduct": ("PUT", f"/products/{request.name}"),
        "getProduct": ("GET", f"/products/{request.name}"),
    }
    method, path = paths[request.operation]
    query = {"limit": str(request.limit)} if request.operation == "listOrders" else {}
    asked = gateway.Request(
        method=method,
        path=path,
        body=request.body,
        query=query | ({"cursor": request.cursor} if request.cursor else {}),
        headers={} if request.key is None else {"Idempotency-Key": request.key},
        user_id=request.user.user_id,
        groups=("admin",) if request.user.is_admin else (),
    )
    return gateway.http_event(asked) if "Product" in request.operation else gateway.rest_event(asked)


def reply_of(request: Request, activity: Activity) -> Reply:
    """Return API Gateway's response after an invocation or an EXPRESS execution has ended."""
    if activity.error is not None:
        assert isinstance(activity.error, Died), activity.error
        return Reply(504 if request.operation == "processOrder" else 502, {})
    if request.operation != "processOrder":
        answer = gateway.Answer(activity.value)
        return Reply(answer.status, answer.body)
    ended: Ended = activity.value
    if ended.status == "SUCCEEDED":
        return Reply(200, ended.output)
    if ended.error in ("Undecided", "NotRecorded"):
        order_id = {"order_id": ended.cause} if ended.error == "Undecided" else {}
        return Reply(HTTP_STATUS["ServiceUnavailable"], {"code": "ServiceUnavailable", **order_id})
    code = ended.error if ended.error in HTTP_STATUS else "InternalError"
    told = json.loads(ended.cause) if ended.cause.startswith("{") else {"message": ended.cause}
    return Reply(HTTP_STATUS[code], {"code": code, **told})
