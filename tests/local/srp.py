"""The client side of Cognito's SRP sign-in. The client proves that it knows the password without sending it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from datetime import UTC, datetime
from typing import Any, Final

from emulator_fixes import internal

_cognito: Any = internal("services.cognito")
_N: Final[int] = _cognito._SRP_N
_G: Final[int] = _cognito._SRP_G


class Proof:
    """The client's values for one sign-in. `a` is the public value that the client sends as SRP_A."""

    def __init__(self) -> None:
        self._secret = secrets.randbelow(_N)
        self._public = pow(_G, self._secret, _N)
        self.a = format(self._public, "x")

    def answer(self, pool_id: str, challenge: dict[str, str], username: str, password: str) -> dict[str, str]:
        """Return the ChallengeResponses for a PASSWORD_VERIFIER challenge.

        `username` is the name that the user typed.
        """
        prefix, user_id = pool_id.partition("_")[2], challenge["USER_ID_FOR_SRP"]
        b, salt = int(challenge["SRP_B"], 16), int(challenge["SALT"], 16)
        u = _digest(_pad(self._public), _pad(b))
        x = _digest(_pad(salt), hashlib.sha256(f"{prefix}{user_id}:{password}".encode()).digest())
        shared = pow(b - _digest(_pad(_N), _pad(_G)) * pow(_G, x, _N), self._secret + u * x, _N)
        extracted = hmac.digest(_pad(u), _pad(shared), "sha256")
        key = hmac.digest(extracted, b"Caldera Derived Key\x01", "sha256")[:16]
        now = datetime.now(UTC)
        timestamp = f"{now:%a %b} {now.day} {now:%H:%M:%S} UTC {now.year}"
        block = base64.b64decode(challenge["SECRET_BLOCK"])
        signature = hmac.digest(key, f"{prefix}{user_id}".encode() + block + timestamp.encode(), "sha256")
        return {
            "USERNAME": username,
            "PASSWORD_CLAIM_SECRET_BLOCK": challenge["SECRET_BLOCK"],
            "PASSWORD_CLAIM_SIGNATURE": base64.b64encode(signature).decode(),
            "TIMESTAMP": timestamp,
        }


def _pad(number: int) -> bytes:
    """Return `number` as big-endian bytes whose first bit is 0. Cognito hashes numbers in this form."""
    return number.to_bytes(number.bit_length() // 8 + 1, "big")


def _digest(*parts: bytes) -> int:
    return int.from_bytes(hashlib.sha256(b"".join(parts)).digest(), "big")
