"""X.509 certificates and revocation lists: files, the addresses they bear, the chain to an authority (RFC 5280, RFC 8550)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from cryptography.x509.verification import Criticality, ExtensionPolicy, Policy, PolicyBuilder, Store, VerificationError

CERTIFICATE_FILES: Final = frozenset({".pem", ".crt", ".cer", ".der", ".p7b", ".p7c"})
CRL_FILES: Final = frozenset({".crl", ".pem", ".der"})
WEAK_HASHES: Final = frozenset({"md2", "md4", "md5", "sha1"})
MAX_DEPTH: Final = 6
MAX_FILE: Final = 64 * 1024 * 1024  # a national authority's revocation list is some ten megabytes

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Problem:
    """A file that could not be used, for ``clinigate check``."""

    file: str = field(repr=False)
    text: str = ""


def read_certificates(folder: Path, problems: list[Problem]) -> Iterator[tuple[str, x509.Certificate]]:
    """(file name, certificate) for every certificate in the folder's files, in the order of their names."""
    for name, certificates in _read(folder, CERTIFICATE_FILES, _certificates, problems):
        for certificate in certificates:
            yield name, certificate


def read_crls(folder: Path, problems: list[Problem]) -> Iterator[x509.CertificateRevocationList]:
    """Every revocation list in the folder's files, one a file."""
    for _, revoked in _read(folder, CRL_FILES, _crl, problems):
        yield revoked


def _read(
    folder: Path, suffixes: frozenset[str], parse: Callable[[bytes], T], problems: list[Problem]
) -> Iterator[tuple[str, T]]:
    if not folder.is_dir():
        return
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in suffixes or not path.is_file():
            continue
        try:
            if path.stat().st_size > MAX_FILE:
                raise ValueError("too big")
            yield path.name, parse(path.read_bytes())
        except (OSError, ValueError, UnsupportedAlgorithm) as error:
            problems.append(Problem(path.name, f"not read: {type(error).__name__}"))


def _certificates(data: bytes) -> Sequence[x509.Certificate]:
    if b"-----BEGIN PKCS7-----" in data:
        return pkcs7.load_pem_pkcs7_certificates(data)
    if b"-----BEGIN CERTIFICATE-----" in data:
        return x509.load_pem_x509_certificates(data)
    try:
        return [x509.load_der_x509_certificate(data)]
    except ValueError:
        return pkcs7.load_der_pkcs7_certificates(data)


def _crl(data: bytes) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl(data) if b"-----BEGIN" in data else x509.load_der_x509_crl(data)


# -- what a certificate says -----------------------------------------------------------------------------------------


def fold(address: str) -> str:
    """The form in which addresses are compared.  RFC 5280 7.5 compares the local part by case, but no hospital's mail
    system does, and a held mail because of "Jane.Doe@" would serve nobody."""
    return address.strip().lower()


def addresses(certificate: x509.Certificate, *, legacy: bool) -> frozenset[str]:
    """Folded mail addresses: rfc822Name; where there is none and ``legacy``, emailAddress of the subject (RFC 8550 3)."""
    names = _alternatives(certificate)
    found = [] if names is None else names.get_values_for_type(x509.RFC822Name)
    if not found and legacy:
        found = [str(one.value) for one in certificate.subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS)]
    return frozenset(fold(one) for one in found)


def domains(certificate: x509.Certificate) -> frozenset[str]:
    """dNSName values, lower case.  Wildcards do not count: they name hosts, not mail domains."""
    names = _alternatives(certificate)
    found = [] if names is None else names.get_values_for_type(x509.DNSName)
    return frozenset(one.lower() for one in found if "*" not in one)


def _alternatives(certificate: x509.Certificate) -> x509.SubjectAlternativeName | None:
    return extension(certificate, x509.SubjectAlternativeName)


E_ = TypeVar("E_", bound=x509.ExtensionType)


def extension(certificate: x509.Certificate, kind: type[E_]) -> E_ | None:
    """The extension, or None when absent.  Raises ValueError when the extensions are malformed."""
    try:
        return certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def fault(certificate: x509.Certificate, minimum_bits: int) -> str | None:
    """What is wrong with the certificate whoever it is for and whenever it is used, as a reason code; None = nothing."""
    try:
        key = certificate.public_key()
        weak = _weakly_signed(certificate)
        usage = extension(certificate, x509.KeyUsage)
        purposes = extension(certificate, x509.ExtendedKeyUsage)
    except (ValueError, UnsupportedAlgorithm):
        return "smime.unsupported-key"
    if not isinstance(key, RSAPublicKey):
        return "smime.unsupported-key"
    if weak or key.key_size < minimum_bits:
        return "smime.weak"
    if usage is not None and not usage.key_encipherment:
        return "smime.wrong-usage"
    mail = {ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE}
    if purposes is not None and not mail.intersection(purposes):
        return "smime.wrong-usage"
    return None


def _weakly_signed(certificate: x509.Certificate) -> bool:
    digest = certificate.signature_hash_algorithm
    return digest is not None and digest.name.lower() in WEAK_HASHES


# -- chain -----------------------------------------------------------------------------------------------------------


def chain(
    certificate: x509.Certificate, others: Iterable[x509.Certificate], anchors: Sequence[x509.Certificate], at: datetime
) -> tuple[x509.Certificate, ...]:
    """``certificate``, then valid CA certificates out of ``others`` up to one of ``anchors``; empty when none leads there.

    The library's path builder with the rules of RFC 5280 alone: its defaults are the web's, which ask for names and
    extensions that hospitals' authorities do not set.
    """
    if not anchors:
        return ()
    authority = (
        ExtensionPolicy.permit_all()
        .require_present(x509.BasicConstraints, Criticality.AGNOSTIC, _is_authority)
        .may_be_present(x509.KeyUsage, Criticality.AGNOSTIC, _signs_certificates)
    )
    verifier = (
        PolicyBuilder()
        .store(Store(list(anchors)))
        .time(at)
        .max_chain_depth(MAX_DEPTH)
        .extension_policies(ca_policy=authority, ee_policy=ExtensionPolicy.permit_all())
        .build_client_verifier()
    )
    try:
        return tuple(verifier.verify(certificate, list(others)).chain)
    except VerificationError:
        return ()


def _is_authority(_policy: Policy, _certificate: x509.Certificate, constraints: x509.BasicConstraints) -> None:
    if not constraints.ca:
        raise ValueError("not an authority")


def _signs_certificates(_policy: Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None) -> None:
    if usage is not None and not usage.key_cert_sign:
        raise ValueError("may not sign certificates")
