"""Counts an emulator's resources by kind. Tests use it to find resources that a repeated call created twice."""

from __future__ import annotations

from collections import Counter
from typing import Final

from local.aws import Aws

# The calls that list the resources of each service. Each entry is (service, call, field of the response that contains
# the list). _PARTS contains the calls that list the parts of a resource, such as the stages of an API.
_LISTS: Final = (
    ("apigateway", "get_rest_apis", "items"),
    ("apigatewayv2", "get_apis", "Items"),
    ("cloudwatch", "describe_alarms", "MetricAlarms"),
    ("cognito-idp", "list_user_pools", "UserPools"),
    ("dynamodb", "list_tables", "TableNames"),
    ("iam", "list_roles", "Roles"),
    ("kms", "list_keys", "Keys"),
    ("lambda", "list_event_source_mappings", "EventSourceMappings"),
    ("lambda", "list_functions", "Functions"),
    ("lambda", "list_layers", "Layers"),
    ("logs", "describe_log_groups", "logGroups"),
    ("s3", "list_buckets", "Buckets"),
    ("sns", "list_topics", "Topics"),
    ("sqs", "list_queues", "QueueUrls"),
    ("stepfunctions", "list_state_machines", "stateMachines"),
)
_PARTS: Final = {
    "get_rest_apis": (
        "id",
        "restApiId",
        (
            ("get_authorizers", "items"),
            ("get_deployments", "items"),
            ("get_request_validators", "items"),
            ("get_resources", "items"),
            ("get_stages", "item"),
        ),
    ),
    "get_apis": (
        "ApiId",
        "ApiId",
        (("get_authorizers", "Items"), ("get_integrations", "Items"), ("get_routes", "Items")),
    ),
    "list_user_pools": ("Id", "UserPoolId", (("list_user_pool_clients", "UserPoolClients"), ("list_groups", "Groups"))),
    "list_functions": (
        "FunctionName",
        "FunctionName",
        (("list_versions_by_function", "Versions"), ("list_aliases", "Aliases")),
    ),
    "list_layers": ("LayerName", "LayerName", (("list_layer_versions", "LayerVersions"),)),
}
_LIMITS: Final = {
    "list_user_pools": {"MaxResults": 60},
    "get_resources": {"limit": 500},
    "get_rest_apis": {"limit": 500},
}


def inventory(aws: Aws) -> Counter[str]:
    """Return the number of resources that each list call returns, for example {"sqs:list_queues": 9}."""
    found = Counter[str]()
    for service, call, name in _LISTS:
        elements = aws(service, call, **_LIMITS.get(call, {})).get(name, [])
        found[f"{service}:{call}"] = len(elements)
        field, parameter, calls = _PARTS.get(call, ("", "", ()))
        for element in elements:
            for part, listed in calls:
                given = {parameter: element[field], **_LIMITS.get(part, {})}
                found[f"{service}:{part}"] += len(aws(service, part, **given).get(listed, []))
    return found
