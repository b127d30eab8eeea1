"""Passwords and tokens of the practice pair: made per pair, kept as scrypt hashes where they are checked."""

import base64
import hashlib
import hmac
import secrets

_COST, _BLOCK, _LANES = 2**13, 8, 1


def make() -> str:
    """A new random password or token, of letters and digits only, so that it can be typed."""
    return secrets.token_hex(16)


def hashed(password: str) -> str:
    """The password's scrypt hash with its salt, as one word."""
    salt = secrets.token_bytes(16)
    return f"scrypt${base64.b64encode(salt).decode()}${base64.b64encode(_digest(password, salt)).decode()}"


def verify(password: str, stored: str) -> bool:
    """Whether `password` is the one `stored` was made from. Takes the same time either way."""
    kind, salt, digest = stored.split("$")
    if kind != "scrypt":
        raise ValueError(f"unknown password hash {kind!r}")
    return hmac.compare_digest(_digest(password, base64.b64decode(salt)), base64.b64decode(digest))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_COST, r=_BLOCK, p=_LANES)
