"""Checks of cdk-nag and checkov that are not rules here although they match our resource types, with the reason."""

from __future__ import annotations

from typing import Final

_OF_ANOTHER: Final = "The check is about a type of resource that the platform does not have."

NOT_TAKEN: Final = {
    "AwsSolutions-COG7": "The platform has no Cognito identity pool.",
    "AwsSolutions-S5": "No bucket serves a website.",
    "Serverless-AppSyncTracing": "The platform has no AppSync API.",
    "CKV_AWS_143": "The check applies only to buckets with an object lock configuration. No bucket has one, because "
    "analytics records expire.",
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
