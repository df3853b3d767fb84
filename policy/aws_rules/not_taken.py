"""The checks of the packs that are about our types of resources and are no rule here, and why."""

from __future__ import annotations

from typing import Final

_OF_ANOTHER: Final = "Is about a type of resource that the platform has not; ours is only what it is connected with."

NOT_TAKEN: Final = {
    "AwsSolutions-COG7": "There is no Cognito identity pool.",
    "AwsSolutions-S5": "No bucket serves a website.",
    "Serverless-AppSyncTracing": "There is no AppSync API.",
    "CKV_AWS_143": "Asks that a bucket's object lock is on if it is declared. Records expire, so none is declared.",
    "CKV_AWS_393": "No role trusts GitHub; the roles that deploy are made outside of the program.",
    "CKV2_AWS_5": _OF_ANOTHER,
    "CKV2_AWS_10": _OF_ANOTHER,
    "CKV2_AWS_23": _OF_ANOTHER,
    "CKV2_AWS_28": _OF_ANOTHER,
    "CKV2_AWS_33": _OF_ANOTHER,
    "CKV2_AWS_43": _OF_ANOTHER,
    "CKV2_AWS_46": _OF_ANOTHER,
    "CKV2_AWS_47": _OF_ANOTHER,
    "CKV2_AWS_65": "Buckets have no ACLs unless ownership controls are declared to bring them back; none are.",
    "CKV2_AWS_68": _OF_ANOTHER,
    "CKV2_AWS_75": "No function has a URL.",
    "CKV2_AWS_76": _OF_ANOTHER,
    "CKV2_AWS_78": _OF_ANOTHER,
}
