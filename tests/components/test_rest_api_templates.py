from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from components.apis.mapping_templates import TEMPLATES
from components.apis.mapping_templates import render as fill
from components.apis.sync_workflow_integration import STATUS_OF_ERROR, response_template
from components.aws import openapi
from contracts.orders import EXPOSED_HEADERS, LARGEST_BODY_BYTES, RETRY_AFTER_S
from emulator_fixes import velocity
from shared.errors import UnsupportedMediaType
from shared.request_body import check_media_type, too_large
from tests.components.api_programs import MACHINE, ORIGIN, ORIGINS, record_rest_api
from tests.contracts import answers
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
REQUEST_ID = "0d9d2a5c-1f7e-4d1c-9a57-6f8d3a0c2b11"
JSON_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)


@dataclass(frozen=True)
class Rendered:
    """The text that a template produced, and the response status and headers that the template set."""

    text: str
    status: int | None
    headers: dict[str, str]

    @property
    def body(self) -> Any:
        """The text as JSON."""
        return json.loads(self.text)


def render(
    template: str, body: Any = None, *, headers: dict[str, str] | None = None, claims: dict[str, str] | None = None
) -> Rendered:
    """Render `template`, a request or response template.

    `body` is the body of the request, or of the integration's response.
    """
    request = velocity.Request(
        body=body if isinstance(body, str) else json.dumps(body, ensure_ascii=False),
        path={},
        query={},
        headers=headers or {},
        context={"requestId": REQUEST_ID, "authorizer": {"claims": claims or {}}},
        stage_variables={},
    )
    rendered = velocity.render(template, request)
    return Rendered(rendered.text, rendered.status, rendered.headers)


@pytest.fixture(scope="session")
def request_template(rest_api_graph: Graph) -> str:
    integration = routes_of(rest_api_graph, REST)["POST /process"].integration
    return integration["requestTemplates"]["application/json"]


def template_of(graph: Graph, route: str, status: int) -> str:
    """Return the response template that the route `route` uses for the HTTP status `status`."""
    answers = routes_of(graph, REST)[route].integration["responses"].values()
    (answer,) = [each for each in answers if each["statusCode"] == str(status)]
    return answer["responseTemplates"]["application/json"]


def answer_of(graph: Graph, status: int, body: Any, headers: dict[str, str] | None = None) -> Rendered:
    """Render the response template of `POST /process` for `status`, with `body` as the integration's response."""
    return render(template_of(graph, "POST /process", status), body, headers=headers)


def gateway_response_of(graph: Graph, response_type: str) -> Any:
    return document(graph, REST)["x-amazon-apigateway-gateway-responses"][response_type]


@pytest.mark.parametrize("key", AWKWARD)
def test_request_reaches_the_workflow_unchanged(request_template: str, key: str) -> None:
    content = {"items": [{"product_id": text, "quantity": 1} for text in AWKWARD]}
    sent = render(request_template, content, headers={"Idempotency-Key": key}, claims={"sub": "a-user"}).body
    assert sent["stateMachineArn"] == MACHINE
    assert json.loads(sent["input"]) == {"request": {"user_id": "a-user", "idempotency_key": key, "content": content}}


# Hypothesis must not limit the run time of an example, because the run time depends on the load of the machine.
@settings(deadline=None)
@given(key=JSON_TEXT, text=JSON_TEXT, sub=JSON_TEXT)
def test_no_text_can_break_out_of_its_json_string(request_template: str, key: str, text: str, sub: str) -> None:
    sent = render(request_template, {text: text}, headers={"Idempotency-Key": key}, claims={"sub": sub}).body
    assert set(sent) == {"stateMachineArn", "input"}
    assert json.loads(sent["input"]) == {"request": {"user_id": sub, "idempotency_key": key, "content": {text: text}}}


@pytest.mark.parametrize("header", ["Idempotency-Key", "idempotency-key", "IDEMPOTENCY-KEY"])
def test_idempotency_key_header_is_found_in_any_letter_case(request_template: str, header: str) -> None:
    headers = {"Accept": "*/*", header: "k", "X-Idempotency-Key": "other", "Idempotency-Key-2": "other"}
    sent = render(request_template, {}, headers=headers, claims={"sub": "u"}).body
    assert json.loads(sent["input"])["request"]["idempotency_key"] == "k"


