"""Delivery status notifications: RFC 3464 as the stdlib parser reads it, NOTIFY obeyed, nothing of the email given back."""

from __future__ import annotations

from email import message_from_bytes, policy
from email.message import EmailMessage, Message
from typing import Any

import pytest

from quarantine.notices.dsn import Action, report, unxtext
from quarantine.notices.wording import load
from tests.support.noticeworld import CHEN, LEE, MESSAGE_ID, NOW, PATIENT, SENDER, SETTINGS, asked, line, meta

pytestmark = pytest.mark.unit

TEMPLATES = load()


def failed(address: str = LEE, **more: Any) -> dict[str, Any]:
    return line(address, **{"state": "failed", "code": "550 5.1.1", **more})


def made(*lines: dict[str, Any], action: Action = "failed", **more: Any) -> EmailMessage | None:
    got = report([meta(*lines, **more)], action, NOW, SETTINGS, TEMPLATES)
    if got is None:
        return None
    assert got[0] == SENDER
    parsed = message_from_bytes(got[1], policy=policy.default)
    assert isinstance(parsed, EmailMessage)
    return parsed


def parts(message: EmailMessage | None) -> tuple[str, list[Message], str]:
    """(text, blocks of the delivery status, returned headers)."""
    assert message is not None
    text, status, headers = message.iter_parts()
    assert status.get_content_type() == "message/delivery-status"
    assert headers.get_content_type() == "text/rfc822-headers"
    return text.get_content(), list(status.iter_parts()), headers.get_content()


def test_shape() -> None:
    """multipart/report with text, message/delivery-status and text/rfc822-headers (RFC 3462, RFC 3464 2)."""
    message = made(failed(orcpt="rfc822;dr.lee+2Bx@royal-example.nhs.uk"), envid="QQ+3D314")
    assert message is not None
    assert message.get_content_type() == "multipart/report"
    assert message.get_param("report-type") == "delivery-status"
    assert not message.defects
    text, (about, one), headers = parts(message)
    assert f"- {LEE} (550 5.1.1)" in text
    assert about["Reporting-MTA"] == "dns; example.nhs.uk"
    assert about["Original-Envelope-Id"] == "QQ=314"
    assert one["Original-Recipient"] == "rfc822; dr.lee+x@royal-example.nhs.uk"
    assert one["Final-Recipient"] == f"rfc822; {LEE}"
    assert one["Action"] == "failed"
    assert one["Status"] == "5.1.1"
    assert one["Diagnostic-Code"] == "smtp; 550"
    assert headers.splitlines() == [f"Message-ID: {MESSAGE_ID}"]


def test_manners() -> None:
    """Automatic, threaded, 7bit, short lines, CRLF only."""
    got = report([meta(failed())], "failed", NOW, SETTINGS, TEMPLATES)
    assert got is not None
    message = message_from_bytes(got[1], policy=policy.default)
    assert message["Auto-Submitted"] == "auto-replied"
    assert message["In-Reply-To"] == MESSAGE_ID
    assert got[1].isascii() and b"\n" not in got[1].replace(b"\r\n", b"")
    assert max(map(len, got[1].split(b"\r\n"))) <= 76


@pytest.mark.parametrize(
    ("notify", "action", "told"),
    [
        (None, "failed", True), ("FAILURE", "failed", True), ("SUCCESS,FAILURE", "failed", True), ("failure", "failed", True),
        ("NEVER", "failed", False), ("never", "failed", False), ("NEVER,FAILURE", "failed", False),
        ("SUCCESS", "failed", False), ("DELAY", "failed", False),
        (None, "delayed", True), ("DELAY", "delayed", True), ("FAILURE", "delayed", False), ("NEVER", "delayed", False),
        (None, "relayed", False), ("SUCCESS", "relayed", True), ("FAILURE", "relayed", False), ("NEVER", "relayed", False),
    ],
)  # fmt: skip
def test_notify_is_obeyed(notify: str | None, action: Action, told: bool) -> None:
    """RFC 3461 4.1, NEVER above all."""
    state = {"failed": "failed", "delayed": "deferred", "relayed": "delivered"}[action]
    message = made(line(LEE, state, notify=notify), action=action)
    assert (message is not None) is told
    if told:
        assert parts(message)[1][1]["Action"] == action


def test_never_for_one_of_two() -> None:
    """Only those who may be told of are told of."""
    text, blocks, _ = parts(made(failed(notify="NEVER"), failed(CHEN)))
    assert LEE not in text and len(blocks) == 2
    assert blocks[1]["Final-Recipient"] == f"rfc822; {CHEN}"


def test_null_sender_gets_none() -> None:
    """RFC 5321 4.5.5."""
    assert made(failed(), sender="") is None


def test_nothing_failed_nothing_said() -> None:
    """No report without a recipient to report."""
    assert made(asked()) is None


def test_only_recipients_of_the_hold_in_question() -> None:
    """A later failure of a release does not report again what was reported before."""
    got = report([meta(failed(), failed(CHEN, hold="h1"))], "failed", NOW, SETTINGS, TEMPLATES, holds={"h1"})
    assert got is not None and CHEN.encode() in got[1] and LEE.encode() not in got[1]


def test_nothing_of_the_email_is_given_back() -> None:
    """RET=FULL or not: no subject, no To, no canary."""
    outcome = meta(failed(), envid="x")
    outcome["envelope"]["ret"] = "FULL"
    got = report([outcome], "failed", NOW, SETTINGS, TEMPLATES)
    assert got is not None and b"CANARY" not in got[1]
    assert b"Subject" not in got[1].partition(b"\r\n\r\n")[2]


def test_patients_address_is_withheld() -> None:
    """Not even here is a patient's address repeated."""
    got = report([meta(failed(PATIENT, cls="C", orcpt=f"rfc822;{PATIENT}"))], "failed", NOW, SETTINGS, TEMPLATES)
    assert got is not None and b"mailbox.example" not in got[1]
    assert b"Final-Recipient: unknown; withheld" in got[1] and b"Original-Recipient" not in got[1]
    assert b"the patient's address" in got[1]


@pytest.mark.parametrize("code", ["550 sorry CANARYTEXT <mary@x.example>", "550"])
def test_text_of_the_answer_is_not_repeated(code: str) -> None:
    """Only codes of the next hop's answer go into the fields."""
    _, blocks, _ = parts(made(failed(code=code.split()[0])))
    assert blocks[1]["Diagnostic-Code"] == "smtp; 550" and blocks[1]["Status"] == "5.0.0"
    assert unxtext("a+0D+0ABcc: x") == "a+0D+0ABcc: x"


@pytest.mark.parametrize("bad", ["a+0D+0AX-Evil: 1", "a\r\nX-Evil: 1"])
def test_parameters_cannot_start_a_field(bad: str) -> None:
    """ENVID and ORCPT come from a stranger."""
    _, (about, one), _ = parts(made(failed(orcpt=f"rfc822;{bad}"), envid=bad))
    assert about["X-Evil"] is None and one["X-Evil"] is None


def test_international_recipient() -> None:
    """RFC 6533: utf-8 address type, escaped, still 7bit."""
    got = report([meta(failed("müller@x.example"))], "failed", NOW, SETTINGS, TEMPLATES)
    assert got is not None and b"Final-Recipient: utf-8; m\\x{FC}ller@x.example" in got[1]
