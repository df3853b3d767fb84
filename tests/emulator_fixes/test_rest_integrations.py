import json
from typing import Any

from tests.local.cloud import Cloud, allow
from tests.local.rest import RestApi

JSON = "application/json"
REQUEST = r"""{"stateMachineArn": "%s", "input": "{\"name\":$util.escapeJavaScript($input.json('$.name'))}"}"""
RESPONSE = """#set($status = $input.path('$.status'))
#if($status == 'SUCCEEDED')
$input.path('$.output')
#elseif($status == 'TIMED_OUT')
#set($context.responseOverride.status = 504)
{"code": "Timeout"}
#else
#set($context.responseOverride.status = 409)
{"code": "$input.path('$.error')", "message": "$input.path('$.cause')", "request": "$context.requestId"}
#end"""
HELLO = {"Hello": {"Type": "Pass", "Output": {"hello": "{% $states.input.name %}"}, "End": True}}
FAIL = {"Fail": {"Type": "Fail", "Error": "OutOfStock", "Cause": "none"}}
WAIT = {"Wait": {"Type": "Wait", "Seconds": 9, "End": True}}


def served(cloud: Cloud, states: dict[str, Any], *, may: bool = True, **fields: Any) -> RestApi:
    machine = cloud.machine(states, express=True, **fields)
    action = "states:StartSyncExecution" if may else "states:DescribeExecution"
    integration = {
        "type": "AWS",
        "integrationHttpMethod": "POST",
        "uri": f"arn:aws:apigateway:{cloud.region}:states:action/StartSyncExecution",
        "credentials": cloud.role(allow(action, on=machine), principal="apigateway.amazonaws.com"),
        "passthroughBehavior": "NEVER",
        "requestTemplates": {JSON: REQUEST % machine},
    }
    api = RestApi.make(cloud)
    api.method(
        "process",
        "POST",
        integration,
        {"statusCode": "200", "selectionPattern": "200", "responseTemplates": {JSON: RESPONSE}},
        {"statusCode": "500", "responseTemplates": {JSON: '{"code": "InternalError"}'}},
    )
    api.deploy()
    return api


def test_rest_method_returns_the_output_of_the_execution_that_it_starts(cloud: Cloud) -> None:
    answer = served(cloud, HELLO).send("POST", "process", {"name": 'a "quoted" näme'})

    assert (answer.status, answer.json()) == (200, {"hello": 'a "quoted" näme'})


def test_template_sets_the_response_status_for_a_failed_execution(cloud: Cloud) -> None:
    answer = served(cloud, FAIL).send("POST", "process", {"name": "x"})

    assert answer.status == 409
    assert answer.json() == {
        "code": "OutOfStock",
        "message": "none",
        "request": answer.headers["x-amzn-requestid"],
    }


def test_template_sets_the_response_status_for_a_timed_out_execution(impatient: Cloud) -> None:
    answer = served(impatient, WAIT, TimeoutSeconds=1).send("POST", "process", {"name": "x"})

    assert (answer.status, answer.json()["code"]) == (504, "Timeout")


def test_role_without_permission_causes_an_integration_error(cloud: Cloud) -> None:
    answer = served(cloud, HELLO, may=False).send("POST", "process", {"name": "x"})

    assert (answer.status, answer.json()) == (500, {"code": "InternalError"})


def test_content_type_without_a_template_gets_415(cloud: Cloud) -> None:
    answer = served(cloud, HELLO).send("POST", "process", "name=x", Content_Type="application/x-www-form-urlencoded")

    assert answer.status == 415


def test_mock_integration_returns_its_rendered_template(cloud: Cloud) -> None:
    allow_origin = "Access-Control-Allow-Origin"
    template = f"""#set($origin = $input.params('origin'))
#if($origin == 'https://b.example.com')
#set($context.responseOverride.header.{allow_origin} = $origin)
#end
{{"seen": "$origin"}}"""
    api = RestApi.make(cloud)
    api.method(
        "hello",
        "OPTIONS",
        {"type": "MOCK", "requestTemplates": {JSON: '{"statusCode": 204}'}},
        {
            "statusCode": "204",
            "responseParameters": {f"method.response.header.{allow_origin}": "'https://a.example.com'"},
            "responseTemplates": {JSON: template},
        },
    )
    api.deploy()

    known = api.send("OPTIONS", "hello", origin="https://b.example.com")
    foreign = api.send("OPTIONS", "hello", origin="https://c.example.com")

    assert (known.status, known.headers[allow_origin.lower()]) == (204, "https://b.example.com")
    assert foreign.headers[allow_origin.lower()] == "https://a.example.com"


def test_request_template_selects_the_mock_response(cloud: Cloud) -> None:
    api = RestApi.make(cloud)
    api.method(
        "nowhere",
        "ANY",
        {"type": "MOCK", "requestTemplates": {JSON: json.dumps({"statusCode": 404})}},
        {"statusCode": "200", "responseTemplates": {JSON: "no"}, "selectionPattern": "200"},
        {"statusCode": "404", "responseTemplates": {JSON: "$context.httpMethod"}, "selectionPattern": "404"},
    )
    api.deploy()

    answer = api.send("DELETE", "nowhere")
    assert (answer.status, answer.text) == (404, "DELETE")
