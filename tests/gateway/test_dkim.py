"""DKIM: what we sign verifies by three independent programs, and a signature we broke does not leave with the message."""

from __future__ import annotations

import base64
import hashlib
import re
import shutil
import sys
import time
from pathlib import Path

import dkim
import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from dkim.canonicalization import Relaxed, Simple
from hypothesis import given
from hypothesis import strategies as st

from gateway.dkim import Signer, body_hash, broken_signatures, drop_broken
from tests.support.certs import ec_key, rsa_key
from tests.support.needs import missing, needs
from tests.support.with_dns import judged

KEY = rsa_key("dkim")
SIGNER = Signer("hospital.example", "s1", KEY)
PUBLIC = base64.b64encode(KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)).decode()
RECORD = f"v=DKIM1; k=rsa; p={PUBLIC}"
DNS = {"s1._domainkey.hospital.example": RECORD, "s2._domainkey.hospital.example": RECORD}

MESSAGE = (
    b"Received: from ward\r\n"
    b"Date: Mon, 1 Jan 2024 00:00:00 +0000\r\n"
    b"From: Dr A <a@hospital.example>\r\n"
    b"To: b@practice.example,\r\n\t c@practice.example\r\n"
    b"Subject: two  blanks\r\n  and a fold\r\n"
    b"Clinical-Image-Results: gw; v=1\r\n"
    b"MIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n"
    b"Hello  world \t \r\n\r\n\tx\r\n \r\n\r\n"
)


def valid(message: bytes) -> bool:
    """dkimpy's verdict on the topmost signature, the key from us instead of DNS."""
    return bool(dkim.DKIM(message).verify(dnsfunc=lambda name, timeout=5: RECORD.encode() if b"_domainkey" in name else None))


def signed_by_dkimpy(
    message: bytes, *, selector: bytes = b"s1", canonical: bytes = b"relaxed/relaxed", **options: object
) -> bytes:
    pem = KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
    c = tuple(canonical.split(b"/"))
    return bytes(dkim.sign(message, selector, b"hospital.example", pem, canonicalize=c, **options)) + message


@pytest.mark.unit
def test_our_signature_verifies_and_names_what_it_should() -> None:
    signed = SIGNER.sign(MESSAGE, at=1_700_000_000.9)
    assert signed.endswith(b"\r\n" + MESSAGE) and valid(signed)
    field = signed[: -len(MESSAGE)]
    assert all(len(line) <= 78 for line in field.split(b"\r\n"))
    tags = dict(tag.strip().split("=", 1) for tag in field.partition(b":")[2].decode().split(";"))
    assert (tags["a"], tags["c"], tags["d"], tags["s"], tags["t"]) == (
        "rsa-sha256", "relaxed/relaxed", "hospital.example", "s1", "1700000000",
    )  # fmt: skip
    names = re.split(r"[:\s]+", tags["h"])
    assert names.count("from") == 2 and names.count("subject") == 2 and names.count("reply-to") == 1
    assert not any(name.startswith("clinical-image") or name in ("received", "bcc") for name in names)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"world", b"World"), (b"b@practice", b"x@practice"), (b"blanks", b"blank"),
        (b"MIME-Version", b"Reply-To: e@evil.example\r\nMIME-Version"), (b"MIME-Version", b"Subject: another\r\nMIME-Version"),
        (b"MIME-Version", b"From: e@evil.example\r\nMIME-Version"),
    ],
)  # fmt: skip
def test_a_change_of_what_is_signed_or_an_added_field_breaks_it(old: bytes, new: bytes) -> None:
    assert not _valid_or_refused(SIGNER.sign(MESSAGE).replace(old, new))


def _valid_or_refused(message: bytes) -> bool:
    try:
        return valid(message)
    except dkim.ValidationError:
        return False


@pytest.mark.unit
@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"Hello  world \t \r\n", b"Hello world\r\n"), (b"Received", b"Received: more\r\nReceived"),
        (b"gw; v=1", b"gw; v=2"), (b"\r\n  and", b" and"),
    ],
)  # fmt: skip
def test_what_may_change_on_the_way_does_not_break_it(old: bytes, new: bytes) -> None:
    assert valid(SIGNER.sign(MESSAGE).replace(old, new))


