"""Protects what AWS cannot create a second time: data, and addresses that other people have stored."""

from __future__ import annotations

from typing import Final

import pulumi

IRREPLACEABLE: Final = frozenset(
    {
        # Data: rows, records, user accounts, events, and work that waits in a queue.
        "aws:dynamodb/table:Table",
        "aws:s3/bucket:Bucket",
        "aws:cognito/userPool:UserPool",
        "aws:cognito/userGroup:UserGroup",
        "aws:cloudwatch/eventArchive:EventArchive",
        "aws:sqs/queue:Queue",
        # Logs, which are the audit trail, and the keys without which nobody can read them.
        "aws:cloudwatch/logGroup:LogGroup",
        "aws:kms/key:Key",
        # Addresses. AWS puts a new id into the URL of a new API, and frontends have stored the URL and the client id.
        "aws:apigateway/restApi:RestApi",
        "aws:apigatewayv2/api:Api",
        "aws:cognito/userPoolClient:UserPoolClient",
        "aws:cognito/userPoolDomain:UserPoolDomain",
        # A custom domain name of an API keeps its address, but its DNS records point to AWS's name for it.
        "aws:apigateway/domainName:DomainName",
        "aws:apigatewayv2/domainName:DomainName",
    }
)
"""Types of the resources that a stack with `deletionProtection` must not lose."""


def protect_irreplaceable() -> None:
    """Protect every resource of these types that the program declares after this call.

    Pulumi then refuses to delete or to replace the resource.
    """
    pulumi.runtime.register_stack_transformation(_protect)


def _protect(args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
    if args.type_ not in IRREPLACEABLE:
        return None
    opts = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(protect=True))
    return pulumi.ResourceTransformationResult(props=args.props, opts=opts)
