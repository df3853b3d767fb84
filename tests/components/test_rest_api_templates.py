from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.apis.mapping_templates import TEMPLATES
from components.apis.mapping_templates import render as fill
from components.apis.sync_workflow_integration import STATUS_OF_ERROR, response_template
from components.aws import openapi
from shared.errors import HTTP_STATUS, UnsupportedMediaType
from shared.request_body import LARGEST_BODY_BYTES, check_media_type, too_large
from tests.components.api_programs import MACHINE, ORIGIN, ORIGINS, record_rest_api
from tests.components.velocity import REQUEST_ID, Rendered, render
from tests.support.bodies import REST, document, routes_of
from tests.support.graph import Graph

pytestmark = pytest.mark.usefixtures("no_archives")

ORDER = {"order_id": "o", "status": "CONFIRMED", "note": 'it\'s "5" \\ \u00e9 $context.requestId #end'}
AWKWARD = [
    "",
    "plain",
    "it's",
    '"quoted"',
    "back\\slash",
    "\\'",
    "line\nbreak\t",
    "\u00e9\U0001f600",
    "$key #end",
    "</x>",
]
JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@pytest.fixture(scope="session")
def request_template(rest_api_graph: Graph) -> str:
    integration = routes_of(rest_api_graph, REST)["POST /process"].integration
    return integration["requestTemplates"]["application/json"]


def template_of(graph: Graph, route: str, status: int) -> str:
    """Return the template that makes the body of a route's answer with this status."""
    answers = routes_of(graph, REST)[route].integration["responses"].values()
    (answer,) = [each for each in answers if each["statusCode"] == str(status)]
    return answer["responseTemplates"]["application/json"]


def answer_of(graph: Graph, status: int, body: Any, headers: dict[str, str] | None = None) -> Rendered:
    """Render what `POST /process` makes of `body` in the integration response for `status`."""
    return render(template_of(graph, "POST /process", status), body, headers=headers)


def gateway_response_of(graph: Graph, response_type: str) -> Any:
    return document(graph, REST)["x-amazon-apigateway-gateway-responses"][response_type]


@pytest.mark.parametrize("key", AWKWARD)
def test_the_request_reaches_the_workflow_as_it_was_sent(request_template: str, key: str) -> None:
    content = {"items": [{"product_id": text, "quantity": 1} for text in AWKWARD]}
    sent = render(request_template, content, headers={"Idempotency-Key": key}, claims={"sub": "a-user"}).body
    assert sent["stateMachineArn"] == MACHINE
    assert json.loads(sent["input"]) == {"request": {"user_id": "a-user", "idempotency_key": key, "content": content}}


@given(key=JSON_TEXT, text=JSON_TEXT, sub=JSON_TEXT)
def test_no_text_breaks_out_of_its_place_in_the_request(request_template: str, key: str, text: str, sub: str) -> None:
    sent = render(request_template, {text: text}, headers={"Idempotency-Key": key}, claims={"sub": sub}).body
    assert set(sent) == {"stateMachineArn", "input"}
    assert json.loads(sent["input"]) == {"request": {"user_id": sub, "idempotency_key": key, "content": {text: text}}}


