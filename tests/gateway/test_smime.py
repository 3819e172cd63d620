"""S/MIME: whole message inside, one recipient, neutral outside; opened by openssl, gpgsm and NSS, by nobody without the key."""

from __future__ import annotations

import base64
import email
import email.policy
import os
import subprocess
import sys
from datetime import timedelta
from email.message import EmailMessage
from hashlib import sha256
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from hypothesis import given
from hypothesis import strategies as st

from gateway.encryption.recipients import OTHER, recipient_id, recipients_of
from gateway.encryption.smime import Protected, Signing, protect_smime
from tests.support.certs import NOW, PASSWORD, Identity, authority, ec_key, person
from tests.support.needs import needs
from tests.support.paths import ROOT as ROOT_FOLDER

ROOT = authority("Root")
MIDDLE = authority("Middle", issuer=ROOT)
GATEWAY = person("secure@hospital.example", issuer=MIDDLE)
JANE = person("jane@practice.example", issuer=ROOT)
OMAR = person("omar@practice.example", issuer=ROOT)
SIGNING = Signing(GATEWAY.certificate, GATEWAY.key, (MIDDLE.certificate,))  # type: ignore[arg-type]  # RSA

MESSAGE = (
    b"Received: from ward by gw; Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    b"DKIM-Signature: v=1; b=old\r\n"
    b"From: Dr A <a@hospital.example>\r\n"
    b"To: Jane\r\n <jane@practice.example>\r\n"
    b"Bcc: hidden@practice.example\r\n"
    b"Subject: Mr Smith's rash\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    b"Message-ID: <1@hospital.example>\r\n"
    b"In-Reply-To: <0@practice.example>\r\n"
    b"X-Ward: Dermatology 7\r\n"
    b"MIME-Version: 1.0\r\n"
    b'Content-Type: multipart/mixed;\r\n boundary="b"\r\n\r\n'
    b"--b\r\n\r\nSee the picture.  \r\n.\r\n--b\r\nContent-Type: image/png\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    + base64.b64encode(b"\x89PNG not really")
    + b"\r\n--b--\r\ntrailing words\r\n"
)
BODY = MESSAGE.partition(b"\r\n\r\n")[2]


def protect(message: bytes = MESSAGE, who: Identity = JANE, **options: str | None) -> Protected:
    return protect_smime(message, who.certificate, SIGNING, **options)


def der(protected: Protected) -> bytes:
    return base64.b64decode(protected.data.partition(b"\r\n\r\n")[2])


def opened(protected: Protected, who: Identity = JANE) -> bytes:
    """The decrypted multipart/signed."""
    assert isinstance(who.key, rsa.RSAPrivateKey)
    return pkcs7.pkcs7_decrypt_der(der(protected), who.certificate, who.key, [])


def payload(signed: bytes) -> bytes:
    """The signed entity, to the octet (RFC 1847)."""
    mark = signed.partition(b'boundary="')[2].partition(b'"')[0]
    return signed.split(b"\r\n--" + mark + b"\r\n")[1]


def parsed(data: bytes) -> EmailMessage:
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert isinstance(message, EmailMessage)
    return message


@pytest.mark.unit
def test_outside_stands_only_what_the_table_lets_out() -> None:
    outer = parsed(protect(neutral_subject="Secure message").data)
    assert {name.lower() for name in outer} == {
        "received", "from", "to", "subject", "date", "message-id", "in-reply-to",
        "mime-version", "content-type", "content-transfer-encoding", "content-disposition",
    }  # fmt: skip
    assert outer["Subject"] == "Secure message" and outer["To"] == "Jane <jane@practice.example>"
    assert outer["Message-ID"] == "<1@hospital.example>" and outer["In-Reply-To"] == "<0@practice.example>"
    assert outer.get_content_type() == "application/pkcs7-mime"
    assert outer["Content-Type"].params["smime-type"] == "enveloped-data"
    assert outer.get_filename() == "smime.p7m"


@pytest.mark.unit
@pytest.mark.parametrize("secret", [b"Smith", b"Dermatology", b"hidden@", b"b=old", b"picture", b"trailing"])
def test_nothing_else_of_the_message_is_readable_outside(secret: bytes) -> None:
    assert secret in MESSAGE and secret not in protect(neutral_subject="Secure message").data


