"""Certificates for tests, each named for its defect.  Also: ``python -m tests.support.certs DIR`` writes a set for trying out.

Keys are made once a process.  Everything is valid around ``NOW`` unless told otherwise.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

NOW = datetime.now(UTC).replace(microsecond=0)
PASSWORD = b"test"
Key = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey


@functools.cache
def rsa_key(label: str, bits: int = 2048) -> rsa.RSAPrivateKey:
    """The same label gives the same key within one process."""
    return rsa.generate_private_key(65537, bits)


@functools.cache
def ec_key(label: str) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@dataclass(frozen=True)
class Identity:
    """A certificate and its private key."""

    certificate: x509.Certificate
    key: Key

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)

    @property
    def der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    @property
    def key_pem(self) -> bytes:
        return self.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())

    def p12(self, *chain: Identity) -> bytes:
        """PKCS#12 as gpgsm 2.2 reads it (3DES and SHA-1 MAC), password ``PASSWORD``."""
        sealed = (
            PrivateFormat.PKCS12.encryption_builder()
            .kdf_rounds(2048)
            .key_cert_algorithm(pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC)
            .hmac_hash(hashes.SHA1())
            .build(PASSWORD)
        )
        cas = [one.certificate for one in chain]
        return pkcs12.serialize_key_and_certificates(b"test", self.key, self.certificate, cas or None, sealed)

    def write(self, folder: Path, name: str) -> tuple[Path, Path]:
        """NAME.pem and NAME.key (mode 600)."""
        certificate, key = folder / f"{name}.pem", folder / f"{name}.key"
        certificate.write_bytes(self.pem)
        key.write_bytes(self.key_pem)
        key.chmod(0o600)
        return certificate, key


def authority(
    name: str = "Test CA", *, issuer: Identity | None = None, path_length: int | None = None, days: int = 3650
) -> Identity:
    """A root, or an intermediate when ``issuer`` is given."""
    usage = x509.KeyUsage(False, False, False, False, False, True, True, False, False)
    return issue(name, issuer=issuer, key=rsa_key(name), ca=True, path_length=path_length, usage=usage, purposes=None, days=days)


def issue(
    common_name: str,
    *,
    issuer: Identity | None = None,
    key: Key | None = None,
    emails: Sequence[str] = (),
    dns: Sequence[str] = (),
    addresses: Sequence[str] = (),
    dn_email: str | None = None,
    purposes: Sequence[x509.ObjectIdentifier] | None = (ExtendedKeyUsageOID.EMAIL_PROTECTION,),
    usage: x509.KeyUsage | None = None,
    no_usage: bool = False,
    start: timedelta = timedelta(days=-1),
    days: int = 365,
    ca: bool = False,
    path_length: int | None = None,
) -> Identity:
    """A certificate; self-signed without ``issuer``.  ``days`` counts from ``start``, which is relative to NOW."""
    key = key or rsa_key(common_name)
    names = [x509.NameAttribute(NameOID.COMMON_NAME, common_name)]
    if dn_email:
        names.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, dn_email))
    subject = x509.Name(names)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW + start)
        .not_valid_after(NOW + start + timedelta(days=days))
        .add_extension(x509.BasicConstraints(ca, path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    signer: Key = issuer.key if issuer else key
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False)
    alternatives: list[x509.GeneralName] = [x509.RFC822Name(one) for one in emails]
    alternatives += [x509.DNSName(one) for one in dns]
    alternatives += [x509.IPAddress(ip_address(one)) for one in addresses]
    if alternatives:
        builder = builder.add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
    if purposes:
        builder = builder.add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
    if not no_usage:
        default = x509.KeyUsage(True, False, True, False, False, False, False, False, False)
        builder = builder.add_extension(usage or default, critical=True)
    algorithm = None if isinstance(signer, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return Identity(builder.sign(signer, algorithm), key)


def person(address: str, *, issuer: Identity | None = None, **options: object) -> Identity:
    """An S/MIME certificate for ``address``."""
    return issue(address, issuer=issuer, **{"emails": [address], **options})  # type: ignore[arg-type]  # passed through


def server(
    *, issuer: Identity, dns: Sequence[str] = ("localhost",), addresses: Sequence[str] = ("127.0.0.1",), days: int = 365
) -> Identity:
    """A TLS server certificate for loopback."""
    purposes = [ExtendedKeyUsageOID.SERVER_AUTH]
    return issue("server", issuer=issuer, dns=dns, addresses=addresses, purposes=purposes, days=days)


def client(*, issuer: Identity, name: str = "gateway") -> Identity:
    """A TLS client certificate."""
    return issue(name, issuer=issuer, purposes=[ExtendedKeyUsageOID.CLIENT_AUTH])


def weakly_signed(identity: Identity, digest: str) -> Identity:
    """The same certificate with ``sha1`` or ``md5`` named as its signature's hash (the library cannot sign with these)."""
    last = {"sha1": b"\x05", "md5": b"\x04"}[digest]
    stem = bytes.fromhex("2a864886f70d0101")  # PKCS#1; ...0b is sha256WithRSAEncryption
    return Identity(x509.load_der_x509_certificate(identity.der.replace(stem + b"\x0b", stem + last)), identity.key)


def crl(issuer: Identity, *revoked: Identity, start: timedelta = timedelta(hours=-1), days: float = 7) -> bytes:
    """A CRL in PEM, next update ``days`` after ``start``."""
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.certificate.subject)
        .last_update(NOW + start)
        .next_update(NOW + start + timedelta(days=days))
    )
    for one in revoked:
        entry = x509.RevokedCertificateBuilder().serial_number(one.certificate.serial_number).revocation_date(NOW + start).build()
        builder = builder.add_revoked_certificate(entry)
    return builder.sign(issuer.key, hashes.SHA256()).public_bytes(Encoding.PEM)


def main(folder: Path) -> None:
    """A small set: CA, gateway signer, two recipients, TLS server and client."""
    folder.mkdir(parents=True, exist_ok=True)
    root = authority()
    root.write(folder, "ca")
    for name, identity in {
        "signer": person("secure@hospital.example", issuer=root),
        "jane@practice.example": person("jane@practice.example", issuer=root),
        "omar@practice.example": person("omar@practice.example", issuer=root),
        "server": server(issuer=root),
        "client": client(issuer=root),
    }.items():
        identity.write(folder, name)
        (folder / f"{name}.p12").write_bytes(identity.p12(root))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
