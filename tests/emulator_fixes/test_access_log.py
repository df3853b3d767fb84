import json

from tests.local.cloud import Cloud, log_group, unique
from tests.local.http_api import HttpApi
from tests.local.rest import STAGE, RestApi

FORMAT = json.dumps(
    {
        "id": "$context.requestId",
        "method": "$context.httpMethod",
        "status": "$context.status",
        "error": "$context.error.message",
        "nothing": "$context.nothing",
    }
)
ECHO = """
    def handle(event, context):
        print("id", event["requestContext"]["requestId"])
        return {"statusCode": 201, "body": "{}"}
"""


def group(cloud: Cloud) -> tuple[str, str]:
    name = f"/aws/apigateway/{unique('log')}"
    cloud("logs", "create_log_group", logGroupName=name)
    return name, cloud.arn("logs", f"log-group:{name}")


def test_rest_api_writes_an_access_log_line_for_each_request(cloud: Cloud) -> None:
    api = RestApi.make(cloud)
    function = cloud.function(ECHO)
    api.proxy("things", "GET", function)
    api.deploy()
    name, arn = group(cloud)
    patches = [("/accessLogSettings/destinationArn", arn), ("/accessLogSettings/format", FORMAT)]
    operations = [{"op": "replace", "path": path, "value": value} for path, value in patches]
    api.call("update_stage", stageName=STAGE, patchOperations=operations)

    api.send("GET", "things")
    refused = api.send("GET", "nowhere")

    served, failed = (json.loads(line) for line in cloud.log(name, count=2))
    assert (served["method"], served["status"], served["error"], served["nothing"]) == ("GET", "201", "-", "-")
    assert (failed["id"], failed["status"]) == (refused.headers["x-amzn-requestid"], str(refused.status))
    assert failed["error"] == "Missing Authentication Token"
    assert cloud.log(log_group(function), f"id {served['id']}")


def test_http_api_writes_an_access_log_line_for_each_request(cloud: Cloud) -> None:
    function = cloud.function(ECHO)
    log, arn = group(cloud)
    api = HttpApi.make(cloud, function, "GET /things", log={"DestinationArn": arn, "Format": FORMAT})

    answer = api.get("/things")

    line = json.loads(cloud.log(log)[0])
    assert answer.status == 201
    assert (line["method"], line["status"]) == ("GET", "201")
    assert cloud.log(f"/aws/lambda/{function.split(':')[6]}", f"id {line['id']}")