@pytest.mark.unit
def test_the_subject_stays_outside_when_the_policy_gives_no_other() -> None:
    assert parsed(protect().data)["Subject"] == "Mr Smith's rash"


@pytest.mark.unit
@pytest.mark.parametrize("bad", ["two\r\nBcc: x@y", "bell\a", "x" * 201])
def test_a_neutral_subject_cannot_forge_a_field(bad: str) -> None:
    with pytest.raises(ValueError, match="neutral subject"):
        protect(neutral_subject=bad)


@pytest.mark.unit
def test_a_neutral_subject_may_be_in_any_language() -> None:
    data = protect(neutral_subject="Sichere Nachricht für Sie").data
    assert data.isascii() and parsed(data)["Subject"] == "Sichere Nachricht für Sie"


@pytest.mark.unit
def test_outside_is_7bit_in_76_columns() -> None:
    data = protect(MESSAGE + os.urandom(5000).replace(b"\r", b"").replace(b"\n", b"")).data
    lines = data.partition(b"\r\n\r\n")[2].split(b"\r\n")
    assert data.isascii() and lines.pop() == b""
    assert all(len(line) == 76 for line in lines[:-1]) and 0 < len(lines[-1]) <= 76


@pytest.mark.unit
def test_inside_is_the_whole_message_its_body_to_the_octet() -> None:
    inner = payload(opened(protect(neutral_subject="Secure message")))
    head, _, body = inner.partition(b"\r\n\r\n")
    assert body == BODY
    fields = parsed(head + b"\r\n\r\n")
    assert fields["Subject"] == "Mr Smith's rash" and fields["X-Ward"] == "Dermatology 7"
    assert b"To: Jane\r\n <jane@practice.example>\r\n" in head, "folded as it came"
    assert not {"bcc", "received", "dkim-signature"} & {name.lower() for name in fields}
    assert fields.get_content_type() == "multipart/mixed" and fields.get_boundary() == "b"


@pytest.mark.unit
def test_inside_says_which_fields_are_real_and_what_stood_outside() -> None:
    """RFC 9788: hp="cipher" and HP-Outer; a forged HP-Outer does not survive."""
    inner = parsed(payload(opened(protect(b"HP-Outer: Subject: forged\r\n" + MESSAGE, neutral_subject="Secure message"))))
    assert inner["Content-Type"].params["hp"] == "cipher"
    assert inner["Content-Type"].params["protected-headers"] == "v1"
    shown = inner.get_all("HP-Outer")
    assert "Subject: Secure message" in shown and "Message-ID: <1@hospital.example>" in shown
    assert not any("forged" in one or one.startswith("Received") for one in shown)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("given_type", "expected"),
    [
        (b"", b'Content-Type: text/plain; charset=us-ascii;\r\n protected-headers="v1"; hp="cipher"\r\n'),
        (b"Content-Type: text/html; charset=utf-8; \r\n", b'charset=utf-8;\r\n protected-headers="v1"; hp="cipher"\r\n'),
        (b'Content-Type: text/html; hp="clear"\r\n', b'Content-Type: text/html; hp="clear"\r\n'),
    ],
)
def test_the_marking_fits_any_content_type(given_type: bytes, expected: bytes) -> None:
    inner = payload(opened(protect(b"From: a@b.example\r\n" + given_type + b"\r\nhello")))
    assert expected in inner and inner.endswith(b"\r\n\r\nhello")


@pytest.mark.unit
def test_a_note_goes_before_the_body_and_leaves_it_as_it_is() -> None:
    note = "Shared with the patient’s verbal agreement for this referral only; do not reuse."
    inner = payload(opened(protect(inside_note=note)))
    first, second = parsed(inner).iter_parts()
    assert first.get_content().strip() == note
    assert second.get_content_type() == "multipart/mixed" and second.get_boundary() == "b"
    assert b'Content-Type: multipart/mixed;\r\n boundary="b"\r\n\r\n' + BODY + b"\r\n--" in inner
    assert parsed(inner)["Subject"] == "Mr Smith's rash"