def test_request_without_the_header_has_no_idempotency_key(request_template: str) -> None:
    sent = render(request_template, {}, headers={"Accept": "*/*"}, claims={"sub": "u"}).body
    assert "idempotency_key" not in json.loads(sent["input"])["request"]


@pytest.mark.parametrize("kind", ["application/json; charset=shift_jis", "", "Application/JSON"])
def test_content_type_is_passed_to_the_workflow_for_validation(request_template: str, kind: str) -> None:
    sent = render(request_template, {}, headers={"content-type": kind}, claims={"sub": "u"}).body
    assert json.loads(sent["input"])["request"] == {"user_id": "u", "content_type": kind, "content": {}}


FILLING = len(json.dumps({"": ""}).encode())


@pytest.mark.parametrize("character", ["a", "é", "渋", "\U0001f375"])
@pytest.mark.parametrize("surplus", [-1, 0, 1, 2, 3, 100_000])
def test_body_above_the_size_limit_is_not_passed_to_the_workflow(
    request_template: str, character: str, surplus: int
) -> None:
    size = len(character.encode())
    room = LARGEST_BODY_BYTES + surplus - FILLING
    body = json.dumps({"": character * (room // size) + "b" * (room % size)}, ensure_ascii=False)
    assert len(body.encode()) == LARGEST_BODY_BYTES + surplus
    sent = json.loads(render(request_template, body, claims={"sub": "u"}).body["input"])["request"]
    assert ("too_large" in sent, "content" in sent) == (surplus > 0, surplus <= 0)


def test_gateway_and_functions_refuse_a_body_with_the_same_message(rest_api_graph: Graph) -> None:
    with pytest.raises(UnsupportedMediaType) as refused:
        check_media_type("text/plain")
    for response_type, error in (("UNSUPPORTED_MEDIA_TYPE", refused.value), ("REQUEST_TOO_LARGE", too_large())):
        response = gateway_response_of(rest_api_graph, response_type)
        body = json.loads(response["responseTemplates"]["application/json"])
        assert (body["code"], body["message"]) == (error.code, str(error))


def test_empty_idempotency_key_is_passed_to_the_workflow_for_validation(request_template: str) -> None:
    sent = render(request_template, {}, headers={"idempotency-key": ""}, claims={"sub": "u"}).body
    assert json.loads(sent["input"])["request"]["idempotency_key"] == ""


def test_successful_execution_returns_the_order(rest_api_graph: Graph) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "SUCCEEDED", "output": json.dumps(ORDER, ensure_ascii=False)})
    assert answer.status is None, "the integration response already sets 200"
    assert answer.body == ORDER


EXPECTED = {
    "ValidationError": 400,
    "ProductNotFound": 404,
    "OutOfStock": 409,
    "PriceChanged": 409,
    "IdempotencyConflict": 409,
    "InvalidTransition": 409,
    "PayloadTooLarge": 413,
    "UnsupportedMediaType": 415,
}


@pytest.mark.parametrize("message", AWKWARD)
def test_out_of_stock_response_contains_the_order_id_and_details_of_the_cause(
    rest_api_graph: Graph, message: str
) -> None:
    told = {"message": message, "order_id": "o-1", "details": [{"product_id": "tea", "requested": 2, "available": 1}]}
    cause = json.dumps(told, ensure_ascii=False)
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": "OutOfStock", "cause": cause})
    assert answer.status == 409
    assert answer.body == {"code": "OutOfStock", "request_id": REQUEST_ID, **told}


def test_failed_order_returns_its_id_but_not_its_cause(rest_api_graph: Graph) -> None:
    cause = json.dumps({"message": "table orders-dev", "order_id": "o-1"})
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": "ProcessingFailed", "cause": cause})
    assert (answer.status, answer.body["code"], answer.body["order_id"]) == (500, "InternalError", "o-1")
    assert "orders-dev" not in answer.text


@pytest.mark.parametrize(("error", "status"), EXPECTED.items())
@pytest.mark.parametrize("cause", AWKWARD)
def test_workflow_error_returns_its_status_code_and_cause(
    rest_api_graph: Graph, error: str, status: int, cause: str
) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": error, "cause": cause})
    assert answer.status == status
    assert answer.body == {"code": error, "message": cause, "request_id": REQUEST_ID}


def test_undecided_order_returns_503_with_its_id(rest_api_graph: Graph) -> None:
    order_id = "0f8fad5b-d9cb-469f-a165-70867728950e"
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": "Undecided", "cause": order_id})
    assert (answer.status, answer.headers) == (503, {"Retry-After": str(RETRY_AFTER_S)})
    assert (answer.body["code"], answer.body["order_id"]) == ("ServiceUnavailable", order_id)
    schema = answers.document("rest-api.yaml")["components"]["schemas"]["ServiceUnavailable"]
    assert answers.breaches(answers.closed(schema), answer.body) == []


def test_order_that_was_not_recorded_returns_503_without_an_id(rest_api_graph: Graph) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": "NotRecorded", "cause": "table orders-dev"})
    assert (answer.status, answer.headers) == (503, {"Retry-After": str(RETRY_AFTER_S)})
    assert answer.body["code"] == "ServiceUnavailable"
    assert "order_id" not in answer.body
    assert "orders-dev" not in answer.text


@pytest.mark.parametrize("error", ["ProcessingFailed", "States.Runtime", "Lambda.Unknown", "", None])
def test_unexpected_workflow_failure_returns_500_without_its_cause(rest_api_graph: Graph, error: str | None) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "FAILED", "error": error, "cause": "table orders-dev-orders"})
    assert answer.status == 500
    assert answer.body["code"] == "InternalError"
    assert answer.body["request_id"] == REQUEST_ID
    assert "orders-dev" not in answer.text


