"""Sign and envelop with CMS (RFC 5652) so that Outlook, Thunderbird, openssl and gpgsm 2.2 open it.

AES-256-CBC and RSA PKCS#1 v1.5: what every one of them reads (AES-GCM, OAEP and key agreement are not read by gpgsm 2.2 and
NSS 3.87).  CBC carries no integrity of its own; the signature inside does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.ciphers import algorithms
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_private_key, pkcs7

_BINARY = pkcs7.PKCS7Options.Binary  # exact octets: the default rewrites line ends


@dataclass(frozen=True, slots=True)
class Signing:
    """The organisation's signing certificate, its key and the intermediates to send along."""

    certificate: x509.Certificate
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = field(repr=False)
    chain: tuple[x509.Certificate, ...] = ()

    @classmethod
    def load(cls, certificate: Path, key: Path) -> Signing:
        """PEM files: the certificate first, intermediates after it.  Raises OSError or ValueError."""
        first, *chain = x509.load_pem_x509_certificates(certificate.read_bytes())
        private = load_pem_private_key(key.read_bytes(), None)
        if not isinstance(private, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
            raise ValueError("the S/MIME signing key must be RSA or EC")
        form = Encoding.DER, PublicFormat.SubjectPublicKeyInfo
        if private.public_key().public_bytes(*form) != first.public_key().public_bytes(*form):
            raise ValueError("the S/MIME signing key does not belong to the certificate")
        return cls(first, private, tuple(chain))

    def fault(self, at: datetime) -> str | None:
        """Why nothing should be signed at ``at`` (aware), as a reason code."""
        if at < self.certificate.not_valid_before_utc:
            return "smime.signer-not-yet-valid"
        if at > self.certificate.not_valid_after_utc:
            return "smime.signer-expired"
        return None


def sign(data: bytes | bytearray | memoryview, signing: Signing) -> bytes:
    """A detached SignedData over exactly ``data``, SHA-256, certificates included; DER."""
    builder = pkcs7.PKCS7SignatureBuilder().set_data(data).add_signer(signing.certificate, signing.key, hashes.SHA256())
    for one in signing.chain:  # last: the builder forgets them on any other call
        builder = builder.add_certificate(one)
    return builder.sign(Encoding.DER, [_BINARY, pkcs7.PKCS7Options.DetachedSignature])


def envelop(data: bytes | bytearray, certificate: x509.Certificate) -> bytes:
    """EnvelopedData over exactly ``data`` for one recipient; DER.  Raises TypeError for a key that is not RSA."""
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(data).add_recipient(certificate)  # type: ignore[arg-type]  # takes any buffer
    return builder.set_content_encryption_algorithm(algorithms.AES256).encrypt(Encoding.DER, [_BINARY])