@pytest.mark.unit
def test_boundaries_cannot_be_foretold() -> None:
    """Else a sender could write one into a text and hide a part in what was checked as text."""
    marks = {parsed(opened(protect())).get_boundary() for _ in range(3)}
    assert len(marks) == 3


@pytest.mark.unit
def test_exactly_one_recipient_and_the_digest_are_declared_and_read_back_independently() -> None:
    protected = protect()
    assert protected.ciphertext_sha256 == sha256(der(protected)).hexdigest()
    assert recipients_of(der(protected)) == protected.recipient_ids == (recipient_id(JANE.certificate),)
    assert recipient_id(OMAR.certificate) != recipient_id(JANE.certificate)
    same_serial = x509.load_der_x509_certificate(JANE.der)
    assert recipient_id(same_serial) == recipient_id(JANE.certificate)


@pytest.mark.unit
def test_a_second_recipient_is_seen_whoever_added_it() -> None:
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(b"x").add_recipient(JANE.certificate).add_recipient(OMAR.certificate)
    found = recipients_of(builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary]))
    assert sorted(found) == sorted([recipient_id(JANE.certificate), recipient_id(OMAR.certificate)])


@pytest.mark.unit
@given(st.data())
def test_what_is_no_ciphertext_is_for_nobody(data: st.DataObject) -> None:
    """Cut, changed or other bytes: never an exception, never a recipient who is not named."""
    good = der(_GOOD)
    cut = data.draw(st.integers(0, len(good) - 1))
    assert recipients_of(good[:cut]) == ()
    assert recipients_of(good + b"\0") == ()
    at, value = data.draw(st.integers(0, len(good) - 1)), data.draw(st.integers(0, 255))
    assert len(recipients_of(good[:at] + bytes([value]) + good[at + 1 :])) <= 3
    assert recipients_of(data.draw(st.binary(max_size=60))) == ()


_GOOD = protect()


@pytest.mark.unit
@pytest.mark.parametrize("who", ["other recipient", "the gateway itself"])
def test_no_other_key_opens_it(who: str) -> None:
    stranger = OMAR if who == "other recipient" else GATEWAY
    with pytest.raises(ValueError, match=r"[Rr]ecipient"):
        opened(_GOOD, stranger)
    forged = Identity(JANE.certificate, stranger.key)
    try:
        assert b"Smith" not in opened(_GOOD, forged)  # implicit rejection gives noise, or an error
    except ValueError:
        pass


@pytest.mark.unit
def test_a_key_that_is_not_rsa_is_an_error_never_plain_text() -> None:
    with pytest.raises(TypeError):
        protect(who=person("eve@practice.example", key=ec_key("eve")))


@pytest.mark.unit
def test_signing_loads_only_a_key_that_belongs_to_its_certificate(tmp_path: Path) -> None:
    certificate, key = GATEWAY.write(tmp_path, "gateway")
    certificate.write_bytes(GATEWAY.pem + MIDDLE.pem)
    loaded = Signing.load(certificate, key)
    assert loaded.certificate == GATEWAY.certificate and loaded.chain == (MIDDLE.certificate,)
    key.write_bytes(OMAR.key_pem)
    with pytest.raises(ValueError, match="does not belong"):
        Signing.load(certificate, key)


@pytest.mark.unit
def test_signing_knows_when_its_certificate_is_of_no_use() -> None:
    assert SIGNING.fault(NOW) is None
    assert SIGNING.fault(NOW + timedelta(days=400)) == "smime.signer-expired"
    assert SIGNING.fault(NOW - timedelta(days=4)) == "smime.signer-not-yet-valid"


# -- independent judges ----------------------------------------------------------------------------------------------


