"""Creates requests that the APIs must reject: their tokens are malformed, forged, expired or in the wrong place."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal, cast

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import padding, rsa

Use = Literal["id", "access"]
_ENCODING: Final = serialization.Encoding
_PUBLIC: Final = serialization.PublicFormat.SubjectPublicKeyInfo


@dataclass(frozen=True)
class Sent:
    """The headers and query with which a token is sent, and the statuses that the API may return."""

    headers: Mapping[str, str]
    query: str = ""
    """The query string, including its question mark."""
    statuses: tuple[int, ...] = (401,)


@dataclass(frozen=True)
class Forge:
    """Signs tokens with a key of the user pool `pool`. The emulator stores the keys as files in `directory`.

    `use` says whether the key is for ID tokens or for access tokens.
    """

    directory: Path
    pool: str
    use: Use

    @property
    def key(self) -> rsa.RSAPrivateKey:
        """The private key with which the pool signs ID tokens or access tokens (`use`)."""
        pem = (self.directory / f"{self.pool}-{self.use}.pem").read_bytes()
        return cast("rsa.RSAPrivateKey", serialization.load_pem_private_key(pem, password=None))

    def signed(self, claims: Mapping[str, Any]) -> str:
        """Return a token with `claims` and a valid signature of the pool."""
        return sign({"alg": "RS256", "kid": kid_of(self.key)}, claims, self.key)


def kid_of(key: rsa.RSAPrivateKey) -> str:
    """Return the key id (`kid`) that the pool gives to a key."""
    public = key.public_key().public_bytes(_ENCODING.DER, _PUBLIC)
    return base64.b64encode(hashlib.sha256(public).digest()).decode()


def sign(header: Mapping[str, Any], claims: Mapping[str, Any], key: rsa.RSAPrivateKey) -> str:
    """Return a token with `header` and `claims`, signed with `key` and RS256."""
    content = f"{encoded(header)}.{encoded(claims)}"
    return f"{content}.{_base64(key.sign(content.encode(), padding.PKCS1v15(), hashes.SHA256()))}"


def parsed(token: str) -> tuple[dict[str, Any], dict[str, Any], str]:
    """Return the header, the claims and the signature of a token."""
    head, body, signature = token.split(".")
    return json.loads(_decoded(head)), json.loads(_decoded(body)), signature


def encoded(value: Any) -> str:
    """Return a value as JSON in base64url."""
    return _base64(json.dumps(value).encode())


def shapeless(right: str) -> dict[str, Sent]:
    """Return {name: request} for requests without a token or with a malformed token. `right` is a valid token."""
    head, body, signature = right.split(".")
    values = {
        "empty": "",
        "Bearer alone": "Bearer",
        "Bearer and a blank": "Bearer ",
        "garbage": "not-a-token",
        "not a JWT": "Bearer a.b.c",
        "null": "Bearer null",
        "two parts": f"Bearer {head}.{body}",
        "four parts": f"Bearer {right}.{signature}",
        "claims alone": f"Bearer {body}",
        "claims are null": f"Bearer {head}.{encoded(None)}.{signature}",
        "claims are a list": f"Bearer {head}.{encoded([parsed(right)[1]])}.{signature}",
        "header is a list": f"Bearer {encoded([])}.{body}.{signature}",
        "not ASCII": "Bearer \xe9.\xe9.\xe9",
        "very long": "Bearer " + "a" * 7000,
        "Bearer twice": f"Bearer Bearer {right}",
        "Bearer after the token": f"{right} Bearer",
        "in quotes": f'Bearer "{right}"',
        "two tokens": f"Bearer {right}, Bearer {right}",
        "Basic": f"Basic {base64.b64encode(b'admin:admin').decode()}",
        "Basic and the token": f"Basic {right}",
        "Token": f"Token {right}",
    }
    return {"none": Sent({}), **{name: Sent({"Authorization": value}) for name, value in values.items()}}


def misplaced(right: str) -> dict[str, Sent]:
    """Return {name: request} for requests with the valid token `right` in places where the APIs must ignore it."""
    headers = ("X-Authorization", "X-Access-Token", "X-Amz-Security-Token", "X-Api-Key", "Proxy-Authorization", "Token")
    queries = ("Authorization", "authorization", "access_token", "id_token", "token")
    return {
        **{f"in header {name}": Sent({name: f"Bearer {right}"}) for name in headers},
        **{f"in query {name}": Sent({}, f"?{name}={right}") for name in queries},
        "in a cookie": Sent({"Cookie": f"Authorization=Bearer {right}; token={right}"}),
    }


def tampered(right: str, foreign: str, forge: Forge) -> dict[str, Sent]:
    """Return {name: request} for requests with tokens that an attacker can create without the pool's private key.

    Some tokens are changed versions of the valid token `right`. `foreign` is a valid token of another user. `forge`
    provides the pool's public key.
    """
    header, claims, signature = parsed(right)
    head, body, _ = right.split(".")
    other = forge_key()
    flipped = ("A" if signature[20] != "A" else "B").join((signature[:20], signature[21:]))
    tokens = {
        "no signature": f"{head}.{body}.",
        "half a signature": f"{head}.{body}.{signature[: len(signature) // 2]}",
        "another signature": f"{head}.{body}.{foreign.split('.')[2]}",
        "one character of the signature changed": f"{head}.{body}.{flipped}",
        "claims of another token": f"{head}.{foreign.split('.')[1]}.{signature}",
        **{
            f"changed {name}": f"{head}.{encoded({**claims, name: value})}.{signature}"
            for name, value in _changes(claims).items()
        },
        **{
            f"algorithm {name}": f"{encoded({**header, 'alg': name})}.{body}.{given}"
            for name, given in (("none", ""), ("None", ""), ("NONE", ""), ("nOnE", "x"))
        },
        "algorithm none without kid": f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{body}.",
        **{f"HS256 with the public key as {name}": _hs256(header, body, key) for name, key in _public(forge).items()},
        "unknown kid": sign({**header, "kid": "unknown"}, claims, other),
        "no kid": sign({"alg": "RS256"}, claims, other),
        "kid is a path": sign({**header, "kid": "../../../dev/null"}, claims, other),
        "signed with another key": sign(header, claims, other),
        "the attacker's key in the header": sign({**header, "jwk": _jwk(other), "kid": kid_of(other)}, claims, other),
        "URL of the attacker's keys": sign({**header, "jku": "http://127.0.0.1:9/keys", "kid": "x"}, claims, other),
    }
    return _bearers(tokens)


def signed_but_wrong(claims: Mapping[str, Any], forge: Forge, audience: str) -> dict[str, Sent]:
    """Return {name: request} for tokens with a valid signature of the pool, but a wrong time, issuer or audience.

    `claims` are those of a valid token. `audience` is the name of the claim that contains the id of the app client.
    """
    now, issuer = int(time.time()), claims["iss"]
    wrong: dict[str, Mapping[str, Any]] = {
        "expired": {"iat": now - 3600, "exp": now - 1},
        "expired long ago": {"iat": now - 10**8, "exp": now - 10**7},
        "not valid yet": {"nbf": now + 600},
        "issued in the future": {"iat": now + 600},
        "issuer of another pool": {"iss": f"{issuer[:-4]}AAAA"},
        "issuer with a slash": {"iss": f"{issuer}/"},
        "issuer of another scheme": {"iss": issuer.replace("https:", "http:")},
        "issuer of another host": {"iss": issuer.replace(".amazonaws.com", ".amazonaws.com.example.com")},
        "no issuer": {"iss": None},
        "another audience": {audience: "anotherclient"},
        "audience with a suffix": {audience: f"{claims[audience]}x"},
        "no audience": {audience: None},
    }
    tokens = {
        name: forge.signed({key: value for key, value in {**claims, **change}.items() if value is not None})
        for name, change in wrong.items()
    }
    return _bearers(tokens)


def _bearers(tokens: Mapping[str, str]) -> dict[str, Sent]:
    return {name: Sent({"Authorization": f"Bearer {token}"}) for name, token in tokens.items()}


def forge_key() -> rsa.RSAPrivateKey:
    """Return a new key that the pool doesn't know."""
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _changes(claims: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sub": "00000000-0000-0000-0000-000000000000",
        "cognito:groups": [*claims.get("cognito:groups", []), "admin"],
        "exp": claims["exp"] + 10**6,
        "token_use": "id" if claims["token_use"] == "access" else "access",
        "scope": "email openid aws.cognito.signin.user.admin",
        "iss": f"{claims['iss']}x",
        "email": "somebody@example.com",
    }


def _public(forge: Forge) -> dict[str, bytes]:
    key = forge.key.public_key()
    return {
        "PEM": key.public_bytes(_ENCODING.PEM, _PUBLIC),
        "DER": key.public_bytes(_ENCODING.DER, _PUBLIC),
        "modulus": _jwk(forge.key)["n"].encode(),
    }


def _hs256(header: Mapping[str, Any], body: str, key: bytes) -> str:
    content = f"{encoded({**header, 'alg': 'HS256'})}.{body}"
    return f"{content}.{_base64(hmac.new(key, content.encode(), hashlib.sha256).digest())}"


def _jwk(key: rsa.RSAPrivateKey) -> dict[str, str]:
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA", "alg": "RS256", "use": "sig", "n": _base64(numbers.n.to_bytes(256)), "e": "AQAB"}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(part: str) -> bytes:
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
