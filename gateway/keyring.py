"""Certificates of recipients in a folder: the best usable one for an address, or the reason why there is none.

``FOLDER/*.pem *.crt *.cer *.der *.p7b *.p7c`` hold recipients' and intermediate certificates, ``FOLDER/anchors/`` trusted
authorities, ``FOLDER/crls/`` revocation lists.  Without any anchor, lying in the folder is what makes a certificate trusted.
A private key next to a certificate is neither needed nor read.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final, get_args

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.types import CertificateIssuerPublicKeyTypes

from gateway.encryption.certificates import (
    Problem,
    addresses,
    chain,
    domains,
    extension,
    fault,
    fold,
    read_certificates,
    read_crls,
)
from policies.model import CertificateTerms

# From the furthest to the nearest to success: of several unusable certificates the nearest one's reason is told,
# because mending that one is the shortest way.
REASONS: Final[Mapping[str, str]] = {
    "smime.no-certificate": "no certificate of this address is known",
    "smime.wrong-address": "the certificate filed for this address names another one",
    "smime.unsupported-key": "the certificate's key is not RSA",
    "smime.weak": "the certificate's key is shorter than 2048 bits or its signature uses SHA-1 or MD5",
    "smime.wrong-usage": "the certificate is not for encrypting mail",
    "smime.not-yet-valid": "the certificate is not valid yet",
    "smime.expired": "the certificate has expired",
    "smime.untrusted": "the certificate does not lead to a trusted authority",
    "smime.crl-stale": "the authority's list of revoked certificates is missing or out of date",
    "smime.revoked": "the certificate was revoked",
}
REFRESH: Final = timedelta(seconds=5)
CRL_KEYS: Final = get_args(CertificateIssuerPublicKeyTypes)
_RANK: Final = {code: rank for rank, code in enumerate(REASONS)}


@dataclass(frozen=True, slots=True)
class KeyringSettings:
    """What the administrator may choose; the defaults are the strict ones."""

    minimum_rsa_bits: int = 2048
    legacy_dn: bool = True  # an emailAddress in the subject counts where there is no rfc822Name at all (RFC 8550 section 3)
    domain_bound: bool = False  # a dNSName equal to the recipient's domain counts (one certificate for a whole practice)
    require_crl: bool = False  # no list of the issuer: smime.crl-stale
    refuse_stale_crl: bool = True  # a list past its next update: smime.crl-stale


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate and where it came from."""

    certificate: x509.Certificate = field(repr=False)
    file: str = field(repr=False)  # often bears the address


@dataclass(frozen=True, slots=True)
class Found:
    """The answer for one address: ``reason`` is "ok" or a key of REASONS; ``certificates`` has the best first, or is empty."""

    reason: str
    certificates: tuple[x509.Certificate, ...] = field(default=(), repr=False)

    @property
    def ok(self) -> bool:
        return self.reason == "ok"


@dataclass(frozen=True, slots=True)
class Expiry:
    """One certificate that ends soon or has ended.  ``replaced``: every address of it has a usable later one."""

    addresses: tuple[str, ...] = field(repr=False)
    file: str = field(repr=False)
    ends: datetime
    replaced: bool


