import pytest

from local.aws import CallError
from local.client import Answer, Client
from tests.local.cloud import Cloud, allow, unique
from tests.local.rest import RestApi

OK = "def handle(event, context): return {'statusCode': 200, 'body': 'ok'}"


def test_rest_api_without_permission_to_invoke_its_function_returns_500(cloud: Cloud) -> None:
    api = RestApi.make(cloud)
    function = cloud.function(OK)
    api.proxy("open", "GET", function)
    api.proxy("closed", "GET", function, permitted=False)
    api.deploy()

    assert api.send("GET", "open").status == 200
    assert api.send("GET", "closed").status == 500


@pytest.mark.parametrize("path", ["things", "things/", "things//", "one", "one/", "one%0A", "%22"])
def test_permission_for_a_rest_method_allows_each_request_path_that_matches_the_method(cloud: Cloud, path: str) -> None:
    api = RestApi.make(cloud)
    function = cloud.function(OK)
    api.proxy("things", "GET", function)
    api.proxy("{id}", "GET", function)
    api.deploy()

    assert api.send("GET", path).status == 200


def test_http_api_without_permission_to_invoke_its_function_returns_500(cloud: Cloud) -> None:
    assert _answer_of_http_api(cloud, cloud.function(OK)).status == 500


def test_http_api_returns_500_and_hides_the_error_of_a_failed_function(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context): raise ValueError('secret')")
    name, _, alias = function.rpartition(":")
    cloud(
        "lambda",
        "add_permission",
        FunctionName=name,
        Qualifier=alias,
        StatementId="api",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
    )
    answer = _answer_of_http_api(cloud, function)
    assert (answer.status, answer.json()) == (500, {"message": "Internal Server Error"})


def _answer_of_http_api(cloud: Cloud, function: str) -> Answer:
    """Create an HTTP API with one route to the Lambda function `function`, call the route, and return the response."""
    api = cloud("apigatewayv2", "create_api", Name=unique("http"), ProtocolType="HTTP")["ApiId"]
    integration = cloud(
        "apigatewayv2",
        "create_integration",
        ApiId=api,
        IntegrationType="AWS_PROXY",
        IntegrationUri=function,
        PayloadFormatVersion="2.0",
    )["IntegrationId"]
    cloud("apigatewayv2", "create_route", ApiId=api, RouteKey="GET /things", Target=f"integrations/{integration}")
    cloud("apigatewayv2", "create_stage", ApiId=api, StageName="$default")
    return Client({}, "").send("GET", f"{cloud.instance.url}/_aws/execute-api/{api}/things")


def test_event_source_mapping_requires_permission_to_read_the_queue(cloud: Cloud) -> None:
    _, queue = cloud.queue()
    function = cloud.function(OK, allow("sqs:ReceiveMessage", on=queue))

    with pytest.raises(CallError, match="permissions to call sqs:DeleteMessage"):
        cloud("lambda", "create_event_source_mapping", FunctionName=function, EventSourceArn=queue)


def test_on_failure_destination_requires_permission_to_send(cloud: Cloud) -> None:
    _, queue = cloud.queue()
    name = cloud.function(OK).split(":")[6]
    destination = {"OnFailure": {"Destination": queue}}

    with pytest.raises(CallError, match="permissions to call sqs:SendMessage"):
        cloud("lambda", "put_function_event_invoke_config", FunctionName=name, DestinationConfig=destination)


def test_dead_letter_queue_requires_permission_to_send(cloud: Cloud) -> None:
    _, queue = cloud.queue()

    with pytest.raises(CallError, match="permissions to call sqs:SendMessage"):
        cloud.function(OK, DeadLetterConfig={"TargetArn": queue})


def test_function_requires_a_role_that_lambda_can_assume(cloud: Cloud) -> None:
    with pytest.raises(CallError, match="cannot be assumed by Lambda"):
        cloud.function(OK, Role=cloud.role(principal="states.amazonaws.com"))


def test_state_machine_with_logging_requires_a_role_that_may_log(cloud: Cloud) -> None:
    group = unique("/aws/vendedlogs/states/log")
    cloud("logs", "create_log_group", logGroupName=group)
    destination = {"cloudWatchLogsLogGroup": {"logGroupArn": cloud.arn("logs", f"log-group:{group}:*")}}
    config = {"level": "ALL", "includeExecutionData": True, "destinations": [destination]}

    with pytest.raises(CallError, match="not authorized to access the Log Destination"):
        cloud.machine({"End": {"Type": "Succeed"}}, logging=config)
