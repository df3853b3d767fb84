"""Checks of cdk-nag and checkov that match the program's resource types but are not rules here, with the reasons."""

from __future__ import annotations

from typing import Final

_LATEST_RUNTIME: Final = (
    "The layers' packages are locked, built and tested for Python 3.13, which Lambda supports until 2029."
)
_CACHE: Final = (
    "Every response belongs to one user and changes with the order, so a cache would rarely help. A cache costs money "
    "per hour, and a wrong cache key would show the order of one user to another."
)
_BUCKET_LOGS: Final = (
    "Only one role writes to the bucket, with PutObject, and no role reads it. CloudTrail data events can log what "
    "people read. Access logs would need a second bucket, and S3 delivers them on a best-effort basis."
)
_OF_ANOTHER: Final = "The check concerns a resource type that the platform does not have."

NOT_TAKEN: Final = {
    "AwsSolutions-COG2": "With MFA set to ON, the sign-in page would require an authenticator app from every customer. "
    "The owner of the shop decides whether customers need one.",
    "AwsSolutions-COG7": "The platform has no Cognito identity pool.",
    "AwsSolutions-COG8": "AWS bills the PLUS plan per user and month. To use the plan, change only userPoolTier "
    "in the program.",
    "AwsSolutions-L1": _LATEST_RUNTIME,
    "AwsSolutions-S1": _BUCKET_LOGS,
    "AwsSolutions-S5": "No bucket serves a website.",
    "Serverless-AppSyncTracing": "The platform has no AppSync API.",
    "Serverless-LambdaLatestVersion": _LATEST_RUNTIME,
    "CKV_AWS_18": _BUCKET_LOGS,
    "CKV_AWS_115": "The other functions of the account cannot use concurrency that is reserved for one function. The "
    "platform does not need reserved concurrency, because the APIs' throttling and the concurrency of the event source "
    "mappings already limit the load of each function.",
    "CKV_AWS_117": "The functions call only AWS APIs, with TLS and their execution role. A VPC would add "
    "the cost of endpoints or NAT gateways, and the VPC would contain nothing that the "
    "functions need.",
    "CKV_AWS_119": "The AWS managed KMS key for DynamoDB encrypts the tables. With a customer managed key, "
    "every role that reads a table would need KMS permissions, and a disabled key would "
    "stop all orders.",
    "CKV_AWS_120": _CACHE,
    "CKV_AWS_143": "The check applies only to buckets with an object lock configuration. No bucket has one, because "
    "analytics records expire.",
    "CKV_AWS_144": "The records are copies of the orders in the orders table and of the events in the "
    "archive, and S3 stores each record in three zones. Replication helps only if tables "
    "and APIs also run in another region.",
    "CKV_AWS_173": "The variables contain names of tables, queues and origins, which the console shows "
    "anyway. The rule `function-environment-holds-no-secret` checks that no variable is a "
    "secret.",
    "CKV_AWS_225": _CACHE,
    "CKV_AWS_272": "A signature proves that the pipeline built the code. Here, a signature would prove nothing more: "
    "the deployment that builds the code from packages with locked hashes also uploads the code, and no role of the "
    "program may change a function's code.",
    "CKV_AWS_393": "No role of the program trusts GitHub. You create the deployment roles outside of the program.",
    "CKV2_AWS_5": _OF_ANOTHER,
    "CKV2_AWS_10": _OF_ANOTHER,
    "CKV2_AWS_23": _OF_ANOTHER,
    "CKV2_AWS_28": _OF_ANOTHER,
    "CKV2_AWS_33": _OF_ANOTHER,
    "CKV2_AWS_43": _OF_ANOTHER,
    "CKV2_AWS_46": _OF_ANOTHER,
    "CKV2_AWS_47": _OF_ANOTHER,
    "CKV2_AWS_65": "S3 disables ACLs on new buckets unless the program declares ownership controls, and the program "
    "declares none.",
    "CKV2_AWS_68": _OF_ANOTHER,
    "CKV2_AWS_75": "No function has a URL.",
    "CKV2_AWS_76": _OF_ANOTHER,
    "CKV2_AWS_78": _OF_ANOTHER,
}