class Keyring:
    """Use ``Keyring.load``.  ``problems`` lists what could not be read, for ``clinigate check``."""

    def __init__(self, folder: Path, settings: KeyringSettings) -> None:
        self.folder = folder
        self.settings = settings
        self.problems: tuple[Problem, ...] = ()
        self._stamp: frozenset[tuple[str, int, int]] | None = None
        self._looked: datetime | None = None
        self._entries: tuple[Entry, ...] = ()
        self._index: dict[str, list[Entry]] = {}
        self._authorities: tuple[x509.Certificate, ...] = ()  # intermediates
        self._anchors: tuple[x509.Certificate, ...] = ()
        self._anchor_files: dict[str, list[x509.Certificate]] = {}
        self._anchored = False
        self._crls: dict[bytes, list[x509.CertificateRevocationList]] = {}

    @classmethod
    def load(cls, folder: Path, settings: KeyringSettings | None = None) -> Keyring:
        """Read everything.  Raises OSError when the folder cannot be listed; a broken file is a problem, not an error."""
        keyring = cls(folder, settings or KeyringSettings())
        keyring.reload()
        return keyring

    def __len__(self) -> int:
        """How many certificates lie in the folder, intermediates included."""
        return len(self._entries)

    def reload(self) -> bool:
        """Read again if any file's name, time or size changed; whether it did.  One ``stat`` a file when nothing did.

        Raises OSError when the folder cannot be listed: what was loaded before must then not be relied on.
        """
        stamp = frozenset(self._files())
        if stamp == self._stamp:
            return False
        problems: list[Problem] = []
        entries = [Entry(one, file) for file, one in read_certificates(self.folder, problems)]
        self._entries = tuple(entry for entry in entries if _parses(entry, problems))
        self._authorities = tuple(entry.certificate for entry in self._entries if _authority(entry.certificate))
        self._anchor_files = {}
        for file, one in read_certificates(self.folder / "anchors", problems):
            self._anchor_files.setdefault(file, []).append(one)
        self._anchors = tuple(one for each in self._anchor_files.values() for one in each)
        # A file in anchors/ that cannot be read must not turn checking off: anchored means "there is a file", not "it was read".
        self._anchored = any(Path(name).parent.name == "anchors" for name, _, _ in stamp)
        self._crls = {}
        for revoked in read_crls(self.folder / "crls", problems):
            self._crls.setdefault(revoked.issuer.public_bytes(), []).append(revoked)
        self._index = self._by_name()
        self.problems = tuple(problems)
        self._stamp = stamp
        return True

    def refresh(self, at: datetime) -> bool:
        """``reload``, but at most once in REFRESH seconds of the caller's clock: for use before every message."""
        if self._looked is not None and timedelta(0) <= at - self._looked < REFRESH:
            return False
        changed = self.reload()
        self._looked = at
        return changed

    def find(self, address: str, at: datetime, terms: CertificateTerms | None = None) -> Found:
        """Usable certificates for ``address`` at ``at`` (aware), the one that ends last first; else the nearest reason.

        ``terms``: what the register asks of certificates of this domain, instead of the settings.
        """
        wanted, terms = fold(address), terms or self._terms
        domain = "" if terms.bound_to == "address" else wanted.rpartition("@")[2]
        candidates = [*self._index.get(wanted, ()), *self._index.get(domain, ())]
        judged = [(self._fault(entry.certificate, wanted, at, terms), entry.certificate) for entry in candidates]
        usable = sorted((one for code, one in judged if code is None), key=_latest, reverse=True)
        if usable:
            return Found("ok", tuple(usable))
        codes = [code for code, _ in judged if code is not None]
        return Found(max(codes, key=_RANK.__getitem__, default="smime.no-certificate"))

    def expiring(self, days: int, at: datetime) -> list[Expiry]:
        """Certificates that end within ``days`` of ``at`` or have ended, the first to end first."""
        limit = at + timedelta(days=days)
        ending = [entry for entry in self._entries if entry.certificate.not_valid_after_utc <= limit]
        return sorted((self._expiry(entry, limit) for entry in ending), key=lambda one: one.ends)

    # -- index -------------------------------------------------------------------------------------------------------

    def _files(self) -> Iterable[tuple[str, int, int]]:
        for folder in (self.folder, self.folder / "anchors", self.folder / "crls"):
            if folder is not self.folder and not folder.is_dir():
                continue
            for path in folder.iterdir():
                try:
                    told = path.stat()
                except FileNotFoundError:
                    continue  # gone since the listing: the next listing will differ
                yield str(path), told.st_mtime_ns, told.st_size

    def _by_name(self) -> dict[str, list[Entry]]:
        """By address, by domain where that counts, and by a file named like an address (so that a slip can be told)."""
        index: dict[str, list[Entry]] = {}
        for entry in self._entries:
            names = set(addresses(entry.certificate, legacy=True))
            stem = fold(Path(entry.file).stem)
            if "@" in stem:
                names.add(stem)
            for name in names | domains(entry.certificate):
                index.setdefault(name, []).append(entry)
        return index

    # -- judgement ---------------------------------------------------------------------------------------------------

    @property
    def _terms(self) -> CertificateTerms:
        """What the settings ask of a certificate for a domain that asks for nothing itself."""
        bound = "address-or-domain" if self.settings.domain_bound else "address"
        return CertificateTerms(bound, require_revocation=self.settings.require_crl)

    def _fault(self, certificate: x509.Certificate, wanted: str, at: datetime, terms: CertificateTerms) -> str | None:
        """The first thing wrong, in the order of REASONS."""
        if not self._names(certificate, wanted, terms.bound_to):
            return "smime.wrong-address"
        wrong = fault(certificate, self.settings.minimum_rsa_bits)
        if wrong:
            return wrong
        if at < certificate.not_valid_before_utc:
            return "smime.not-yet-valid"
        if at > certificate.not_valid_after_utc:
            return "smime.expired"
        if not self._anchored and not terms.anchors:
            return self._revocation(certificate, at, terms)
        named = [one for file in terms.anchors for one in self._anchor_files.get(file, ())]
        path = chain(certificate, self._authorities, named if terms.anchors else self._anchors, at)
        if not path:
            return "smime.untrusted"
        doubts = [self._revocation(one, at, terms) for one in path if one not in self._anchors]
        return max(filter(None, doubts), key=_RANK.__getitem__, default=None)

    def _names(self, certificate: x509.Certificate, wanted: str, bound_to: str) -> bool:
        if wanted in addresses(certificate, legacy=self.settings.legacy_dn):
            return bound_to != "domain"
        if bound_to == "address" or addresses(certificate, legacy=True):
            return False  # a person's certificate is that person's, whatever hosts it names
        return wanted.rpartition("@")[2] in domains(certificate)

    def _revocation(self, certificate: x509.Certificate, at: datetime, terms: CertificateTerms) -> str | None:
        """Any list that names the certificate revokes it; a fresh, genuine list is needed for it not to be in doubt."""
        lists = [one for one in self._crls.get(certificate.issuer.public_bytes(), ()) if self._genuine(one)]
        for one in lists:
            entry = one.get_revoked_certificate_by_serial_number(certificate.serial_number)
            if entry is not None and not _unrevoked(entry):
                return "smime.revoked"
        if not lists:
            return "smime.crl-stale" if terms.require_revocation else None
        if self.settings.refuse_stale_crl and not any(_fresh(one, at) for one in lists):
            return "smime.crl-stale"
        return None

    def _genuine(self, one: x509.CertificateRevocationList) -> bool:
        """Signed by a known certificate of its issuer.  Without anchors whatever lies in the folder is believed."""
        if not self._anchored:
            return True
        signers = [each for each in (*self._anchors, *self._authorities) if each.subject == one.issuer]
        return any(_signed_by(one, each) for each in signers)

    def _expiry(self, entry: Entry, limit: datetime) -> Expiry:
        names = addresses(entry.certificate, legacy=True)
        replaced = bool(names) and all(self.find(name, limit).ok for name in names)
        return Expiry(tuple(sorted(names)), entry.file, entry.certificate.not_valid_after_utc, replaced)