@pytest.mark.unit
@pytest.mark.parametrize("body", [b"", b"\r\n", b"\r\n\r\n", b"x", b"x\r\n", b" ", b" \r\n\t\r\n", b"x\r\n\r\ny \r\n\r\n\r\n"])
def test_every_kind_of_body_end_verifies(body: bytes) -> None:
    sent = SIGNER.sign(b"From: a@hospital.example\r\n\r\n" + body)
    assert valid(sent if sent.endswith(b"\r\n") else sent + b"\r\n")


@pytest.mark.unit
@given(st.lists(st.sampled_from([b" ", b"\t", b"\r\n", b"a", b"bc", b"  \r\n", b"\r\n\r\n"]), max_size=40))
def test_the_body_hash_is_dkimpys(pieces: list[bytes]) -> None:
    body = b"".join(pieces)
    body = body if body.endswith(b"\r\n") or not body else body + b"\r\n"
    for policy, simple in ((Relaxed, False), (Simple, True)):
        canonical = policy.canonicalize_body(body)
        assert body_hash(b"H: x\r\n\r\n" + body, 8, "sha256", simple=simple) == hashlib.sha256(canonical).digest()
        assert body_hash(body, 0, "sha256", simple=simple, length=5) == hashlib.sha256(canonical[:5]).digest()


@pytest.mark.unit
def test_the_body_hash_is_dkimpys_across_blocks() -> None:
    body = (b"word  \t word \r\n" * 7 + b"\r\n" * 40_000) * 4 + b"x" * 600_000 + b" \r\n" + b"\r\n" * 300_000
    assert body_hash(body, 0, "sha256") == hashlib.sha256(Relaxed.canonicalize_body(body)).digest()


@pytest.mark.unit
@pytest.mark.parametrize("head", [b"To: b@x.example\r\n", b"From: a@x.example\r\nFrom: b@x.example\r\n"])
def test_a_message_without_exactly_one_from_is_not_signed(head: bytes) -> None:
    with pytest.raises(ValueError, match="exactly one From"):
        SIGNER.sign(head + b"\r\nx")


@pytest.mark.unit
def test_ed25519_signs_the_hash_of_the_header(monkeypatch: pytest.MonkeyPatch) -> None:
    """RFC 8463.  dkimpy computes what is signed; its key type needs a package we do not have, so the key is ours."""
    key = ed25519.Ed25519PrivateKey.generate()

    class Public:
        def verify(self, digest: bytes, signature: bytes) -> None:
            key.public_key().verify(signature, digest)

    signed = Signer("hospital.example", "s1", key).sign(MESSAGE)
    assert b"a=ed25519-sha256;" in signed
    monkeypatch.setattr(dkim, "load_pk_from_dns", lambda *_, **__: (Public(), 256, b"ed25519", False))
    monkeypatch.setitem(dkim.HASH_ALGORITHMS, b"ed25519-sha256", hashlib.sha256)
    assert dkim.DKIM(signed).verify()


@pytest.mark.unit
def test_what_is_no_dkim_key_or_no_host_name_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    assert valid(Signer.load("Hospital.Example", "s1", path).sign(MESSAGE))
    for domain, selector in (("bad;d=x", "s1"), ("h.example", "s 1"), ("hôpital.example", "s1"), ("", "s1")):
        with pytest.raises(ValueError, match="host names"):
            Signer.load(domain, selector, path)
    elliptic = ec_key("dkim").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    for data, reason in ((elliptic, "RSA or Ed25519"), (b"no key", r"PEM|key")):
        path.write_bytes(data)
        with pytest.raises(ValueError, match=reason):
            Signer.load("hospital.example", "s1", path)


# -- signatures that came with the message ---------------------------------------------------------------------------


@pytest.mark.unit
@pytest.mark.parametrize("canonical", [b"relaxed/relaxed", b"simple/simple", b"relaxed/simple", b"simple/relaxed"])
def test_a_change_to_the_body_or_a_signed_field_removes_the_signature(canonical: bytes) -> None:
    signed = signed_by_dkimpy(MESSAGE, canonical=canonical)
    for old, new in ((b"world", b"World"), (b"blanks", b"blank"), (b"MIME-Version", b"From: x@y.example\r\nMIME-Version")):
        changed = signed.replace(old, new)
        assert broken_signatures(signed, changed) == (0,) and not _valid_or_refused(changed)
        assert drop_broken(signed, changed) == MESSAGE.replace(old, new)


