"""A held mail to as many people as the configuration allows can be released: the token that names them all is taken."""

from __future__ import annotations

import pytest

from gateway.config import Limits
from gateway.smtp import RELEASE_COMMAND_LIMIT
from quarantine.token import PARAMETER, sign

pytestmark = pytest.mark.unit


def test_the_command_of_a_release_has_room_for_everybody() -> None:
    """The most recipients of one message, with the longest addresses (RFC 5321 4.5.3.1) and ORCPT (RFC 3461 4.2)."""
    address = "a" * 64 + "@" + ".".join(["b" * 63] * 3)
    most = next(one.le for one in Limits.model_fields["recipients"].metadata if hasattr(one, "le"))
    people = [{"address": address, "notify": "SUCCESS,FAILURE,DELAY", "orcpt": "rfc822;" + "c" * 493}] * most
    payload = {
        "release": "0" * 34, "hold": "0" * 32, "recipients": [address] * most, "envelope": {"recipients": people},
        "uncertain": [address] * most, "statement": "x" * 1000, "exp": 1.0,
    }  # fmt: skip
    assert len(f"MAIL FROM:<> {PARAMETER}={sign(payload, b'k' * 32)}\r\n") < RELEASE_COMMAND_LIMIT
