"""Types of settings, which accept only values that AWS and browsers accept.

Each type has a description of its allowed values. The error messages of settings.py contain this description. Editors
show it too, because settings.schema.json contains it.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic_core import CoreSchema, core_schema

# Maximum lengths of the project's name and the stack's name, in characters. They keep the name of the analytics bucket
# within the 63 characters that S3 allows. This name consists of both names, the word `analytics`, the 12 digits of the
# account id, and hyphens. For all other resources, the names of projects and stacks could be longer.
LONGEST_PROJECT: Final = 23
LONGEST_STACK: Final = 16
# Names of projects and stacks must not contain these words. The domain of the sign-in page contains the names of the
# project and the stack, and Cognito refuses a domain with one of these words.
_RESERVED: Final = ("aws", "amazon", "cognito")
_NAME: Final = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LABEL: Final = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
_TOP_LEVEL_REST: Final = r"([a-z0-9-]{0,61}[a-z0-9])"
_HOST: Final = rf"{_LABEL}(\.{_LABEL})*"
_LONGEST_HOST: Final = 253
_PORT: Final = r":[1-9][0-9]{0,4}"
_LAST_PORT: Final = 65_535
_LOOPBACK: Final = r"(localhost|127\.0\.0\.1|\[::1\])"
# A sender address must not contain `$`. The IAM policy of send_email contains the address, and IAM would interpret
# `${...}` as a policy variable.
_ATOM: Final = r"[A-Za-z0-9!#%&'*+/=?^_`{|}~-]+"
_DOMAIN_LABEL: Final = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAIL: Final = rf"{_ATOM}(\.{_ATOM})*@({_DOMAIN_LABEL}\.)+[A-Za-z]([A-Za-z0-9-]{{0,61}}[A-Za-z0-9])"
_LONGEST_LOCAL_PART: Final = 64
_LONGEST_MAIL: Final = 320
# This pattern excludes the characters that RFC 3986 does not allow in a URI. It also excludes `#`, because Cognito
# allows no fragments in redirect URIs, and `*`, because redirect URIs cannot contain wildcards.
_URI_REST: Final = r"""[^\x00-\x20\x7f-\uffff#*"<>\\^`{|}]*"""
_LONGEST_URI: Final = 1024
# The redirect URI of an app must not have one of these schemes, because browsers process such URIs themselves, for
# example by showing a file or running a script.
_NO_APP: Final = ("about", "blob", "data", "file", "ftp", "javascript", "vbscript", "ws", "wss")
# CloudWatch Logs (PutRetentionPolicy) accepts only these retention periods.
RETENTION_DAYS: Final = (
    *(1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096),
    *(1827, 2192, 2557, 2922, 3288, 3653),
)


@dataclass(frozen=True)
class Rule:
    """A rule for strings: a regular expression, and a function that checks what the expression cannot express."""

    pattern: re.Pattern[str]
    allowed: str
    """Description of the allowed values, which follows `allowed: ` in error messages."""
    check: Callable[[str], bool] = bool

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.no_info_after_validator_function(self._checked, handler(source))

    def __get_pydantic_json_schema__(self, schema: CoreSchema, handler: GetJsonSchemaHandler) -> dict[str, Any]:
        pattern = f"^({self.pattern.pattern})$"
        return {**handler(schema), "pattern": pattern, "patternErrorMessage": f"allowed: {self.allowed}"}

    def _checked(self, value: str) -> str:
        if not self.pattern.fullmatch(value) or (value and not self.check(value)):
            raise ValueError(f"allowed: {self.allowed}")
        return value


def _distinct(values: list[str]) -> list[str]:
    twice = sorted({value for value in values if values.count(value) > 1})
    if twice:
        raise ValueError(f"got {', '.join(twice)} more than once; allowed: each entry once; remove the duplicates")
    return values


def _retention_days(value: int) -> int:
    if value not in RETENTION_DAYS:
        raise ValueError(f"allowed: one of {', '.join(map(str, RETENTION_DAYS))}")
    return value


def _is_name(value: str) -> bool:
    return not any(word in value for word in _RESERVED)


def _is_origin(value: str) -> bool:
    """Return whether browsers can send exactly `value` in the header `Origin`."""
    scheme, _, authority = value.partition("://")
    host, _, port = authority.partition("]:") if authority.startswith("[") else authority.partition(":")
    if port and (int(port) > _LAST_PORT or (scheme, port) in (("https", "443"), ("http", "80"))):
        return False
    host = host.strip("[]")
    if authority.startswith("["):
        return _is_address(host, ipaddress.IPv6Address)
    # If the last label of a host is a number, browsers interpret the host as an IPv4 address, and send all four numbers
    # of the address in the `Origin` header. An origin with a shorter form, for example http://127.1, would never match
    # this header.
    if host.rpartition(".")[2].isdecimal():
        return _is_address(host, ipaddress.IPv4Address)
    return len(host) <= _LONGEST_HOST


def _is_address(text: str, kind: type[ipaddress.IPv4Address | ipaddress.IPv6Address]) -> bool:
    try:
        return str(kind(text)) == text
    except ValueError:
        return False


def _is_redirect(value: str) -> bool:
    scheme, _, rest = value.partition("://")
    port = re.match(rf"[^/?]*?({_PORT})?([/?]|$)", rest)
    fits = not (port and port[1]) or int(port[1][1:]) <= _LAST_PORT
    return len(value) <= _LONGEST_URI and fits and scheme not in _NO_APP


def _is_mail(value: str) -> bool:
    local, _, domain = value.rpartition("@")
    return len(local) <= _LONGEST_LOCAL_PART and len(value) <= _LONGEST_MAIL and len(domain) <= _LONGEST_HOST


_NAME_RULE: Final = (
    "lower-case letters, digits and single hyphens, starting with a letter, at most {} characters, "
    f"without {', '.join(_RESERVED[:-1])} and {_RESERVED[-1]}, which Cognito refuses in a domain; choose another name"
)
ProjectName = Annotated[
    str,
    Rule(_NAME, _NAME_RULE.format(LONGEST_PROJECT), lambda value: _is_name(value) and len(value) <= LONGEST_PROJECT),
]
StackName = Annotated[
    str, Rule(_NAME, _NAME_RULE.format(LONGEST_STACK), lambda value: _is_name(value) and len(value) <= LONGEST_STACK)
]
# The name of an AWS region consists of an area, a direction and a number. The pattern checks only these parts, so it
# also matches future regions. It does not match regions of other partitions, whose names have other prefixes, such as
# cn-north-1, us-gov-west-1 and eusc-de-east-1.
Region = Annotated[
    str,
    Rule(
        re.compile(r"(?!cn-)[a-z]{2}-(north|south|east|west|central|northeast|northwest|southeast|southwest)-[1-9]"),
        "a region of the AWS partition `aws`, such as ap-northeast-1; China, GovCloud, the European Sovereign Cloud "
        "and ISO regions have other ARNs and domains, which this program does not support",
    ),
]
Origin = Annotated[
    str,
    Rule(
        re.compile(rf"https://({_HOST}|\[[0-9a-f:.]+\])({_PORT})?|http://{_LOOPBACK}({_PORT})?"),
        "an origin as browsers send it: https://HOST or http://localhost, with :PORT if the port is not the default, "
        "in lower case (other alphabets in Punycode), without a path, a trailing slash or *",
        _is_origin,
    ),
]
RedirectUri = Annotated[
    str,
    Rule(
        re.compile(
            rf"https://([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])({_PORT})?([/?]{_URI_REST})?"
            rf"|http://{_LOOPBACK}({_PORT})?([/?]{_URI_REST})?|(?!https?:)[a-z][a-z0-9+.-]*://{_URI_REST}"
        ),
        f"an exact URL of at most {_LONGEST_URI} ASCII characters that starts with https://, http://localhost or "
        "the scheme of an app such as myapp://, without # or *",
        _is_redirect,
    ),
]
MailAddress = Annotated[
    str,
    Rule(
        re.compile(_MAIL),
        "an ASCII email address without a display name, such as orders@example.com, with at most "
        f"{_LONGEST_LOCAL_PART} characters before the @ (a domain in another alphabet in Punycode)",
        _is_mail,
    ),
]
OptionalMailAddress = Annotated[
    str, Rule(re.compile(rf"({_MAIL})?"), 'an ASCII email address such as ops@example.com, or ""', _is_mail)
]
Reason = Annotated[
    str, Rule(re.compile(r"[^\x00-\x1f\x7f]{0,200}"), 'a reason in one line of at most 200 characters, or ""')
]
OptionalDomain = Annotated[
    str,
    Rule(
        re.compile(rf"({_LABEL}(\.{_LABEL})*\.[a-z]{_TOP_LEVEL_REST})?"),
        'a domain name in lower case such as shop.example.com (other alphabets in Punycode), without https://, or ""',
        lambda value: len(value) <= _LONGEST_HOST,
    ),
]
OptionalHostedZone = Annotated[
    str, Rule(re.compile(r"(Z[A-Z0-9]{1,31})?"), 'the id of a hosted zone such as Z0123456789ABCDEFGHIJ, or ""')
]
Origins = Annotated[
    list[Origin], Field(min_length=1, json_schema_extra={"uniqueItems": True}), AfterValidator(_distinct)
]
# CreateUserPoolClient accepts at most 100 URLs in CallbackURLs and at most 100 URLs in LogoutURLs.
RedirectUris = Annotated[
    list[RedirectUri],
    Field(min_length=1, max_length=100, json_schema_extra={"uniqueItems": True}),
    AfterValidator(_distinct),
]
RetentionDays = Annotated[int, Field(json_schema_extra={"enum": list(RETENTION_DAYS)}), AfterValidator(_retention_days)]
