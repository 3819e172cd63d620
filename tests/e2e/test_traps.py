"""Traps seen in the models of this field (DESIGN section 7), each tried on us.

Elsewhere: a dead next hop and its texts (tests/chaos/test_next_hop.py), exception texts, checks and plug-ins that throw
(tests/chaos/test_stages.py), a quarantine that cannot be written (tests/chaos/test_environment.py), body lines at DEBUG and what
``piexif.remove`` leaves behind (test_canary.py), aiosmtpd's own defects (tests/gateway/test_smtp_*.py), misspelt handlers
(tests/gateway/test_aiosmtpd_contract.py).
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from gateway.demo.samples import COLLEAGUE, HOSPICE, SENDER
from tests.support.aftermath import of_sender, sealed
from tests.support.canaries import judge
from tests.support.installation import Installation
from tests.support.letters import canary_photo, letter
from tests.support.paths import ROOT

PACKAGES = ("gateway", "filters", "policies", "quarantine")
BROAD = {"Exception", "BaseException"}
NURSE = "nurse@clinic.example"


# -- in the sources ------------------------------------------------------------------------------------------------------


def handlers() -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Every ``except`` of the product that takes all exceptions."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.ExceptHandler) and _broad(node.type):
                    yield str(path.relative_to(ROOT)), node


def _broad(kind: ast.expr | None) -> bool:
    if kind is None:
        return True
    kinds = kind.elts if isinstance(kind, ast.Tuple) else [kind]
    return any(isinstance(one, ast.Name) and one.id in BROAD for one in kinds)


@pytest.mark.unit
@pytest.mark.slow
def test_two_places_swallow_whatever_fails_and_no_third() -> None:
    """DESIGN section 7, third belt: in the pipeline (holds) and in the outbox loop (the row stays).  The others raise again."""
    swallowing = [where for where, handler in handlers() if not isinstance(handler.body[-1], ast.Raise)]
    assert swallowing == ["gateway/pipeline.py", "quarantine/outbox.py"]


@pytest.mark.unit
@pytest.mark.slow
def test_nothing_is_suppressed_wholesale() -> None:
    """``contextlib.suppress(Exception)`` is the same thing in other words."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_bytes())):
                if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("suppress"):
                    assert not any(_broad(argument) for argument in node.args), f"{path}:{node.lineno}"


# -- on the real programs ------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    made = Installation(tmp_path_factory.mktemp("traps"))
    expire(made.folder / "smime" / "certificates" / "hospice.pem", HOSPICE)
    assert made.mailbox is not None
    made.mailbox.start()
    try:
        made.start("gateway")
        yield made
    finally:
        made.close()


def expire(path: Path, address: str) -> None:
    """Put a certificate for ``address`` there that ended yesterday."""
    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, address)])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(4711)
        .not_valid_before(now - timedelta(days=400)).not_valid_after(now - timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.RFC822Name(address)]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=False)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))


@pytest.mark.e2e
def test_an_expired_certificate_holds_and_never_falls_back_to_plain(site: Installation) -> None:
    """Libraries encrypt to expired and revoked certificates unless asked first."""
    data = letter(SENDER, (HOSPICE,), pictures=(canary_photo(),))
    assert site.send(data, (HOSPICE,))[0] == 250
    assert site.mails(HOSPICE) == []
    (hold,) = of_sender(sealed(site), SENDER)
    assert "smime.expired" in hold.meta["reasons"]


@pytest.mark.e2e
def test_signed_headers_of_an_attached_message_stay_as_they_were_folded(site: Installation) -> None:
    """The stdlib email package re-folds nested signed headers; here every byte outside the picture's part stays."""
    inner = (
        b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed;\r\n  d=royal-example.example;\t s=x;\r\n"
        b"\th=from:to:subject; bh=2jUSOH9NhtVGCQWNr9BrIAPreKQjO6Sn7XIkfJVOzv8=;\r\n\t b=" + b"A" * 200 + b"\r\n"
        b"From: =?utf-8?q?M=C3=BCller?=\r\n <a@royal-example.example>\r\nSubject:  two  blanks \r\nMIME-version: 1.0\r\n"
        b"\r\nText  \r\n"
    )
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = SENDER, NURSE, "Two things"
    mail["Message-ID"] = "<folded@clinic.example>"
    mail.set_content("see attached\n")
    mail.add_attachment(canary_photo(), "image", "jpeg", filename="IMG_1.JPG")
    mail.add_attachment(b"PLACE", "application", "x-place", cte="7bit")
    raw = mail.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    start = raw.index(b"Content-Type: application/x-place")
    stop = raw.index(b"PLACE", start) + len(b"PLACE")
    raw = raw[:start] + b"Content-Type: message/rfc822\r\n\r\n" + inner + raw[stop:]
    assert site.send(raw, (NURSE,))[0] == 250
    got = site.mails(NURSE, 1)[0].read_bytes()
    assert judge()(got) is None, "it was scrubbed"
    assert inner in got


@pytest.mark.e2e
def test_a_loop_is_ended_before_anything_is_written(site: Installation) -> None:
    """DESIGN section 2: our own id in Received with the same recipient is 554 5.4.6."""
    data = letter(SENDER, (COLLEAGUE,), pictures=(canary_photo(),), message_id="<loop@clinic.example>")
    assert site.send(data, (COLLEAGUE,))[0] == 250
    came = site.mails(COLLEAGUE, 1)[0].read_bytes().partition(b"\r\n")[2]
    code, text = site.send(came, (COLLEAGUE,))
    assert (code, text.split(b" ")[0]) == (554, b"5.4.6")
    assert len(site.mails(COLLEAGUE)) == 1