@pytest.mark.parametrize("header", ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"])
def test_the_key_is_found_however_its_header_is_written(request_template: str, header: str) -> None:
    headers = {"Accept": "*/*", header: "k", "X-Idempotency-Key": "other", "Idempotency-Key-2": "other"}
    sent = render(request_template, {}, headers=headers, claims={"sub": "u"}).body
    assert json.loads(sent["input"])["request"]["idempotency_key"] == "k"


def test_without_the_header_there_is_no_key(request_template: str) -> None:
    sent = render(request_template, {}, headers={"Accept": "*/*"}, claims={"sub": "u"}).body
    assert "idempotency_key" not in json.loads(sent["input"])["request"]


@pytest.mark.parametrize("kind", ["application/json; charset=shift_jis", "", "Application/JSON"])
def test_the_content_type_is_passed_on_to_be_judged_by_the_first_step(request_template: str, kind: str) -> None:
    sent = render(request_template, {}, headers={"content-type": kind}, claims={"sub": "u"}).body
    assert json.loads(sent["input"])["request"] == {"user_id": "u", "content_type": kind, "content": {}}


FILLING = len(json.dumps({"": ""}).encode())


@pytest.mark.parametrize("character", ["a", "é", "渋", "\U0001f375"])
@pytest.mark.parametrize("surplus", [-1, 0, 1, 2, 3, 100_000])
def test_a_body_of_more_bytes_than_the_functions_take_is_not_passed_on(
    request_template: str, character: str, surplus: int
) -> None:
    size = len(character.encode())
    room = LARGEST_BODY_BYTES + surplus - FILLING
    body = json.dumps({"": character * (room // size) + "b" * (room % size)}, ensure_ascii=False)
    assert len(body.encode()) == LARGEST_BODY_BYTES + surplus
    sent = json.loads(render(request_template, body, claims={"sub": "u"}).body["input"])["request"]
    assert ("too_large" in sent, "content" in sent) == (surplus > 0, surplus <= 0)


def test_the_gateway_refuses_a_body_in_the_functions_own_words(rest_api_graph: Graph) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        check_media_type("text/plain")
    for response_type, error in (("UNSUPPORTED_MEDIA_TYPE", refused.value), ("REQUEST_TOO_LARGE", too_large())):
        response = gateway_response_of(rest_api_graph, response_type)
        body = json.loads(response["responseTemplates"]["application/json"])
        assert (body["code"], body["message"]) == (error.code, str(error))


def test_an_empty_key_is_passed_on_to_be_refused(request_template: str) -> None:
    sent = render(request_template, {}, headers={"idempotency-key": ""}, claims={"sub": "u"}).body
    assert json.loads(sent["input"])["request"]["idempotency_key"] == ""


def test_an_execution_that_succeeded_answers_with_the_order(rest_api_graph: Graph) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "SUCCEEDED", "output": json.dumps(ORDER, ensure_ascii=False)})
    assert answer.status is None, "200, as the integration response says"
    assert answer.body == ORDER


EXPECTED = {
    "ValidationError": 400,
    "ProductNotFound": 404,
    "OutOfStock": 409,
    "IdempotencyConflict": 409,
    "InvalidTransition": 409,
    "PayloadTooLarge": 413,
    "UnsupportedMediaType": 415,
}


@pytest.mark.parametrize(("error", "status"), EXPECTED.items())
@pytest.mark.parametrize("cause", AWKWARD)
def test_a_named_end_of_the_workflow_has_its_status_and_says_why(
    rest_api_graph: Graph, error: str, status: int, cause: str
) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": error, "cause": cause})
    assert answer.status == status
    assert answer.body == {"code": error, "message": cause, "request_id": REQUEST_ID}


@pytest.mark.parametrize("error", ["ProcessingFailed", "States.Runtime", "Lambda.Unknown", "", None])
def test_any_other_failure_is_an_internal_error_that_keeps_its_cause_to_itself(
    rest_api_graph: Graph, error: str | None
) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": error, "cause": "table orders-dev-orders"})
    assert answer.status == 500
    assert answer.body["code"] == "InternalError"
    assert answer.body["request_id"] == REQUEST_ID
    assert "orders-dev" not in answer.text


def test_an_execution_that_timed_out_is_504_whatever_its_error(rest_api_graph: Graph) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "TIMED_OUT", "error": "OutOfStock", "cause": "secret"})
    assert answer.status == 504
    assert answer.body["code"] == "Timeout"
    assert "secret" not in answer.text


