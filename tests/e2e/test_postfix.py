"""Real Postfix on both sides and over both links: what is sent lands once, clean or untouched, whatever is down meanwhile."""

from __future__ import annotations

import re
import subprocess
import uuid
from collections.abc import Iterator

import pytest

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, SENDER, STRANGER
from tests.support.installation import until
from tests.support.postfix import Sasl
from tests.support.postfix_site import (
    CHEN,
    LMTP,
    SMTP_,
    Site,
    around,
    identity,
    mail,
    pictures,
    pixels,
    states,
    unchanged,
)

pytestmark = pytest.mark.e2e

both = pytest.mark.parametrize("site", [LMTP, SMTP_], indirect=True)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    with around(request.param) as made:
        yield made


# -- both links ---------------------------------------------------------------------------------------------------------


@both
def test_plain_mail_lands_byte_for_byte(site: Site) -> None:
    """P3: an image-free mail changes by its Received lines only, very long lines, odd spacing and bare addresses included."""
    message = mail("Clinic   on Thursday")
    body = b"A line.\r\n" + b"x" * 5000 + b"\r\n..dots\r\n\r\n\ttab \t\r\nend without more\r\n"
    data = message.as_bytes().partition(b"\r\n\r\n")[0] + b"\r\nCc: bare\r\nX-Odd:   spaced \t\r\n\tfolded\r\n\r\n" + body
    site.submit(data, [STRANGER])
    unchanged(site.lands(identity(message), STRANGER), data)


@both
def test_swaks_submits_with_a_login_and_the_queue_id_is_the_key(site: Site) -> None:
    """The journal names the message as Postfix's log does (XFORWARD IDENT), so that one can be followed through both."""
    marker = f"{uuid.uuid4().hex}@clinic.example"
    done = subprocess.run(
        ["swaks", "--server", f"127.0.0.1:{site.mta.ports[587]}", "--tls", "--auth", "PLAIN", "--auth-user", SENDER,
         "--auth-password", Sasl.PASSWORD, "--from", SENDER, "--to", STRANGER, "--header", f"Message-Id: <{marker}>"],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    site.lands(marker, STRANGER)
    event = site.event(site.queue_id(marker))
    assert (event["listener"], event["recipients"][0]["code"]) == ("submitted", 250)
    assert "identity.not-vouched" not in event["record"]["identity"]["codes"]


@both
def test_a_photo_with_consent_lands_scrubbed_over_verified_tls(site: Site) -> None:
    """P4: no hidden data, the same pixels, the statement taken out; and the last hop was encrypted and checked."""
    original = photo(21)
    message = mail("Second opinion [consent verbal]", original)
    site.submit(message.as_bytes(), [COLLEAGUE])
    landed = site.lands(identity(message), COLLEAGUE)
    (picture,) = pictures(landed)
    assert b"Sample Owner" in original and b"Sample Owner" not in picture and b"SN000021" not in picture
    assert pixels(picture) == pixels(original)
    assert b"[consent" not in landed and b"\r\nSubject: Second opinion\r\n" in landed
    assert b"with ESMTPS" in landed.partition(b"by mx.royal-example.example")[2][:200]
    assert re.search(r"postfix/secure/smtp\[\d+\]: Verified TLS connection established", site.mta.log())


@both
def test_held_mail_tells_its_sender_at_once(site: Site) -> None:
    message = mail("What is this?", photo(22))
    message.replace_header("Subject", f"What is this {uuid.uuid4().hex}")
    site.submit(message.as_bytes(), [COLLEAGUE])
    event = site.event(site.queue_id(identity(message)))
    assert event["recipients"][0]["state"] == "held"
    row = until(lambda: [row for row in site.clinigate.holds() if row["id"] == event["recipients"][0]["hold"]], "the hold")[0]
    notice = site.lands(row["ref"], SENDER)
    assert b"[consent verbal]" in notice and b"Auto-Submitted: auto-replied" in notice
    assert not site.found(identity(message), COLLEAGUE)


@both
def test_a_message_that_postfix_splits_gives_one_notice(site: Site) -> None:
    """P8: an upstream that makes a copy for every recipient changes nothing for the sender."""
    name = "clinigate-lmtp_destination_recipient_limit"
    names = (name, name.replace("lmtp", "smtp"))
    try:
        site.mta.set(**dict.fromkeys(names, "1"))
        site.mta.reload()
        message = mail("Three copies", photo(23))
        people = [COLLEAGUE, CHEN, STRANGER]
        site.submit(message.as_bytes(), people)
        queue_id = site.queue_id(identity(message))
        until(lambda: len([one for one in site.clinigate.events() if one["message"] == queue_id]) == 3, "three copies")
        notice = site.lands(CHEN, SENDER)
        assert all(person.encode() in notice for person in people)
        site.clinigate.restart("quarantine")  # whatever it had still to say would be said now
        assert len(site.found(CHEN, SENDER)) == 1
    finally:
        site.mta.set(**dict.fromkeys(names, "100"))
        site.mta.reload()


@both
def test_mail_waits_in_the_queue_while_the_gateway_is_down(site: Site) -> None:
    """P1: nothing is lost and nothing arrives twice."""
    site.clinigate.stop("gateway")
    try:
        message = mail("While it is down [consent verbal]", photo(24))
        site.submit(message.as_bytes(), [COLLEAGUE, STRANGER])
        site.mta.await_queue(1, "Connection refused")
    finally:
        site.clinigate.start("gateway")
    site.mta.command("postqueue", "-f")
    assert pixels(pictures(site.lands(identity(message), COLLEAGUE))[0]) == pixels(photo(24))
    site.mta.await_queue(0)
    events = [one for one in site.clinigate.events() if one["message"] == site.queue_id(identity(message))]
    assert states(events[-1]) == {COLLEAGUE: "delivered", STRANGER: "held"}
    assert len(site.found(identity(message), COLLEAGUE)) == 1


@both
def test_mail_waits_in_the_queue_while_the_next_hop_is_down(site: Site) -> None:
    """Our 451 keeps it with Postfix; once the next hop is back it is delivered once."""
    master = site.mta.config / "master.cf"
    before = master.read_text()
    port = site.mta.ports[10026]
    message = mail("Next hop down")
    site.mta.command("postconf", "-M#", f"127.0.0.1:{port}/inet")
    site.mta.reload()
    try:
        site.mta.await_port(port, up=False)
        site.submit(message.as_bytes(), [STRANGER])
        (row,) = site.mta.await_queue(1, "said: 451")
        assert STRANGER in str(row["recipients"])
    finally:
        master.write_text(before)
        site.mta.reload()
        site.mta.await_port(port)
    site.mta.command("postqueue", "-f")
    unchanged(site.lands(identity(message), STRANGER), message.as_bytes())
    site.mta.await_queue(0)
    assert len(site.found(identity(message), STRANGER)) == 1
