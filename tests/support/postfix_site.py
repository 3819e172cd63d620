"""One Clinigate inside a real Postfix, as docs/howto-postfix.md sets it up; mail to submit and what arrives of it."""

from __future__ import annotations

import email
import io
import re
import smtplib
import ssl
import tempfile
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from gateway.demo.samples import COLLEAGUE, FILE_SHARE, SENDER, STRANGER
from tests.support import certs
from tests.support.installation import Installation, free_port, until
from tests.support.needs import needs
from tests.support.postfix import Postfix, Sasl, howto

OTHER = "dr.brown@clinic.example"
CHEN = "dr.chen@royal-example.example"  # as COLLEAGUE
INTERNATIONAL = "jürgen@newclinic.example"
MAPPED = tuple(f"{name}@newclinic.example" for name in ("first", "second"))  # canonical: the first is the second
ADDRESSES = (SENDER, OTHER, COLLEAGUE, CHEN, STRANGER, INTERNATIONAL, FILE_SHARE, *MAPPED)
BEFORE = re.compile(rb"(?:(?:Return-Path|X-Original-To|Delivered-To|Received): [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)*")
LMTP, SMTP_ = "LMTP", "SMTP"


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


@contextmanager
def around(link: str) -> Iterator[Site]:
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
        if link == SMTP_:
            told["listeners"] = [{**one, "protocol": SMTP_} for one in told["listeners"]]
        clinigate = Installation(folder / "clinigate", mailbox=False, **told)
        try:
            mta.start()
            mta.documented("logins")
            if link == SMTP_:
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
    """From a clinician to COLLEAGUE, with pictures attached."""
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
    """The Message-ID without its brackets."""
    return str(message["Message-ID"]).strip("<>")


def pictures(landed: bytes) -> list[bytes]:
    """The pictures of a mail that has arrived."""
    parts = email.message_from_bytes(landed, policy=SMTP).walk()
    return [part.get_payload(decode=True) for part in parts if part.get_content_maintype() == "image"]


def pixels(data: bytes) -> bytes:
    """What a picture shows."""
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