@pytest.mark.parametrize(
    ("status", "body", "expected", "code"),
    [
        (429, {"__type": "com.amazonaws.swf#ThrottlingException", "message": "Rate exceeded"}, None, "TooManyRequests"),
        (429, {"__type": "StateMachineDoesNotExist", "message": "arn:aws:states:x"}, 500, "InternalError"),
        (429, {"__type": "AccessDeniedException", "Message": "arn:aws:states:x"}, 500, "InternalError"),
        (429, {}, 500, "InternalError"),
        (500, {"__type": "InternalFailure", "message": "arn:aws:states:x"}, None, "InternalError"),
        (504, {"message": "arn:aws:states:x"}, None, "Timeout"),
    ],
)
def test_an_error_of_step_functions_itself_has_its_status_and_no_detail(
    rest_api_graph: Graph, status: int, body: dict[str, str], expected: int | None, code: str
) -> None:
    answer = answer_of(rest_api_graph, status, body)
    assert answer.status == expected
    assert answer.body["code"] == code
    assert answer.body["request_id"] == REQUEST_ID
    assert "arn:" not in answer.text


def test_the_statuses_are_the_functions_own() -> None:
    known = {error.__name__: status for error, status in HTTP_STATUS.items()}
    assert dict(STATUS_OF_ERROR) == {name: known[name] for name in STATUS_OF_ERROR}


def test_every_status_of_the_table_is_in_the_document() -> None:
    responses = openapi.load("rest-api.yaml")["paths"]["/process"]["post"]["responses"]
    assert {str(status) for status in STATUS_OF_ERROR.values()} <= set(responses)
    assert {"200", "429", "504"} <= set(responses)


def test_the_workflows_named_ends_are_the_tables_errors() -> None:
    template = response_template()
    assert all(f"'{name}'" in template for name in STATUS_OF_ERROR)


SUCCEEDED = {"status": "SUCCEEDED", "output": "{}"}


@pytest.fixture(scope="session")
def three_origins(rest_api_graph: Graph) -> Graph:
    del rest_api_graph
    return record_rest_api(cors_origins=list(ORIGINS))


