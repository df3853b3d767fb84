"""Imports a handler as Lambda's runtime does, and calls it REQUESTS times. `make bench` measures this process.

Usage: python in_lambda.py HANDLER FAKE REQUESTS PATH... <EVENT. HANDLER is a module, or `nothing`. FAKE says which part
of the SDK is replaced, so that requests need no DynamoDB: `client` or `network`. The script imports as little as
possible, because everything in it is measured.
"""

import importlib
import json
import os
import sys

handler, fake, requests, *paths = sys.argv[1:]
sys.path[:0] = paths


class Context:
    """The context that Lambda passes to a handler."""

    function_name = "orders-api"
    function_version = "1"
    memory_limit_in_mb = 256
    invoked_function_arn = "arn:aws:lambda:ap-northeast-1:123456789012:function:orders-api:live"
    aws_request_id = "8f5e1a52-0000-4000-8000-000000000001"

    def get_remaining_time_in_millis(self):
        return 10_000


class Body:
    def stream(self):
        yield b"{}"


def fake_client():
    """Replace the method through which all clients and resources make calls, so no work of the SDK is measured."""
    from botocore.client import BaseClient

    BaseClient._make_api_call = lambda *_: {"ResponseMetadata": {"HTTPStatusCode": 200, "HTTPHeaders": {}}}


def fake_network():
    """Replace only botocore's connection, so all other work of the SDK is measured."""
    from botocore.awsrequest import AWSResponse
    from botocore.httpsession import URLLib3Session

    URLLib3Session.send = lambda _, request: AWSResponse(request.url, 200, {}, Body())


if requests != "0":
    {"client": fake_client, "network": fake_network}[fake]()
if handler != "nothing":
    function = importlib.import_module(handler).lambda_handler
    event = sys.stdin.read() if requests != "0" else ""
    for _ in range(int(requests)):
        # Lambda's runtime also decodes the event from JSON and encodes the response as JSON, so the measurement
        # includes both.
        answer = function(json.loads(event), Context())
        json.dumps(answer)
        if answer["statusCode"] != 202:
            raise SystemExit(f"{handler}: got {answer}")
sys.stdout.flush()
# On Lambda, the process doesn't exit after a request. Here, os._exit ends it without Python's cleanup, so the
# measurement doesn't include this cleanup.
os._exit(0)