def run(*command: str | Path, data: bytes | None = None, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(command, input=data, capture_output=True, env={**os.environ, **(env or {})}, timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name, identity in {"root": ROOT, "jane": JANE, "omar": OMAR}.items():
        identity.write(tmp_path, name)
    (tmp_path / "mail.eml").write_bytes(protect(neutral_subject="Secure message").data)
    (tmp_path / "mail.der").write_bytes(der(protect()))
    return tmp_path


def import_into_gpgsm(path: Path, identity: Identity, env: dict[str, str]) -> None:
    """GnuPG 2.2 derives a wrong key for about one salt in fifty, so the file is made anew until it can be read."""
    loopback = ["--batch", "--pinentry-mode", "loopback", "--passphrase-fd", "0"]
    for _ in range(5):
        path.write_bytes(identity.p12(ROOT))
        imported = run("gpgsm", *loopback, "--disable-crl-checks", "--import", path, data=PASSWORD + b"\n", env=env)
        if b"secret keys imported: 1" in imported.stderr:
            return
    pytest.fail(imported.stderr.decode())


@pytest.mark.e2e
def test_openssl_opens_and_verifies_it(folder: Path) -> None:
    needs("openssl")
    jane = ["-recip", folder / "jane.pem", "-inkey", folder / "jane.key"]
    done = run("openssl", "cms", "-decrypt", "-in", folder / "mail.eml", "-inform", "SMIME", *jane)
    assert done.returncode == 0, done.stderr
    (folder / "signed").write_bytes(done.stdout)
    verified = run(
        "openssl", "cms", "-verify", "-in", folder / "signed", "-inform", "SMIME", "-CAfile", folder / "root.pem",
        "-purpose", "smimesign", "-signer", folder / "signer.pem",
    )  # fmt: skip
    assert verified.returncode == 0, verified.stderr
    assert verified.stdout.endswith(BODY)
    assert (folder / "signer.pem").read_bytes() == GATEWAY.pem
    (folder / "signed").write_bytes(done.stdout.replace(b"See the", b"See teh"))
    assert run("openssl", "cms", "-verify", "-in", folder / "signed", "-CAfile", folder / "root.pem").returncode != 0


@pytest.mark.e2e
def test_openssl_finds_aes_256_cbc_and_one_recipient(folder: Path) -> None:
    needs("openssl")
    shown = run("openssl", "cms", "-cmsout", "-print", "-in", folder / "mail.der", "-inform", "DER").stdout
    assert b"aes-256-cbc" in shown and shown.count(b"issuerAndSerialNumber") == 1 and b"rsaEncryption" in shown


@pytest.mark.e2e
def test_openssl_opens_it_with_no_other_key(folder: Path) -> None:
    needs("openssl")
    for certificate in ("omar.pem", "jane.pem"):
        keys = ["-recip", folder / certificate, "-inkey", folder / "omar.key"]
        done = run("openssl", "cms", "-decrypt", "-in", folder / "mail.eml", *keys)
        assert done.returncode != 0 and b"Smith" not in done.stdout


@pytest.mark.e2e
def test_gpgsm_opens_and_verifies_it(folder: Path) -> None:
    needs("gpgsm", "gpgconf", "gpg-agent")
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    (home / "gpgsm.conf").write_text("disable-crl-checks\nbatch\nno-tty\n")
    (home / "gpg-agent.conf").write_text("allow-loopback-pinentry\nallow-mark-trusted\n")
    fingerprint = ROOT.certificate.fingerprint(hashes.SHA1()).hex().upper()
    (home / "trustlist.txt").write_text(f"{fingerprint} S relax\n")
    env = {"GNUPGHOME": str(home)}
    loopback = ["--pinentry-mode", "loopback", "--passphrase-fd", "0"]
    try:
        import_into_gpgsm(folder / "jane.p12", JANE, env)
        done = run("gpgsm", *loopback, "--decrypt", folder / "mail.der", data=PASSWORD + b"\n", env=env)
        assert done.returncode == 0, done.stderr
        entity, signature = folder / "entity", folder / "signature"
        entity.write_bytes(payload(done.stdout))
        attached = [one for one in parsed(done.stdout).iter_attachments() if one.get_filename() == "smime.p7s"]
        signature.write_bytes(attached[0].get_content())
        for one in (ROOT, MIDDLE):
            run("gpgsm", "--import", data=one.pem, env=env)
        verified = run("gpgsm", "--verify", signature, entity, env=env)
        assert b"Good signature" in verified.stderr, verified.stderr
        assert entity.read_bytes().endswith(BODY)
    finally:
        run("gpgconf", "--kill", "all", env=env)


@pytest.mark.e2e
def test_gpgsm_without_the_key_opens_nothing(folder: Path) -> None:
    needs("gpgsm", "gpgconf", "gpg-agent")
    home = folder / "gnupg"
    home.mkdir(mode=0o700)
    (home / "gpg-agent.conf").write_text("allow-loopback-pinentry\n")
    env = {"GNUPGHOME": str(home)}
    loopback = ["--batch", "--disable-crl-checks", "--pinentry-mode", "loopback", "--passphrase-fd", "0"]
    try:
        import_into_gpgsm(folder / "omar.p12", OMAR, env)
        done = run("gpgsm", *loopback, "--decrypt", folder / "mail.der", data=PASSWORD + b"\n", env=env)
        assert done.returncode != 0 and b"Smith" not in done.stdout
    finally:
        run("gpgconf", "--kill", "all", env=env)


@pytest.mark.e2e
def test_nss_opens_it(folder: Path) -> None:
    """The library of Thunderbird."""
    needs("cmsutil", "certutil", "pk12util")
    database = folder / "nss"
    database.mkdir()
    (folder / "jane.p12").write_bytes(JANE.p12(ROOT))
    assert run("certutil", "-N", "-d", database, "--empty-password").returncode == 0
    imported = run("pk12util", "-i", folder / "jane.p12", "-d", database, "-W", PASSWORD.decode(), "-K", "")
    assert imported.returncode == 0, imported.stderr
    done = run("cmsutil", "-D", "-d", database, "-i", folder / "mail.der", "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    assert payload((folder / "out").read_bytes()).endswith(BODY)


@pytest.mark.unit
def test_each_copy_is_encrypted_anew() -> None:
    first, second = protect(), protect()
    assert first.ciphertext_sha256 != second.ciphertext_sha256
    assert der(first)[-64:] != der(second)[-64:]


@pytest.mark.unit
def test_recipient_without_issuer_and_serial_is_other() -> None:
    """A key-agreement or password recipient is not the one we encrypted for."""
    inner = bytes.fromhex("a103020100")  # [1] kari, shortened
    original = bytes.fromhex("060b") + b"x" * 11
    infos = b"\x31" + bytes([len(inner)]) + inner
    enveloped = b"\x02\x01\x02" + infos + b"\x30\x0d" + original
    body = b"\x30" + bytes([len(enveloped)]) + enveloped
    explicit = bytes.fromhex("06092a864886f70d010703a0") + bytes([len(body)]) + body
    assert recipients_of(b"\x30" + bytes([len(explicit)]) + explicit) == (OTHER,)




_MEASURE = """
import base64, os, sys, time
from pathlib import Path
from cryptography import x509
from gateway.encryption.smime import Signing, protect_smime

def status(name):
    return int(next(line for line in open("/proc/self/status") if line.startswith(name)).split()[1]) * 1024

folder = Path(sys.argv[1])
signing = Signing.load(folder / "gateway.pem", folder / "gateway.key")
jane = x509.load_pem_x509_certificate((folder / "jane.pem").read_bytes())
message = b"From: a@x.example\\r\\n\\r\\n" + base64.encodebytes(os.urandom(15_000_000)).replace(b"\\n", b"\\r\\n")
protect_smime(b"From: a@x.example\\r\\n\\r\\nx", jane, signing)
Path("/proc/self/clear_refs").write_text("5")
before = status("VmRSS")
protect_smime(message, jane, signing)
print((status("VmHWM") - before) / len(message) + 1)
"""


@pytest.mark.slow
def test_a_20_mb_message_needs_no_more_than_five_and_a_half_times_its_size(tmp_path: Path) -> None:
    """The message itself and the result included (measured: 5.0); a further copy of the whole would show."""
    GATEWAY.write(tmp_path, "gateway")
    JANE.write(tmp_path, "jane")
    done = run(sys.executable, "-c", _MEASURE, tmp_path, env={"PYTHONPATH": str(ROOT_FOLDER)})
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 5.5