@pytest.mark.parametrize("header", ["Origin", "origin"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_of_several_origins_the_requests_own_is_answered(three_origins: Graph, origin: str, header: str) -> None:
    assert answer_of(three_origins, 200, SUCCEEDED, {header: origin}).headers == {"Access-Control-Allow-Origin": origin}
    for route, status in (("OPTIONS /orders", 200), ("ANY /{proxy+}", 404)):
        answer = render(template_of(three_origins, route, status), None, headers={header: origin})
        assert answer.headers == {"Access-Control-Allow-Origin": origin}


@pytest.mark.parametrize("origin", ["https://evil.example.com", f"{ORIGIN}.evil.com", ORIGIN.upper(), "null", ""])
def test_an_origin_that_is_not_in_the_list_is_not_answered(three_origins: Graph, origin: str) -> None:
    for status, body in ((200, SUCCEEDED), (429, {}), (500, {}), (504, {})):
        assert answer_of(three_origins, status, body, {"Origin": origin}).headers == {}
    for route in routes_of(three_origins, REST):
        if not route.startswith("OPTIONS"):
            continue
        answer = render(template_of(three_origins, route, 200), None, headers={"Origin": origin})
        assert answer.headers == {}


def answers_of(graph: Graph) -> list[tuple[str, Any]]:
    """Return the name of each route that templates answer, with each of its answers."""
    found = routes_of(graph, REST).values()
    return [(each.name, answer) for each in found for answer in each.integration.get("responses", {}).values()]


def test_a_single_origin_is_fixed_and_needs_no_template(rest_api_graph: Graph) -> None:
    for _, answer in answers_of(rest_api_graph):
        headers = answer["responseParameters"]
        assert headers["method.response.header.Access-Control-Allow-Origin"] == f"'{ORIGIN}'"
        assert headers["method.response.header.Vary"] == "'Origin'"
        assert "responseOverride.header" not in answer["responseTemplates"]["application/json"]


def test_a_page_may_read_where_an_order_is_and_which_request_it_was(rest_api_graph: Graph) -> None:
    answers = [answer for name, answer in answers_of(rest_api_graph) if not name.startswith("OPTIONS")]
    assert answers
    for answer in answers:
        exposed = answer["responseParameters"]["method.response.header.Access-Control-Expose-Headers"]
        assert exposed == "'Location,x-amzn-requestid'"


GATEWAY = {
    "DEFAULT_4XX": (None, "Forbidden"),
    "DEFAULT_5XX": (None, "InternalError"),
    "BAD_REQUEST_BODY": (400, "ValidationError"),
    "BAD_REQUEST_PARAMETERS": (400, "ValidationError"),
    "UNAUTHORIZED": (401, "Unauthorized"),
    "EXPIRED_TOKEN": (401, "Unauthorized"),
    "ACCESS_DENIED": (403, "Forbidden"),
    "WAF_FILTERED": (403, "Forbidden"),
    "MISSING_AUTHENTICATION_TOKEN": (404, "NotFound"),
    "RESOURCE_NOT_FOUND": (404, "NotFound"),
    "REQUEST_TOO_LARGE": (413, "PayloadTooLarge"),
    "UNSUPPORTED_MEDIA_TYPE": (415, "UnsupportedMediaType"),
    "THROTTLED": (429, "TooManyRequests"),
    "QUOTA_EXCEEDED": (429, "TooManyRequests"),
    "API_CONFIGURATION_ERROR": (500, "InternalError"),
    "AUTHORIZER_CONFIGURATION_ERROR": (500, "InternalError"),
    "AUTHORIZER_FAILURE": (500, "InternalError"),
    "INTEGRATION_FAILURE": (502, "InternalError"),
    "INTEGRATION_TIMEOUT": (504, "Timeout"),
}


@pytest.mark.parametrize(("response_type", "expected"), GATEWAY.items())
def test_the_gateways_own_error_has_the_common_body(
    rest_api_graph: Graph, response_type: str, expected: tuple[int | None, str]
) -> None:
    inputs = gateway_response_of(rest_api_graph, response_type)
    status, code = expected
    assert inputs.get("statusCode") == (None if status is None else str(status))
    # Like AWS, the test only replaces variables. The value of messageString includes its quotes.
    template = inputs["responseTemplates"]["application/json"]
    text = template.replace("$context.error.messageString", ' "Missing: [\\"x\\"]"')
    body = json.loads(text.replace("$context.requestId", REQUEST_ID))
    assert set(body) == {"code", "message", "request_id"}
    assert body["code"] == code
    assert body["message"]
    assert body["request_id"] == REQUEST_ID


def test_there_are_no_other_gateway_responses(rest_api_graph: Graph) -> None:
    assert set(document(rest_api_graph, REST)["x-amazon-apigateway-gateway-responses"]) == set(GATEWAY)


@pytest.mark.parametrize("response_type", GATEWAY)
def test_gateway_responses_use_no_velocity_and_no_unquoted_text(rest_api_graph: Graph, response_type: str) -> None:
    template = gateway_response_of(rest_api_graph, response_type)["responseTemplates"]["application/json"]
    assert "#" not in template
    assert "validationErrorString" not in template
    assert '$context.error.message"' not in template


@pytest.mark.parametrize("response_type", GATEWAY)
def test_gateway_responses_carry_the_main_origin(three_origins: Graph, response_type: str) -> None:
    # Velocity does not process gateway responses, so they cannot choose between origins and always contain the first
    # one.
    assert gateway_response_of(three_origins, response_type)["responseParameters"] == {
        "gatewayresponse.header.Access-Control-Allow-Origin": f"'{ORIGIN}'",
        "gatewayresponse.header.Access-Control-Expose-Headers": "'Location,x-amzn-requestid'",
        "gatewayresponse.header.Vary": "'Origin'",
    }


@pytest.mark.parametrize("template", sorted(path.stem for path in TEMPLATES.glob("*.vtl")))
def test_a_template_takes_exactly_the_values_that_it_names(template: str) -> None:
    with pytest.raises(ValueError, match=rf"templates/{template}.vtl: missing \["):
        fill(template)
    with pytest.raises(ValueError, match=r"unused \['other'\]"):
        fill(template, other="x")


def test_no_template_holds_a_placeholder_or_a_comment_when_it_is_deployed(three_origins: Graph) -> None:
    body = three_origins.one(*REST).inputs["body"]
    assert "${" not in body
    assert "##" not in body
