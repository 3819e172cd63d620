"""Delivery reports about mail whose Message-ID is as long as Exchange writes it."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from quarantine.notices.dsn import Action, report
from quarantine.notices.wording import load
from tests.support.noticeworld import LEE, NOW, SETTINGS, line, meta

pytestmark = pytest.mark.unit

TEMPLATES = load()


@pytest.mark.parametrize("length", [40, 60, 75, 200, 480])
@pytest.mark.parametrize("action", ["failed", "delayed", "relayed"])
def test_a_long_message_id_does_not_stop_the_report(length: int, action: Action) -> None:
    """Symptom: no failure report was ever written about mail from Exchange; its row stayed in the outbox for ever.

    Cause: the returned header was to be coded as quoted-printable when a line passed 76 columns, under an email policy without a
    line length, where the library raises TypeError.  Analysis: header lines may have 998 characters (RFC 5322 2.1.1); they stand
    as they are.
    """
    state = {"failed": "failed", "delayed": "deferred", "relayed": "delivered"}[action]
    one = line(LEE, state=state, notify="SUCCESS,FAILURE,DELAY", code="5.1.1")
    identity = f"<{'m' * length}@eurprd04.prod.outlook.example>"
    got = report([meta(one, message_id=identity)], action, NOW, SETTINGS, TEMPLATES)
    assert got is not None
    *_, headers = message_from_bytes(got[1], policy=policy.default).iter_parts()  # type: ignore[attr-defined]  # an EmailMessage
    assert identity[:400] in headers.get_content()
