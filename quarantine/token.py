"""Release tokens: what the quarantine service may ask of the gateway, as one signed ESMTP value (RFC 5321 4.1.2).

``base64url(JSON).base64url(HMAC-SHA256)``, no padding ("=" may not stand in an esmtp-value).  The payload: {release, hold, ref,
recipients, accepted, statement, envelope, identity, exp}.  Gateway and service share the key; the socket is private besides.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

PARAMETER = "CLINIGATE-RELEASE"
_LABEL = b"clinigate-release-v1\x00"  # the same key used elsewhere would not make a release


class BadToken(Exception):
    """Not a token of ours, changed, or too old.  The text says which and nothing of the payload."""


def sign(payload: Mapping[str, Any], key: bytes) -> str:
    """The token for a payload; ``payload["exp"]`` is the POSIX time after which nobody takes it."""
    body = _encode(json.dumps(payload, separators=(",", ":"), sort_keys=True).encode("utf-8"))
    return f"{body}.{_encode(_mac(body, key))}"


def verify(token: str, key: bytes, now: float) -> dict[str, Any]:
    """The payload of a genuine token.  Raises ``BadToken``."""
    body, dot, mac = token.partition(".")
    try:
        given = _decode(mac)
    except (ValueError, binascii.Error):
        raise BadToken("the release token is malformed") from None
    if not dot or not hmac.compare_digest(given, _mac(body, key)) or _encode(given) != mac:
        raise BadToken("the release token was not signed with our key")
    payload = json.loads(_decode(body))  # signed by us, hence well-formed
    if not isinstance(payload, dict) or not isinstance(payload.get("exp"), int | float):
        raise BadToken("the release token has no end")
    if now > payload["exp"]:
        raise BadToken("the release token is too old")
    return payload


def _mac(body: str, key: bytes) -> bytes:
    return hmac.new(key, _LABEL + body.encode("utf-8", "surrogatepass"), hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def _decode(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
