"""Real Postfix on both sides, as docs/howto-postfix.md sets it up: submission with a login, filter, re-injection, Maildir."""

from __future__ import annotations

import email
import io
import re
import smtplib
import ssl
import subprocess
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP, SMTPUTF8
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image

from gateway.demo.pictures import photo
from gateway.demo.samples import COLLEAGUE, FILE_SHARE, SENDER, STRANGER
from tests.support import certs
from tests.support.installation import Installation, free_port, until
from tests.support.needs import needs
from tests.support.postfix import Postfix, Sasl, howto

pytestmark = pytest.mark.e2e

OTHER = "dr.brown@clinic.example"
CHEN = "dr.chen@royal-example.example"  # as COLLEAGUE
INTERNATIONAL = "jürgen@newclinic.example"
MAPPED = tuple(f"{name}@newclinic.example" for name in ("first", "second"))  # canonical: the first is the second
ADDRESSES = (SENDER, OTHER, COLLEAGUE, CHEN, STRANGER, INTERNATIONAL, FILE_SHARE, *MAPPED)
BEFORE = re.compile(rb"(?:(?:Return-Path|X-Original-To|Delivered-To|Received): [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")
LMTP, SMTP_ = "LMTP", "SMTP"
both = pytest.mark.parametrize("site", [LMTP, SMTP_], indirect=True)
lmtp = pytest.mark.parametrize("site", [LMTP], indirect=True)


@dataclass
class Site:
    """One Postfix around one Clinigate.  ``remote``: the port on which the secure route's recipients receive."""

    mta: Postfix
    clinigate: Installation
    trust: ssl.SSLContext
    remote: int

    def submit(
        self,
        data: bytes,
        recipients: Sequence[str],
        sender: str = SENDER,
        login: str = SENDER,
        options: Sequence[str] = (),
        rcpt_options: Sequence[str] = (),
    ) -> None:
        """Over port 587: STARTTLS, AUTH, MAIL …"""
        with smtplib.SMTP("127.0.0.1", self.mta.ports[587], timeout=30) as client:
            client.starttls(context=self.trust)
            client.login(login, Sasl.PASSWORD)
            client.sendmail(sender, list(recipients), data, options, rcpt_options)

    def lands(self, marker: str, address: str, seconds: float = 20) -> bytes:
        """The one mail for ``address`` whose text holds ``marker``."""
        try:
            (mail,) = until(lambda: self.found(marker, address), f"mail with {marker} for {address}", seconds)
        except AssertionError as error:
            log = self.mta.log()[-4000:]
            raise AssertionError(f"{error}\n{self.mta.queued()}\n{log}\n{self.clinigate.log('gateway')[-1500:]}") from None
        return mail

    def found(self, marker: str, address: str) -> list[bytes]:
        return [mail for mail in self.mta.mails(address) if marker.encode() in mail]

    def event(self, queue_id: str) -> dict[str, Any]:
        """What the journal says of the message with this queue id."""
        try:
            return until(
                lambda: [one for one in self.clinigate.events() if one["message"] == queue_id], f"event of {queue_id}", 10
            )[0]
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.mta.log()[-4000:]}\n{self.clinigate.log('gateway')[-1500:]}") from None

    def queue_id(self, message_id: str) -> str:
        """The id under which submission queued it (the log's first ``cleanup`` line)."""
        wanted = re.compile(rf"cleanup\[\d+\]: (\w+): message-id=<{re.escape(message_id)}>")
        return until(lambda: wanted.search(self.mta.log()), f"queue id of {message_id}").group(1)


