"""Generates events as the REST API and the HTTP API send them to functions.

The parts that AWS determines are the same as on AWS: ids, method, and the event format of each API. The parts that
clients control contain arbitrary data: path, query, headers, body and the claims of a token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

from hypothesis import strategies as st

from components.apis.routes import function_of
from shared.domain.cursors import encode
from tests.contracts.answers import operation_of
from tests.fakes.gateway import ADDRESS, OTHER_USER, USER, Request, http_event, rest_event
from tests.proof.generated_requests.bodies import Body, bodies
from tests.proof.generated_requests.schema import HTTP, REST
from tests.proof.generated_requests.values import changed, seldom, texts, values

PENDING: Final = "00000000-0000-4000-8000-000000000001"
CONFIRMED: Final = "00000000-0000-4000-8000-000000000002"
ANOTHERS: Final = "00000000-0000-4000-8000-000000000003"
PRODUCT: Final = "tea"
ROUTES: Final = (
    *((REST, "POST", "/users"), (REST, "GET", "/users/{}"), (REST, "POST", "/orders"), (REST, "GET", "/orders")),
    *((REST, "GET", "/orders/{}"), (REST, "POST", "/orders/{}/cancel"), (HTTP, "GET", "/products")),
    *((HTTP, "GET", "/products/{}"), (HTTP, "PUT", "/products/{}"), (HTTP, "PUT", "/products/{}")),
)
OTHER_ADDRESS: Final = "other@example.com"
_METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD")
_KNOWN_IDS: Final = {
    "orders": (PENDING, CONFIRMED, ANOTHERS, PENDING.replace("1", "f"), PENDING.replace("0", "A")),
    "products": (PRODUCT, PRODUCT, "cup", PENDING),
    "users": (USER, OTHER_USER, PENDING),
}
_CURSORS: Final = (encode(PENDING), encode(ANOTHERS), encode(PRODUCT), encode("none"), encode(PRODUCT) + "=")
_SUBJECTS: Final = (USER, OTHER_USER, "x" * 64)


@dataclass(frozen=True)
class Call:
    """A generated event, and the parts from which it was built."""

    document: str
    request: Request
    body: Body
    claims: Mapping[str, Any] | None
    event: Mapping[str, Any]
    routed: str
    """Id of the operation from whose path the event's path was generated.

    The generated path can also match another operation, or none.
    """

    @property
    def function(self) -> str:
        """Folder of the function to which API Gateway sends the event: the function of the operation `routed`."""
        return function_of(self.routed)

    @property
    def operation(self) -> str:
        """Id of the operation in the OpenAPI document that matches method and path, or "" if none matches."""
        return (operation_of(self.document, self.request.method, self.request.path) or {}).get("operationId", "")


@st.composite
def calls(draw: st.DrawFn) -> Call:
    """Generate an event for any route of the two APIs."""
    document, method, template = draw(st.sampled_from(ROUTES))
    known = _KNOWN_IDS[template.split("/")[1]]
    identity = draw(seldom(st.sampled_from(known), texts().map(lambda text: text.replace("/", "|")), 3))
    path = template.format(identity) + draw(seldom(st.just(""), st.sampled_from(("/", "//", "\n", "/x"))))
    routed = operation_of(document, method, template.format("x"))
    assert routed
    method = draw(seldom(st.just(method), st.sampled_from(_METHODS), 20))
    operation = (operation_of(document, method, path) or {}).get("operationId", "")
    body = (
        draw(bodies(operation)) if operation in ("createUser", "createOrder", "putProduct") else Body(None, False, None)
    )
    request = Request(
        method=method,
        path=path,
        body=body.text,
        query=draw(_queries()) if draw(st.booleans()) else {},
        headers=draw(_headers()),
        base64=bool(body.is_base64),
    )
    claims = draw(_claims(document, often_admin=method == "PUT"))
    event = rest_event(request) if document == REST else http_event(request)
    _put_headers(event, request.headers, body.media_type, draw(st.booleans()))
    event["isBase64Encoded"] = body.is_base64
    authorizer: dict[str, Any] = {} if claims is None else {"claims": claims}
    event["requestContext"]["authorizer"] = authorizer if document == REST else {"jwt": authorizer}
    if claims is None and draw(st.booleans()):
        event["requestContext"]["authorizer"] = None
    for key in draw(
        st.sets(st.sampled_from(("multiValueHeaders", "stageVariables", "pathParameters", "cookies", "x")))
    ):
        event[key] = None
    return Call(document, request, body, claims, event, routed["operationId"])


def _queries() -> st.SearchStrategy[dict[str, str]]:
    limits = st.sampled_from(("1", "20", "100", "0", "101", "01", "1.0", "+1", " 1", "\uff11", "1,2")) | texts()
    cursors = st.sampled_from(_CURSORS) | texts()
    return st.fixed_dictionaries({}, optional={"limit": limits, "cursor": cursors, "x": texts()})


def _headers() -> st.SearchStrategy[dict[str, str]]:
    keys = st.sampled_from(("a", "k" * 255, "k" * 256)) | texts()
    origins = st.sampled_from(("https://shop.example.com", "null", "*")) | texts()
    names = st.sampled_from(("Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"))
    one = st.tuples(names, keys) | st.tuples(st.just("Origin"), origins) | st.tuples(st.just("X-Other"), texts())
    return st.lists(one, max_size=3, unique_by=lambda pair: pair[0].lower()).map(dict)


def _put_headers(event: dict[str, Any], headers: Mapping[str, str], media_type: str | None, none_at_all: bool) -> None:
    given = {**headers} if media_type is None else {**headers, "Content-Type": media_type}
    if event.get("version") == "2.0":
        given = {name.lower(): value for name, value in given.items()}
    event["headers"] = None if none_at_all and not given else given
    event["multiValueHeaders"] = {name: [value] for name, value in given.items()} or None


@st.composite
def _claims(draw: st.DrawFn, document: str, *, often_admin: bool) -> dict[str, Any] | None:
    """Return a token's claims as API Gateway passes them to a function, or None if the event must have no claims.

    Claims are normally text. A broken authorizer could send any JSON value, so some examples contain other values.
    """
    rendered = {
        REST: ("admin", "a,admin", "x", "[admin]", "x admin"),
        HTTP: ("[admin]", "[a admin]", "admin,x", "[x,admin]"),
    }
    good: dict[str, Any] = {
        "sub": draw(st.sampled_from(_SUBJECTS)),
        "token_use": "id" if document == REST else "access",
    }
    if document == REST:
        good["email"] = draw(seldom(st.just(ADDRESS), st.sampled_from((OTHER_ADDRESS, "\u212a@example.com"))))
        good["email_verified"] = draw(
            seldom(st.sampled_from(("true", "True", True)), st.sampled_from(("false", "", False)))
        )
    admin, *others = rendered[document]
    groups = admin if often_admin and draw(st.integers(0, 3)) else draw(st.none() | st.sampled_from([admin, *others]))
    if groups is not None:
        good["cognito:groups"] = groups
    odd = st.none() | changed(st.just(good)) | (texts() | values()).map(lambda subject: {**good, "sub": subject})
    return draw(seldom(cast("st.SearchStrategy[dict[str, Any] | None]", st.just(good)), odd))
