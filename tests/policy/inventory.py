"""All checks of cdk-nag and checkov that apply to the resource types of this project.

The checks of cdk-nag 3.0.2 come from its RULES.md. The inventory contains every check of its pack Serverless. From its
pack AwsSolutions, it contains the checks for the AWS services that this project uses. The checks of checkov 3.3.30 are
its registered checks and graph checks for the resource types of the stack prod. These types include the types that only
a web site with a custom domain needs.
"""

from __future__ import annotations

from typing import Final

_AWS_SOLUTIONS: Final = (
    *("APIG1", "APIG2", "APIG3", "APIG4", "APIG6", "CFR1", "CFR2", "CFR3", "CFR4", "CFR5", "CFR7", "COG1", "COG2"),
    *("COG4", "COG7", "COG8", "DDB3", "EVB1", "IAM4", "IAM5", "KMS5", "L1", "S1", "S2", "S5", "S10", "SF1", "SF2"),
    *("SNS3", "SQS2", "SQS3", "SQS4"),
)
_SERVERLESS: Final = (
    *("APIGWAccessLogging", "APIGWDefaultThrottling", "APIGWStructuredLogging", "APIGWXrayEnabled"),
    *("AppSyncTracing", "CloudWatchLogGroupRetentionPeriod", "EventBusDLQ", "LambdaAsyncFailureDestination"),
    *("LambdaDLQ", "LambdaDefaultMemorySize", "LambdaDefaultTimeout", "LambdaEventSourceMappingDestination"),
    *("LambdaLatestVersion", "LambdaStarPermissions", "LambdaTracing", "SNSRedrivePolicy", "SQSRedrivePolicy"),
    "StepFunctionStateMachineXray",
)
_CKV: Final = (
    *(7, 18, 19, 20, 21, 26, 27, 28, 33, 34, 45, 50, 53, 54, 55, 56, 57, 59, 60, 61),
    *(62, 63, 66, 68, 70, 72, 73, 76, 86, 93),
    *(115, 116, 117, 119, 120, 143, 144, 145, 158, 168, 169, 173, 174, 175, 192, 216, 217, 225, 227, 233, 234),
    *(237, 259, 272, 274, 276, 284, 285, 286, 287, 288, 289, 290, 300, 301, 305, 308, 309, 310, 319),
    *(338, 342, 355, 363, 364, 374, 379, 385, 387, 393),
)
_CKV2: Final = (
    *(4, 5, 6, 10, 16, 23, 28, 29, 31, 32, 33, 40, 42, 43, 46, 47, 51, 53, 54, 56),
    *(61, 62, 64, 65, 68, 70, 71, 72, 73, 75, 76, 77, 78),
)
CHECKS: Final = frozenset(
    {
        *(f"AwsSolutions-{name}" for name in _AWS_SOLUTIONS),
        *(f"Serverless-{name}" for name in _SERVERLESS),
        *(f"CKV_AWS_{number}" for number in _CKV),
        *(f"CKV2_AWS_{number}" for number in _CKV2),
    }
)
