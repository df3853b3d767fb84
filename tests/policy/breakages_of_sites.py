"""For each rule about the web site: changes that break the rule, and the resource that the rule must report."""

from __future__ import annotations

from typing import Any, Final

from aws_rules.sites import CERTIFICATE, RECORD
from tests.policy.stacks import Change, both, change, deleted_first, drop, plus, put

_SITE: Final = "site-distribution"
_DISTRIBUTION: Final = f"Distribution {_SITE}"
_TRANSPORT: Final = ("securityHeadersConfig", "strictTransportSecurity")


def _behavior(number: int, **fields: Any) -> Change:
    return change(_DISTRIBUTION, lambda props: props["orderedCacheBehaviors"][number].update(fields))


def _origin(origin_id: str, **fields: Any) -> Change:
    def alter(props: dict[str, Any]) -> None:
        (origin,) = [each for each in props["origins"] if each["originId"] == origin_id]
        origin.get("customOriginConfig", origin).update(fields)

    return change(_DISTRIBUTION, alter)


def _own_domain(certificate: dict[str, Any]) -> Change:
    return change(_DISTRIBUTION, lambda props: props.update(aliases=["a.example.com"], viewerCertificate=certificate))


def _certificate(**props: Any) -> Change:
    return plus(CERTIFICATE, {"domainName": "a.example.com", **props})


BREAKAGES: Final[dict[str, list[tuple[str, Change]]]] = {
    "distribution-is-enabled": [(_SITE, put(_DISTRIBUTION, "enabled", value=False))],
    "distribution-requires-https": [
        (_SITE, put(_DISTRIBUTION, "defaultCacheBehavior", "viewerProtocolPolicy", value="allow-all")),
        (_SITE, _behavior(1, viewerProtocolPolicy="allow-all")),
    ],
    "own-domain-requires-tls-1-2": [
        (_SITE, _own_domain({"acmCertificateArn": "arn:aws:acm:x", "minimumProtocolVersion": "TLSv1.1_2016"})),
        (_SITE, _own_domain({"acmCertificateArn": "arn:aws:acm:x"})),
        (_SITE, _own_domain({"minimumProtocolVersion": "TLSv1.2_2021"})),
    ],
    "distribution-calls-its-origins-over-tls-1-2": [
        (_SITE, _origin("rest-api", originProtocolPolicy="match-viewer")),
        (_SITE, _origin("http-api", originSslProtocols=["TLSv1.1", "TLSv1.2"])),
    ],
    "distribution-reads-buckets-with-access-control": [(_SITE, _origin("pages", originAccessControlId=""))],
    "distribution-has-a-default-root-object": [(_SITE, drop(_DISTRIBUTION, "defaultRootObject"))],
    "distribution-sends-security-headers": [
        (_SITE, drop(_DISTRIBUTION, "defaultCacheBehavior", "responseHeadersPolicyId")),
        (_SITE, _behavior(0, responseHeadersPolicyId="")),
    ],
    "headers-policy-enforces-https": [
        ("site-headers", drop("ResponseHeadersPolicy site-headers", *_TRANSPORT)),
        (
            "site-headers",
            put("ResponseHeadersPolicy site-headers", *_TRANSPORT, "accessControlMaxAgeSec", value=86_400),
        ),
        ("site-headers", put("ResponseHeadersPolicy site-headers", *_TRANSPORT, "includeSubdomains", value=False)),
    ],
    "certificate-serves-while-it-is-replaced": [("new", both(_certificate(), deleted_first("Certificate new")))],
    "certificate-is-publicly-logged": [
        ("new", _certificate(options={"certificateTransparencyLoggingPreference": "DISABLED"})),
    ],
    "certificate-has-no-wildcard": [
        ("new", _certificate(domainName="*.example.com")),
        ("new", _certificate(subjectAlternativeNames=["b.example.com", "*.b.example.com"])),
    ],
    "address-record-points-to-the-stack": [
        ("new", plus(RECORD, {"type": "A", "name": "a.example.com", "records": ["203.0.113.7"]})),
    ],
}
