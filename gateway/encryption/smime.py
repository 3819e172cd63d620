"""S/MIME: the whole message signed by the organisation, then encrypted for one recipient (RFC 8551 section 3).

    outer header (table OUTSIDE, neutral subject)
    application/pkcs7-mime; smime-type=enveloped-data        for exactly one certificate
      multipart/signed                                       clear-signed: every reader shows the text
        the message: its header fields, its Content-* fields and its body as they are
        application/pkcs7-signature
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from cryptography import x509

from gateway.encryption.cms import Signing, envelop, sign
from gateway.encryption.recipients import recipient_id
from gateway.encryption.wrapping import base64_lines, boundary, inner_head, noted, outer_head, protected
from gateway.mime.head import Head

__all__ = ["Protected", "Signing", "protect_smime"]

_OUTER = (
    b'Content-Type: application/pkcs7-mime; smime-type=enveloped-data;\r\n name="smime.p7m"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n'
)
_SIGNATURE = (
    b'Content-Type: application/pkcs7-signature; name="smime.p7s"\r\n'
    b"Content-Transfer-Encoding: base64\r\n"
    b'Content-Disposition: attachment; filename="smime.p7s"\r\n\r\n'
)


@dataclass(frozen=True, slots=True)
class Protected:
    """A finished message and what the exit check holds it against."""

    data: bytes = field(repr=False)
    ciphertext_sha256: str  # hex, of the decoded application/pkcs7-mime body
    recipient_ids: tuple[str, ...]  # as ``recipients_of`` reads them


def protect_smime(
    message: bytes,
    certificate: x509.Certificate,
    signing: Signing,
    *,
    neutral_subject: str | None = None,
    inside_note: str | None = None,
) -> Protected:
    """``message`` (CRLF) for the holder of ``certificate``, who must have been found usable by the keyring.

    ``neutral_subject`` replaces the outer subject; the true one is inside.  ``inside_note`` puts a line of plain text before
    the body, which is then the second part of a multipart/mixed.  Raises TypeError for a key that is not RSA and ValueError
    for a neutral subject that is not one printable line.
    """
    head = Head.of(message)
    ciphertext = envelop(_signed(message, head, signing, neutral_subject, inside_note), certificate)
    lines = base64_lines(ciphertext)
    digest = sha256(ciphertext).hexdigest()
    del ciphertext  # as large as the message
    data = b"".join([*outer_head(head, neutral_subject), _OUTER, *lines])
    return Protected(data, digest, (recipient_id(certificate),))


def _signed(message: bytes, head: Head, signing: Signing, neutral_subject: str | None, note: str | None) -> bytearray:
    """The multipart/signed that gets encrypted.  One buffer: the message is copied once and signed in place."""
    content, before, after = head.content(), b"", b""
    if note is not None:
        content, before, after = noted(content, note)
    root = b"".join([*inner_head(head, neutral_subject), *protected(content), b"\r\n", before])
    mark = boundary()
    entity = bytearray(
        b"MIME-Version: 1.0\r\n"
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n micalg=sha-256; boundary="'
        + mark
        + b'"\r\n\r\n--'
        + mark
        + b"\r\n"
    )
    start = len(entity)
    entity += root
    entity += memoryview(message)[head.body :]
    entity += after
    with memoryview(entity) as whole, whole[start:] as payload:
        signature = sign(payload, signing)
    entity += b"\r\n--" + mark + b"\r\n" + _SIGNATURE
    entity += b"".join(base64_lines(signature))
    entity += b"--" + mark + b"--\r\n"
    return entity