def test_timed_out_execution_returns_504_whatever_its_error(rest_api_graph: Graph) -> None:
    answer = answer_of(rest_api_graph, 200, {"status": "TIMED_OUT", "error": "OutOfStock", "cause": "secret"})
    assert (answer.status, answer.headers) == (504, {"Retry-After": str(RETRY_AFTER_S)})
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
def test_step_functions_api_error_returns_its_status_without_details(
    rest_api_graph: Graph, status: int, body: dict[str, str], expected: int | None, code: str
) -> None:
    answer = answer_of(rest_api_graph, status, body)
    assert answer.status == expected
    assert answer.body["code"] == code
    assert answer.body["request_id"] == REQUEST_ID
    assert "arn:" not in answer.text


def test_contract_declares_the_status_of_every_workflow_error() -> None:
    responses = openapi.load("rest-api.yaml")["paths"]["/process"]["post"]["responses"]
    assert {str(status) for status in STATUS_OF_ERROR.values()} <= set(responses)
    assert {"200", "429", "503", "504"} <= set(responses)


def test_timeout_of_the_step_functions_api_returns_a_retry_after_header(rest_api_graph: Graph) -> None:
    answers = routes_of(rest_api_graph, REST)["POST /process"].integration["responses"]
    assert answers["504"]["responseParameters"]["method.response.header.Retry-After"] == f"'{RETRY_AFTER_S}'"


def test_response_template_handles_every_workflow_error_with_an_http_status() -> None:
    template = response_template()
    assert all(f"'{name}'" in template for name in STATUS_OF_ERROR)


SUCCEEDED = {"status": "SUCCEEDED", "output": "{}"}


@pytest.fixture(scope="session")
def three_origins(rest_api_graph: Graph) -> Graph:
    del rest_api_graph
    return record_rest_api(cors_origins=list(ORIGINS))


@pytest.mark.parametrize("header", ["Origin", "origin"])
@pytest.mark.parametrize("origin", ORIGINS)
def test_response_allows_the_requests_origin_if_several_are_configured(
    three_origins: Graph, origin: str, header: str
) -> None:
    assert answer_of(three_origins, 200, SUCCEEDED, {header: origin}).headers == {"Access-Control-Allow-Origin": origin}
    for route, status in (("OPTIONS /orders", 200), ("ANY /{proxy+}", 404)):
        answer = render(template_of(three_origins, route, status), None, headers={header: origin})
        assert answer.headers == {"Access-Control-Allow-Origin": origin}


@pytest.mark.parametrize("origin", ["https://evil.example.com", f"{ORIGIN}.evil.com", ORIGIN.upper(), "null", ""])
def test_unlisted_origin_gets_no_cors_header(three_origins: Graph, origin: str) -> None:
    for status, body in ((200, SUCCEEDED), (429, {}), (500, {}), (504, {})):
        assert answer_of(three_origins, status, body, {"Origin": origin}).headers == {}
    for route in routes_of(three_origins, REST):
        if not route.startswith("OPTIONS"):
            continue
        answer = render(template_of(three_origins, route, 200), None, headers={"Origin": origin})
        assert answer.headers == {}