def _parses(entry: Entry, problems: list[Problem]) -> bool:
    """Extensions are parsed on first use: make sure here that later use cannot fail."""
    try:
        addresses(entry.certificate, legacy=True)
        _authority(entry.certificate)
    except ValueError:
        problems.append(Problem(entry.file, "not read: malformed extensions"))
        return False
    return True


def _authority(certificate: x509.Certificate) -> bool:
    constraints = extension(certificate, x509.BasicConstraints)
    return constraints is not None and constraints.ca


def _latest(certificate: x509.Certificate) -> tuple[datetime, int]:
    return certificate.not_valid_after_utc, certificate.serial_number  # the serial only makes the order certain


def _fresh(one: x509.CertificateRevocationList, at: datetime) -> bool:
    return one.next_update_utc is not None and at <= one.next_update_utc


def _unrevoked(entry: x509.RevokedCertificate) -> bool:
    try:
        reason = entry.extensions.get_extension_for_class(x509.CRLReason).value.reason
    except x509.ExtensionNotFound:
        return False
    return reason is x509.ReasonFlags.remove_from_crl


def _signed_by(one: x509.CertificateRevocationList, signer: x509.Certificate) -> bool:
    key = signer.public_key()
    if not isinstance(key, CRL_KEYS):
        return False
    return one.is_signature_valid(key)