@pytest.mark.unit
@pytest.mark.parametrize("canonical", [b"relaxed/relaxed", b"simple/simple"])
def test_a_change_the_signature_does_not_cover_leaves_it(canonical: bytes) -> None:
    signed = signed_by_dkimpy(MESSAGE, canonical=canonical)
    changed = b"Received: by gw\r\n" + signed.replace(b"Clinical-Image-Results: gw; v=1\r\n", b"")
    assert drop_broken(signed, changed) is changed and valid(changed)


@pytest.mark.unit
def test_of_several_only_the_broken_go() -> None:
    inner = signed_by_dkimpy(MESSAGE, selector=b"s2", include_headers=[b"from"])
    signed = signed_by_dkimpy(inner)
    changed = signed.replace(b"blanks", b"blank")
    assert broken_signatures(signed, changed) == (0,)
    assert drop_broken(signed, changed) == inner.replace(b"blanks", b"blank")
    assert valid(drop_broken(signed, changed))


@pytest.mark.unit
def test_with_a_length_only_what_it_covers_counts() -> None:
    signed = signed_by_dkimpy(MESSAGE, length=True)
    longer = signed.rstrip(b"\r\n") + b"\r\n-- \r\nfooter\r\n"
    assert broken_signatures(signed, longer) == () and valid(longer)
    assert broken_signatures(signed, signed.replace(b"Hello", b"Hallo")) == (0,)


@pytest.mark.unit
@pytest.mark.parametrize(
    "text", [b"v=1", b"", b"v=1; a=x; h=from; c=odd", b"h=from; a=rsa-sha256; l=many", b"a=1; a=2", b"=;=\xff"]
)
def test_what_is_no_signature_is_left_alone(text: bytes) -> None:
    message = b"DKIM-Signature: " + text + b"\r\n" + MESSAGE
    changed = message.replace(b"world", b"World")
    assert drop_broken(message, changed) is changed


# -- independent judges ----------------------------------------------------------------------------------------------


def dkimverify() -> str:
    found = shutil.which("dkimverify", path=str(Path(sys.executable).parent)) or shutil.which("dkimverify")
    if found is None:
        missing("dkimverify")
    return str(found)


@pytest.mark.e2e
def test_dkimverify_agrees(tmp_path: Path) -> None:
    signed = SIGNER.sign(MESSAGE)
    good = judged(tmp_path, DNS, dkimverify(), data=signed)
    assert good.returncode == 0 and b"signature ok" in good.stdout, good.stderr
    assert judged(tmp_path, DNS, dkimverify(), data=signed.replace(b"world", b"World")).returncode != 0
    assert judged(tmp_path, {}, dkimverify(), data=signed).returncode != 0, "the key really comes from our name server"


@pytest.mark.e2e
@pytest.mark.parametrize("body", [b"Hello  world \t \r\n\r\n x\r\n\r\n\r\n", b"", b"\r\n", b"no end"])
def test_opendkim_testmsg_agrees(tmp_path: Path, body: bytes) -> None:
    signed = SIGNER.sign(MESSAGE.partition(b"\r\n\r\n")[0] + b"\r\n\r\n" + body, at=time.time())
    signed += b"" if body.endswith(b"\r\n") or not body else b"\r\n"
    good = judged(tmp_path, DNS, "opendkim-testmsg", data=signed)
    assert (good.returncode, good.stderr) == (0, b"")
    bad = judged(tmp_path, DNS, "opendkim-testmsg", data=signed.replace(b"two  blanks", b"three"))
    assert bad.returncode != 0 and b"Bad signature" in bad.stderr


@pytest.mark.e2e
def test_a_signature_by_opendkim_is_kept_while_it_holds(tmp_path: Path) -> None:
    """Its signature (sha1, simple body) is read as dkimpy's are."""
    needs("opendkim-testmsg")
    key = tmp_path / "key.pem"
    key.write_bytes(KEY.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    sign = ["opendkim-testmsg", "-C", "-d", "hospital.example", "-s", "s1", "-k", str(key)]
    made = judged(tmp_path, DNS, *sign, data=MESSAGE)
    signed = made.stdout.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    assert signed.startswith(b"DKIM-Signature:") and signed.endswith(MESSAGE), made.stderr
    changed = b"Received: by gw\r\n" + signed
    assert drop_broken(signed, changed) is changed
    worse = changed.replace(b"world", b"World")
    assert drop_broken(signed, worse) == b"Received: by gw\r\n" + MESSAGE.replace(b"world", b"World")
