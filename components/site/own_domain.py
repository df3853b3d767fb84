"""The site's own domain: a certificate that AWS Certificate Manager (ACM) validates by DNS, and the DNS records."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import pulumi
import pulumi_aws as aws

from components.aws.owner import Owner

# CloudFront accepts only certificates of this region.
_CERTIFICATE_REGION: Final = "us-east-1"


@dataclass(frozen=True, kw_only=True)
class OwnDomain:
    """A domain name, and the Route 53 zone that contains it."""

    name: str
    """Domain name of the site, for example `orders.example.com`."""
    hosted_zone_id: str
    """Id of the public hosted zone in Route 53."""


def make_certificate(name: str, domain: OwnDomain, owner: Owner) -> pulumi.Output[str]:
    """Create the certificate and its validation record. Return the certificate's ARN after ACM has validated it."""
    certificate = aws.acm.Certificate(
        f"{name}-certificate",
        region=_CERTIFICATE_REGION,
        domain_name=domain.name,
        validation_method="DNS",
        tags=owner.tags(),
        opts=owner.opts(),
    )
    option = certificate.domain_validation_options[0]
    record = aws.route53.Record(
        f"{name}-certificate",
        zone_id=domain.hosted_zone_id,
        name=option.resource_record_name,
        type=option.resource_record_type,
        records=[option.resource_record_value],
        ttl=300,
        # Within an account, ACM uses one validation record for all certificates of a domain. If the record already
        # exists for another certificate, overwrite it with the same value.
        allow_overwrite=True,
        opts=owner.opts(),
    )
    return aws.acm.CertificateValidation(
        f"{name}-certificate",
        region=_CERTIFICATE_REGION,
        certificate_arn=certificate.arn,
        validation_record_fqdns=[record.fqdn],
        opts=owner.opts(),
    ).certificate_arn


def make_records(name: str, domain: OwnDomain, distribution: aws.cloudfront.Distribution, owner: Owner) -> None:
    """Create the DNS records of the domain, for IPv4 and IPv6."""
    for kind in ("A", "AAAA"):
        aws.route53.Record(
            f"{name}-{kind.lower()}",
            zone_id=domain.hosted_zone_id,
            name=domain.name,
            type=kind,
            aliases=[
                {
                    "name": distribution.domain_name,
                    "zone_id": distribution.hosted_zone_id,
                    "evaluate_target_health": False,
                }
            ],
            opts=owner.opts(),
        )