@pytest.fixture(scope="module")
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Set up with the how-to's own commands; LMTP as they are, SMTP with its one line more."""
    needs("swaks")
    with tempfile.TemporaryDirectory(prefix="clinigate-postfix-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postfix's own users go in and out
        mta = Postfix(folder, ADDRESSES)
        mta.documented("install")
        Sasl(mta, (SENDER, OTHER))
        trust, remote = _tls(mta)
        _maps(mta)
        told = yaml.safe_load(mta.here(howto("clinigate")))
        if request.param == SMTP_:
            told["listeners"] = [{**one, "protocol": SMTP_} for one in told["listeners"]]
        clinigate = Installation(folder / "clinigate", mailbox=False, **told)
        try:
            mta.start()
            mta.documented("logins")
            if request.param == SMTP_:
                mta.documented("smtp")
            with clinigate:
                yield Site(mta, clinigate, trust, remote)
        finally:
            mta.stop()


def _tls(mta: Postfix) -> tuple[ssl.SSLContext, int]:
    """Certificates for submission and for the hospital behind the secure route, which listens on a port of the same Postfix."""
    root = certs.authority("Clinic CA")
    (mta.folder / "ca.pem").write_bytes(root.pem)
    own, own_key = certs.server(issuer=root, dns=("mta.clinic.example",)).write(mta.folder, "mta")
    certs.server(issuer=root, dns=("mx.royal-example.example",), addresses=()).write(mta.folder, "royal")
    remote = free_port()
    mta.set(smtpd_tls_cert_file=str(own), smtpd_tls_key_file=str(own_key), smtp_tls_CAfile=f"{mta.folder}/ca.pem")
    with (mta.config / "master.cf").open("a") as master:
        master.write(
            f"127.0.0.1:{remote} inet n - n - - smtpd\n  -o syslog_name=postfix/royal -o content_filter=\n"
            "  -o myhostname=mx.royal-example.example -o smtpd_tls_security_level=may\n"
            f"  -o smtpd_tls_cert_file={mta.folder}/royal.pem -o smtpd_tls_key_file={mta.folder}/royal.key\n"
            "  -o smtpd_tls_received_header=yes\n"
        )
    # No DNS here: the hop behind the secure route is named, as for a hub (how-to, "The secure route").
    hub = f"[127.0.0.1]:{remote}"
    mta.command("postconf", "-P", f"127.0.0.1:{mta.ports[10027]}/inet/content_filter=clinigate-secure:{hub}")
    (mta.config / "tls_policy").write_text(f"{hub} secure match=mx.royal-example.example\n")
    mta.command("postconf", "-P", f"clinigate-secure/unix/smtp_tls_policy_maps=texthash:{mta.config}/tls_policy")
    return ssl.create_default_context(cafile=str(mta.folder / "ca.pem")), remote


def _maps(mta: Postfix) -> None:
    """Address rewriting as sites have it, and a submission that leaves headers alone."""
    (mta.config / "canonical").write_text(f"{MAPPED[0]} {MAPPED[1]}\n")
    mta.set(recipient_canonical_maps=f"texthash:{mta.config}/canonical")
    mta.command("postconf", "-P", f"127.0.0.1:{mta.ports[587]}/inet/local_header_rewrite_clients=")


def mail(
    subject: str, *attachments: bytes, text: str = "Dear colleague,\n\nplease see attached.\n", author: str = SENDER
) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    message["From"] = f"Dr Adams <{author}>"
    message["To"] = COLLEAGUE
    message["Subject"] = subject
    message["Date"] = "Mon, 23 Nov 2026 10:00:00 +0000"
    message["Message-ID"] = f"<{uuid.uuid4().hex}@clinic.example>"
    message.set_content(text)
    for attachment in attachments:
        message.add_attachment(attachment, "image", "jpeg", filename="IMG_2041.JPG")
    return message


def identity(message: EmailMessage) -> str:
    return str(message["Message-ID"]).strip("<>")


def pictures(landed: bytes) -> list[bytes]:
    parts = email.message_from_bytes(landed, policy=SMTP).walk()
    return [part.get_payload(decode=True) for part in parts if part.get_content_maintype() == "image"]


def pixels(data: bytes) -> bytes:
    with Image.open(io.BytesIO(data)) as image:
        return image.tobytes()


def states(event: dict[str, Any]) -> dict[str, str]:
    """address -> what became of it; Postfix hands recipients on in an order of its own."""
    people = {address.partition("@")[2]: address for address in (COLLEAGUE, STRANGER, FILE_SHARE)}
    return {people[fate["domain"]]: fate["state"] for fate in event["recipients"]}


def unchanged(landed: bytes, sent: bytes) -> None:
    """Nothing but trace fields stands before the bytes that were sent."""
    assert landed.endswith(sent), (landed[-600:], sent[-600:])
    head = landed[: len(landed) - len(sent)]
    assert BEFORE.fullmatch(head), head
    assert head.count(b"by gateway.clinic.example") == 1


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


# -- the preferred link -------------------------------------------------------------------------------------------------


@lmtp
def test_three_recipients_three_fates(site: Site) -> None:
    """Delivered, held, refused: each recipient has an answer of its own, the sender one notice."""
    message = mail("Case [consent verbal]", photo(25))
    site.submit(message.as_bytes(), [COLLEAGUE, STRANGER, FILE_SHARE])
    site.lands(identity(message), COLLEAGUE)
    event = site.event(site.queue_id(identity(message)))
    assert states(event) == {COLLEAGUE: "delivered", STRANGER: "held", FILE_SHARE: "refused"}
    notice = site.lands(FILE_SHARE, SENDER)
    assert all(person.encode() in notice for person in (COLLEAGUE, STRANGER, FILE_SHARE))
    site.mta.await_queue(0)
    assert not site.found(identity(message), STRANGER) and not site.found(identity(message), FILE_SHARE)


@lmtp
def test_nobody_sends_as_somebody_else(site: Site) -> None:
    """The envelope sender must be the login's own: this is what lets the listener vouch for it."""
    with pytest.raises(smtplib.SMTPRecipientsRefused) as refused:
        site.submit(mail("Spoofed").as_bytes(), [COLLEAGUE], sender=SENDER, login=OTHER)
    assert refused.value.recipients[COLLEAGUE][0] == 553


@lmtp
def test_a_statement_under_another_from_does_not_count(site: Site) -> None:
    """A vouched envelope sender with another author in From: the statement is not believed, the picture is held."""
    message = mail("Second opinion [consent verbal]", photo(26), author=OTHER)
    site.submit(message.as_bytes(), [COLLEAGUE])
    event = site.event(site.queue_id(identity(message)))
    assert event["recipients"][0]["state"] == "held"
    assert "identity.from-differs" in event["record"]["identity"]["codes"]


@lmtp
def test_mail_by_another_door_is_filtered_and_vouched_for_by_nobody(site: Site) -> None:
    """Port 25 and sendmail(1) reach the listener that vouches for nothing, whatever sender they claim."""
    by_port, by_program = (mail(f"{door} [consent verbal]", photo(27)) for door in ("port 25", "sendmail"))
    with smtplib.SMTP("127.0.0.1", site.mta.ports[25], timeout=30) as client:
        client.sendmail(SENDER, [COLLEAGUE], by_port.as_bytes())
    site.mta.command(
        "sendmail", "-i", "-f", SENDER, COLLEAGUE, text=by_program.as_bytes().replace(b"\r\n", b"\n").decode("ascii")
    )
    assert site.event(site.queue_id(identity(by_port)))
    # Postfix names no IDENT for mail of its own sendmail(1): the digest of the message is the key then.
    events = until(
        lambda: two if len(two := [one for one in site.clinigate.events() if one["listener"] == "other"]) == 2 else [],
        "two events",
    )
    for event in events:
        assert event["recipients"][0]["state"] == "held"
        assert event["record"]["identity"]["codes"] == ["identity.not-vouched"]


@lmtp
def test_eight_bit_text_passes_as_it_is(site: Site) -> None:
    message = mail("Befund")
    data = message.as_bytes().partition(b"\r\n\r\n")[0].replace(b"7bit", b"8bit").replace(b"us-ascii", b"utf-8")
    data += "\r\n\r\nDie Bläschen jucken – größer als gestern.\r\n".encode()
    site.submit(data, [STRANGER], options=["BODY=8BITMIME"])
    unchanged(site.lands(identity(message), STRANGER), data)


@lmtp
def test_internationalised_addresses_pass(site: Site) -> None:
    """SMTPUTF8: the recipient's address and the header in UTF-8."""
    message = mail("Grüße")
    data = message.as_bytes(policy=SMTPUTF8)
    assert "Grüße".encode() in data
    site.submit(data, [INTERNATIONAL], options=["SMTPUTF8", "BODY=8BITMIME"])
    unchanged(site.lands(identity(message), INTERNATIONAL), data)


@lmtp
def test_delivery_reports_are_asked_for_across_the_filter(site: Site) -> None:
    """NOTIFY, RET, ENVID and ORCPT (RFC 3461) survive both hops: the success report comes from the last one."""
    message, envid = mail("Report, please"), uuid.uuid4().hex
    site.submit(
        message.as_bytes(),
        [STRANGER],
        options=["RET=HDRS", f"ENVID={envid}"],
        rcpt_options=["NOTIFY=SUCCESS,FAILURE", f"ORCPT=rfc822;{STRANGER.upper()}"],
    )
    site.lands(identity(message), STRANGER)
    report = site.lands(envid, SENDER)
    assert b"Action: delivered" in report and f"Original-Recipient: rfc822;{STRANGER.upper()}".encode() in report
    assert report.count(b"Action: ") == 1 and b"please see attached" not in report


@lmtp
def test_addresses_are_rewritten_before_the_filter_and_not_after(site: Site) -> None:
    """What comes back from the gateway is final: maps are not applied again, headers are not completed."""
    message = mail("Mapped")
    site.submit(message.as_bytes(), [MAPPED[0]])
    site.lands(identity(message), MAPPED[1])
    final = message.as_bytes().replace(b"To: ", b"Cc: bare\r\nTo: ", 1)
    with smtplib.SMTP("127.0.0.1", site.mta.ports[10026], timeout=30) as client:
        client.sendmail(SENDER, [MAPPED[0]], final)
    assert site.lands(identity(message), MAPPED[0]).endswith(final)


@lmtp
def test_the_secure_route_goes_to_the_recipients_domain_and_nowhere_else(site: Site) -> None:
    """As shipped: no other transport takes it, although Postfix would deliver this domain by itself."""
    entry = f"127.0.0.1:{site.mta.ports[10027]}/inet/content_filter"
    before = site.mta.command("postconf", "-P", entry).strip().partition(" = ")[2]
    shipped = re.search(
        r"-o content_filter=(clinigate-secure\S*)", (site.mta.folder / "systemd/postfix/master.cf.clinigate").read_text()
    )
    assert shipped
    message = mail("By name [consent verbal]", photo(32))
    try:
        site.mta.command("postconf", "-P", f"{entry}={shipped[1]}")
        site.mta.reload()
        site.clinigate.restart("gateway")  # its kept connections are served as before the reload
        site.submit(message.as_bytes(), [COLLEAGUE])
        lookup = rf"postfix/secure/smtp\[\d+\]: (\w+): to=<{COLLEAGUE}>.*unable to look up host royal-example.example"
        until(lambda: re.search(lookup, site.mta.log()), "the look-up of the recipient's domain")  # which nobody has
        assert not site.found(identity(message), COLLEAGUE)
    finally:
        site.mta.command("postsuper", "-d", "ALL")  # deferred or reported, as the resolver says
        site.mta.command("postconf", "-P", f"{entry}={before}")
        site.mta.reload()
        site.clinigate.restart("gateway")


@lmtp
def test_the_secure_route_waits_rather_than_sends_in_clear(site: Site) -> None:
    """A next hop whose certificate does not name it gets nothing: the mail stays in the queue."""
    policy = site.mta.config / "tls_policy"
    before = policy.read_text()
    message = mail("Wrong certificate [consent verbal]", photo(28))
    try:
        policy.write_text(before.replace("mx.royal-example.example", "mx.elsewhere.example"))
        site.mta.reload()
        site.submit(message.as_bytes(), [COLLEAGUE])
        site.mta.await_queue(1, "Server certificate not verified")
        waiting = site.mta.queued()[0]["queue_id"]
        site.mta.documented("bypass-queued")  # takes only what waits for the filter
        assert [row["queue_id"] for row in site.mta.await_queue(1, "Server certificate not verified")] == [waiting]
        assert not site.found(identity(message), COLLEAGUE)
    finally:
        policy.write_text(before)
        site.mta.reload()
    site.mta.command("postqueue", "-f")
    site.lands(identity(message), COLLEAGUE)


@lmtp
def test_filtered_mail_that_is_requeued_is_refused_as_a_loop(site: Site) -> None:
    """Why the how-to says to requeue nothing after a bypass: it ends in a report, not in a flood, and not at the recipient."""
    policy = site.mta.config / "tls_policy"
    before = policy.read_text()
    message = mail("Requeued [consent verbal]", photo(30))
    try:
        policy.write_text(before.replace("mx.royal-example.example", "mx.elsewhere.example"))
        site.mta.reload()
        site.submit(message.as_bytes(), [COLLEAGUE])
        (row,) = site.mta.await_queue(1, "Server certificate not verified")
        site.mta.command("postsuper", "-r", str(row["queue_id"]))
        site.mta.command("postqueue", "-f")
        report = site.lands("554 5.4.6", SENDER)
        assert COLLEAGUE.encode() in report and b"image/jpeg" not in report
        site.mta.await_queue(0)
        assert not site.found(identity(message), COLLEAGUE)
    finally:
        policy.write_text(before)
        site.mta.reload()


@lmtp
def test_the_bypass_is_one_line_and_so_is_its_undoing(site: Site) -> None:
    """Drill: gateway dead, one line, new and waiting mail leave unfiltered; one line, and mail is filtered again."""
    waiting, fresh, after = (mail(f"{when} the bypass", photo(29)) for when in ("Before", "During", "After"))
    site.clinigate.stop("gateway")
    try:
        site.submit(waiting.as_bytes(), [COLLEAGUE])
        site.mta.await_queue(1, "Connection refused")
        site.mta.documented("bypass")
        site.submit(fresh.as_bytes(), [COLLEAGUE])
        assert pictures(site.lands(identity(fresh), COLLEAGUE)) == [photo(29)]
        site.mta.documented("bypass-queued")
        assert pictures(site.lands(identity(waiting), COLLEAGUE)) == [photo(29)]
        site.mta.await_queue(0)
    finally:
        site.clinigate.start("gateway")
        site.mta.documented("undo")
    site.submit(after.as_bytes(), [COLLEAGUE])
    event = site.event(site.queue_id(identity(after)))
    assert event["recipients"][0]["state"] == "held"
    assert not site.found(identity(after), COLLEAGUE)
    assert all(len(site.found(identity(one), COLLEAGUE)) == 1 for one in (waiting, fresh))


@lmtp
def test_postfix_has_nothing_to_say_against_the_snippet(site: Site) -> None:
    """No parameter is misspelt, unused or given twice; what gateway and Postfix allow each other fits together."""
    assert site.mta.command("postfix", "check") == ""
    for options in (["-n"], ["-M"], ["-P"]):
        assert "warning:" not in site.mta.command("postconf", *options)
    assert not [line for line in site.mta.log().splitlines() if "fatal:" in line or "overriding" in line or "unused" in line]
    limits = site.clinigate.settings()["limits"]
    assert int(site.mta.command("postconf", "-h", "message_size_limit")) >= limits["message_bytes"] * 1.4
    assert int(site.mta.command("postconf", "-h", "clinigate-lmtp_destination_recipient_limit")) == limits["recipients"]
    assert "next hop       ok" in site.clinigate.cli("check")
    site.mta.command("postconf", "-P", f"127.0.0.1:{site.mta.ports[25]}/inet/content_filter=")  # "Other doors": also the MX
    site.mta.reload()
    incoming = mail("From outside", photo(31))
    with smtplib.SMTP("127.0.0.1", site.mta.ports[25], timeout=30) as client:
        client.sendmail("patient@freemail.example", [SENDER], incoming.as_bytes())
    assert pictures(site.lands(identity(incoming), SENDER)) == [photo(31)]
