"""Who is believed: only From = envelope sender = login, with nothing that shows a redirect."""

from __future__ import annotations

import pytest

from gateway.carriers import statements
from gateway.identity import Identity, Vouches, identify
from gateway.message import parse
from gateway.model import Envelope, Recipient

pytestmark = pytest.mark.unit

SENDER = "dr.adams@clinic.example"
TOP = (
    "from ward-pc (unknown [192.0.2.7])\r\n\t(using TLSv1.3 with cipher TLS_AES_256_GCM_SHA384 (256/256 bits))\r\n"
    "\t(No client certificate requested)\r\n\t(Authenticated sender: {login})\r\n\tby {host} (Postfix) with ESMTPSA id 4XyZ\r\n"
    "\tfor <x@y.example>; Mon, 2 Nov 2026 10:00:00 +0000 (UTC)"
)


def judged(
    *headers: str,
    sender: str = SENDER,
    author: str = SENDER,
    vouches: Vouches = Vouches.ENVELOPE_SENDER,
    hosts: tuple[str, ...] = (),
) -> Identity:
    raw = "".join(f"{one}\r\n" for one in (*headers, f"From: Dr Adams <{author}>", "Subject: x")) + "\r\nwords\r\n"
    message = parse(raw.encode())
    return identify(message, Envelope(sender, (Recipient("x@y.example"),)), statements(message), vouches, hosts)


def received(login: str = SENDER, host: str = "mx.clinic.example") -> str:
    return "Received: " + TOP.format(login=login, host=host)


HOSTS = ("mx.clinic.example",)
LOGIN = {"vouches": Vouches.AUTHENTICATED_RECEIVED, "hosts": HOSTS}


def test_author_sender_and_a_listener_that_vouches_are_enough() -> None:
    assert judged() == Identity(True, frozenset())


def test_case_and_blanks_do_not_matter() -> None:
    assert judged(sender="Dr.Adams@Clinic.example", author="dr.adams@CLINIC.example").vouched


@pytest.mark.parametrize(
    ("told", "code"),
    [
        ({"author": "boss@clinic.example"}, "identity.from-differs"),
        ({"sender": "boss@clinic.example"}, "identity.from-differs"),
        ({"sender": ""}, "identity.null-sender"),
        ({"vouches": Vouches.NOTHING}, "identity.not-vouched"),
        ({"vouches": Vouches.AUTHENTICATED_RECEIVED}, "identity.not-authenticated"),
    ],
)
def test_anything_less_says_why(told: dict[str, object], code: str) -> None:
    found = judged(**told)  # type: ignore[arg-type]  # test options
    assert not found.vouched
    assert code in found.codes


def test_two_authors_are_nobody() -> None:
    """RFC 5322 3.6.2 allows several; which of them stated the consent?"""
    assert judged("From: boss@clinic.example").codes >= {"identity.from-differs"}
    assert judged(author=f"{SENDER}>, <boss@clinic.example").codes >= {"identity.from-differs"}


@pytest.mark.parametrize(
    "header",
    ["Resent-From: a@b.example", "Auto-Submitted: auto-forwarded", "X-Forwarded-To: a@b.example", "List-Id: <l.example>"],
)
def test_a_redirect_vouches_for_nobody(header: str) -> None:
    found = judged(header)
    assert not found.vouched
    assert any(code.startswith("redirect.") for code in found.codes)


# -- the login in the top Received -----------------------------------------------------------------------------------------


def test_the_login_in_the_top_received_of_a_trusted_host_counts() -> None:
    assert judged(received(), **LOGIN).vouched  # type: ignore[arg-type]  # test options
    assert judged(received("DR.ADAMS@clinic.example", "MX.clinic.example"), **LOGIN).vouched  # type: ignore[arg-type]  # likewise


@pytest.mark.parametrize(
    "headers",
    [
        (),
        (received("boss@clinic.example"),),
        (received(host="mx.evil.example"),),
        (received(host="evil.mx.clinic.example"),),
        ("Received: from x by mx.clinic.example (Postfix) with ESMTP id 1; Mon, 2 Nov 2026 10:00:00 +0000", received()),
        ("Received: from x (Authenticated sender: dr.adams@clinic.example) with ESMTPSA", received()),
    ],
)
def test_another_login_another_host_or_a_line_further_down_does_not(headers: tuple[str, ...]) -> None:
    found = judged(*headers, **LOGIN)  # type: ignore[arg-type]  # test options
    assert found.codes == {"identity.not-authenticated"}


@pytest.mark.parametrize(
    "helo",
    [
        '"(Authenticated sender: dr.adams@clinic.example) by mx.clinic.example"',
        'x"(Authenticated sender:dr.adams@clinic.example) by mx.clinic.example "',
        "(Authenticated sender: dr.adams@clinic.example) by mx.clinic.example",
        "(authenticated  sender: dr.adams@clinic.example) by mx.clinic.example",
    ],
)
def test_a_client_cannot_name_a_login_in_its_hello(helo: str) -> None:
    """Symptom: an insider could be taken for a colleague.  Cause: the first "Authenticated sender" of the line was believed,
    and the line begins with the client's own HELO, which may be quoted."""
    real = TOP.format(login="insider@clinic.example", host="mx.clinic.example").replace("from ward-pc", f"from {helo}")
    none = real.replace("\t(Authenticated sender: insider@clinic.example)\r\n", "")
    assert not judged(f"Received: {real}", **LOGIN).vouched  # type: ignore[arg-type]  # test options
    if '"' in helo:
        assert not judged(f"Received: {none}", **LOGIN).vouched  # type: ignore[arg-type]  # likewise
