"""A minimal API Gateway in this process: both APIs as WSGI applications in front of the real handlers.

It only matches routes and checks tokens, without models, limits or templates. The handlers therefore also receive
requests that the real API Gateway would reject, which reveals more bugs in the handlers.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

from werkzeug import Request as HttpRequest
from werkzeug import Response

from components.apis.routes import function_of
from tests.contracts import answers
from tests.fakes.gateway import OTHER_USER, USER, Answer, Request, http_event, rest_event
from tests.fakes.runtime import LoadedFunction
from tests.proof.generated_requests.schema import HTTP, REST, WsgiApp

ADMIN: Final = "a-valid-token-of-an-admin"
CUSTOMER: Final = "a-valid-token-of-a-customer"
_CALLERS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = {ADMIN: (OTHER_USER, ("admin",)), CUSTOMER: (USER, ())}
_ERROR: Final = {"message": "of the gateway", "request_id": "gateway-request"}


@dataclass(frozen=True)
class Apis:
    """Both APIs as WSGI applications that call `functions`."""

    functions: Mapping[str, LoadedFunction]

    def rest(self) -> WsgiApp:
        """Return the REST API. POST /process is missing, because it starts a workflow and has no function."""
        return self._app(REST, rest_event, {"code": "Unauthorized", **_ERROR}, {"code": "NotFound", **_ERROR})

    def http(self) -> WsgiApp:
        """Return the HTTP API."""
        unknown = {"message": "of the gateway"}
        return self._app(HTTP, http_event, unknown, unknown)

    def _app(
        self,
        document: str,
        event: Callable[[Request], dict[str, Any]],
        no_token: dict[str, str],
        no_route: dict[str, str],
    ) -> WsgiApp:
        @HttpRequest.application
        def answer(request: HttpRequest) -> Response:
            operation = answers.operation_of(document, request.method, request.path)
            function = self.functions.get(function_of(operation["operationId"])) if operation else None
            if function is None:
                return Response(json.dumps(no_route), HTTPStatus.NOT_FOUND, content_type="application/json")
            caller = _CALLERS.get(request.headers.get("Authorization", "").removeprefix("Bearer "))
            if caller is None:
                return Response(json.dumps(no_token), HTTPStatus.UNAUTHORIZED, content_type="application/json")
            user_id, groups = caller
            sent = Request(
                method=request.method,
                path=request.path,
                body=request.get_data().decode(errors="replace") or None,
                query=dict(request.args.items()),
                headers=dict(request.headers.items()),
                user_id=user_id,
                groups=groups,
            )
            given = function(event(sent))
            return Response(given["body"], given["statusCode"], headers=Answer(given).headers)

        return answer