def answers_of(graph: Graph) -> list[tuple[str, Any]]:
    """Return (name of the route, integration response) for each integration response of the API in `graph`."""
    found = routes_of(graph, REST).values()
    return [(each.name, answer) for each in found for answer in each.integration.get("responses", {}).values()]


def test_single_configured_origin_is_a_fixed_header_value(rest_api_graph: Graph) -> None:
    for _, answer in answers_of(rest_api_graph):
        headers = answer["responseParameters"]
        assert headers["method.response.header.Access-Control-Allow-Origin"] == f"'{ORIGIN}'"
        assert headers["method.response.header.Vary"] == "'Origin'"
        assert "responseOverride.header.Access" not in answer["responseTemplates"]["application/json"]


def test_browser_code_may_read_the_location_and_request_id_headers(rest_api_graph: Graph) -> None:
    answers = [answer for name, answer in answers_of(rest_api_graph) if not name.startswith("OPTIONS")]
    assert answers
    for answer in answers:
        exposed = answer["responseParameters"]["method.response.header.Access-Control-Expose-Headers"]
        assert exposed == f"'{','.join(EXPOSED_HEADERS)}'"
    assert {"Location", "Retry-After", "x-amzn-requestid"} <= set(EXPOSED_HEADERS)


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
def test_gateways_own_errors_use_the_common_error_body(
    rest_api_graph: Graph, response_type: str, expected: tuple[int | None, str]
) -> None:
    inputs = gateway_response_of(rest_api_graph, response_type)
    status, code = expected
    assert inputs.get("statusCode") == (None if status is None else str(status))
    # API Gateway only replaces variables in the templates of gateway responses, and runs no Velocity. This test
    # therefore also only replaces variables. The value of `messageString` includes its quotation marks.
    template = inputs["responseTemplates"]["application/json"]
    text = template.replace("$context.error.messageString", ' "Missing: [\\"x\\"]"')
    body = json.loads(text.replace("$context.requestId", REQUEST_ID))
    assert set(body) == {"code", "message", "request_id"}
    assert body["code"] == code
    assert body["message"]
    assert body["request_id"] == REQUEST_ID


def test_api_has_only_the_expected_gateway_responses(rest_api_graph: Graph) -> None:
    assert set(document(rest_api_graph, REST)["x-amazon-apigateway-gateway-responses"]) == set(GATEWAY)


@pytest.mark.parametrize("response_type", GATEWAY)
def test_gateway_responses_use_no_velocity_and_no_unquoted_text(rest_api_graph: Graph, response_type: str) -> None:
    template = gateway_response_of(rest_api_graph, response_type)["responseTemplates"]["application/json"]
    assert "#" not in template
    assert "validationErrorString" not in template
    assert '$context.error.message"' not in template


@pytest.mark.parametrize("response_type", GATEWAY)
def test_gateway_responses_allow_the_first_configured_origin(three_origins: Graph, response_type: str) -> None:
    # In gateway responses, a header cannot depend on the origin of the request, because API Gateway runs no Velocity
    # templates there. The header therefore always contains the first configured origin.
    retry_after = {"gatewayresponse.header.Retry-After": f"'{RETRY_AFTER_S}'"}
    assert gateway_response_of(three_origins, response_type)["responseParameters"] == {
        **(retry_after if response_type == "INTEGRATION_TIMEOUT" else {}),
        "gatewayresponse.header.Access-Control-Allow-Origin": f"'{ORIGIN}'",
        "gatewayresponse.header.Access-Control-Expose-Headers": f"'{','.join(EXPOSED_HEADERS)}'",
        "gatewayresponse.header.Vary": "'Origin'",
    }


@pytest.mark.parametrize("template", sorted(path.stem for path in TEMPLATES.glob("*.vtl")))
def test_template_requires_exactly_the_values_of_its_placeholders(template: str) -> None:
    with pytest.raises(ValueError, match=rf"templates/{template}.vtl: missing values \["):
        fill(template)
    with pytest.raises(ValueError, match=r"unused values \['other'\]"):
        fill(template, other="x")


def test_deployed_templates_contain_no_placeholder_and_no_comment(three_origins: Graph) -> None:
    body = three_origins.one(*REST).inputs["body"]
    assert "${" not in body
    assert "##" not in body
