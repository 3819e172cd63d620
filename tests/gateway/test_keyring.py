"""The keyring gives only certificates that may be used, and says why where there is none."""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import ExtendedKeyUsageOID

from gateway.keyring import REASONS, Keyring, KeyringSettings
from policies.model import CertificateTerms
from tests.support.certs import NOW, Identity, authority, crl, ec_key, issue, person, rsa_key, weakly_signed

pytestmark = pytest.mark.unit

JANE = "jane@practice.example"
SIGN_ONLY = x509.KeyUsage(True, True, False, False, False, False, False, False, False)


def jane(**options: object) -> Identity:
    return person(JANE, key=rsa_key("jane"), **options)


def keyring(folder: Path, *people: Identity, settings: KeyringSettings | None = None, **files: bytes) -> Keyring:
    """A keyring of ``people`` and of files given as ``anchors__name=...``."""
    for number, one in enumerate(people):
        (folder / f"{number}.pem").write_bytes(one.pem)
    for name, data in files.items():
        path = folder / name.replace("__", "/")
        path.parent.mkdir(exist_ok=True)
        path.with_suffix(".pem").write_bytes(data)
    return Keyring.load(folder, settings)


BAD = {
    "smime.expired": lambda: jane(start=timedelta(days=-400), days=399),
    "smime.not-yet-valid": lambda: jane(start=timedelta(days=1)),
    "smime.wrong-usage": lambda: jane(usage=SIGN_ONLY),
    "smime.weak": lambda: person(JANE, key=rsa_key("short", 1024)),
    "smime.unsupported-key": lambda: person(JANE, key=ec_key("jane")),
    "smime.no-certificate": lambda: person("jane@other.example"),
}


@pytest.mark.parametrize("reason", BAD)
def test_each_bad_certificate_is_refused_with_its_reason(tmp_path: Path, reason: str) -> None:
    found = keyring(tmp_path, BAD[reason]()).find(JANE, NOW)
    assert (found.reason, found.certificates, found.ok) == (reason, (), False)
    assert reason in REASONS


@pytest.mark.parametrize("digest", ["sha1", "md5"])
def test_a_certificate_signed_with_a_broken_hash_is_weak(tmp_path: Path, digest: str) -> None:
    assert keyring(tmp_path, weakly_signed(jane(), digest)).find(JANE, NOW).reason == "smime.weak"


def test_a_certificate_for_web_servers_is_not_for_mail(tmp_path: Path) -> None:
    web = jane(purposes=[ExtendedKeyUsageOID.SERVER_AUTH])
    assert keyring(tmp_path, web).find(JANE, NOW).reason == "smime.wrong-usage"


@pytest.mark.parametrize("purposes", [None, [ExtendedKeyUsageOID.ANY_EXTENDED_KEY_USAGE]])
def test_a_certificate_without_limits_on_its_use_serves(tmp_path: Path, purposes: list[x509.ObjectIdentifier] | None) -> None:
    assert keyring(tmp_path, jane(purposes=purposes, no_usage=True)).find(JANE, NOW).ok


def test_addresses_match_as_a_whole_and_without_regard_to_case(tmp_path: Path) -> None:
    keys = keyring(tmp_path, jane())
    assert keys.find("Jane@Practice.Example", NOW).ok
    for other in ("ane@practice.example", "jane@practice.example.org", "jane@sub.practice.example", "jane", ""):
        assert keys.find(other, NOW).reason == "smime.no-certificate"


def test_a_file_named_for_one_address_with_the_certificate_of_another_is_told(tmp_path: Path) -> None:
    (tmp_path / f"{JANE}.pem").write_bytes(person("omar@practice.example").pem)
    assert Keyring.load(tmp_path).find(JANE, NOW).reason == "smime.wrong-address"


def test_an_address_in_the_subject_counts_only_without_a_san_address_and_by_setting(tmp_path: Path) -> None:
    """RFC 8550 section 3: legacy certificates."""
    legacy = issue("Jane", dn_email=JANE)
    assert keyring(tmp_path, legacy).find(JANE, NOW).ok
    assert keyring(tmp_path, legacy, settings=KeyringSettings(legacy_dn=False)).find(JANE, NOW).reason == "smime.wrong-address"
    both = issue("Jane", dn_email=JANE, emails=["other@practice.example"])
    assert not keyring(tmp_path, both).find(JANE, NOW).ok


def test_a_domains_certificate_counts_only_by_setting(tmp_path: Path) -> None:
    practice = issue("practice", dns=["practice.example"])
    bound = KeyringSettings(domain_bound=True)
    assert keyring(tmp_path, practice).find(JANE, NOW).reason == "smime.no-certificate"
    assert keyring(tmp_path, practice, settings=bound).find(JANE, NOW).ok
    assert not Keyring.load(tmp_path, bound).find("jane@sub.practice.example", NOW).ok
    person_too = issue("omar", dns=["practice.example"], emails=["omar@practice.example"])
    assert not keyring(tmp_path, person_too, settings=bound).find(JANE, NOW).ok


@pytest.mark.parametrize(
    ("bound_to", "personal", "domains"), [("address", True, False), ("domain", False, True), ("address-or-domain", True, True)]
)
def test_the_register_says_what_a_certificate_must_name(tmp_path: Path, bound_to: str, personal: bool, domains: bool) -> None:
    terms = CertificateTerms(bound_to, require_revocation=False)
    keys = keyring(tmp_path, jane(), issue("practice", dns=["surgery.example"]))
    assert keys.find(JANE, NOW, terms).ok is personal
    assert keys.find("omar@surgery.example", NOW, terms).ok is domains


def test_the_register_names_the_authorities_and_asks_for_their_lists(tmp_path: Path) -> None:
    ours, theirs = authority("ours"), authority("theirs")
    files = {"anchors__ours": ours.pem, "anchors__theirs": theirs.pem}
    keys = keyring(tmp_path, jane(issuer=theirs), **files)
    assert keys.find(JANE, NOW).ok, "the settings ask for nothing more"
    assert keys.find(JANE, NOW, CertificateTerms(anchors=("ours.pem",), require_revocation=False)).reason == "smime.untrusted"
    assert keys.find(JANE, NOW, CertificateTerms(anchors=("gone.pem",), require_revocation=False)).reason == "smime.untrusted"
    named = CertificateTerms(anchors=("ours.pem", "theirs.pem"))
    assert keys.find(JANE, NOW, named).reason == "smime.crl-stale"
    assert keyring(tmp_path, jane(issuer=theirs), **files, crls__theirs=crl(theirs)).find(JANE, NOW, named).ok


def test_of_several_the_valid_one_that_ends_last_is_chosen(tmp_path: Path) -> None:
    """zammad#4029: one expired certificate of several must not stop the mail."""
    early, late, gone = jane(days=30), jane(days=300), BAD["smime.expired"]()
    found = keyring(tmp_path, gone, early, late).find(JANE, NOW)
    assert found.ok and found.certificates == (late.certificate, early.certificate)


def test_of_several_bad_ones_the_nearest_reason_is_told(tmp_path: Path) -> None:
    assert keyring(tmp_path, BAD["smime.unsupported-key"](), BAD["smime.expired"]()).find(JANE, NOW).reason == "smime.expired"


def test_with_anchors_a_certificate_must_lead_to_one(tmp_path: Path) -> None:
    root, other = authority("Root"), authority("Other")
    middle = authority("Middle", issuer=root)
    good = jane(issuer=middle)
    assert keyring(tmp_path, good, anchors__root=root.pem).find(JANE, NOW).reason == "smime.untrusted"
    assert keyring(tmp_path, good, middle, anchors__root=root.pem).find(JANE, NOW).ok
    assert keyring(tmp_path, jane(issuer=other), middle).find(JANE, NOW).reason == "smime.untrusted"
    assert keyring(tmp_path, jane(), middle).find(JANE, NOW).reason == "smime.untrusted"


def test_a_person_an_expired_or_a_too_deep_authority_cannot_vouch(tmp_path: Path) -> None:
    root = authority("Root")
    omar = person("omar@practice.example", issuer=root)
    assert keyring(tmp_path, jane(issuer=omar), omar, anchors__root=root.pem).find(JANE, NOW).reason == "smime.untrusted"
    ended = authority("Ended", issuer=root, days=0)
    assert keyring(tmp_path, jane(issuer=ended), ended).find(JANE, NOW).reason == "smime.untrusted"
    last = authority("Last", issuer=root, path_length=0)
    deeper = authority("Deeper", issuer=last)
    assert keyring(tmp_path, jane(issuer=deeper), last, deeper).find(JANE, NOW).reason == "smime.untrusted"


def test_an_authority_without_the_right_to_sign_certificates_cannot_vouch(tmp_path: Path) -> None:
    root = authority("Root")
    idle = issue("Idle", issuer=root, ca=True, purposes=None, usage=SIGN_ONLY)
    assert keyring(tmp_path, jane(issuer=idle), idle, anchors__root=root.pem).find(JANE, NOW).reason == "smime.untrusted"


def test_an_unreadable_anchor_never_turns_checking_off(tmp_path: Path) -> None:
    keys = keyring(tmp_path, jane(), anchors__root=b"-----BEGIN CERTIFICATE-----\nnonsense\n-----END CERTIFICATE-----\n")
    assert keys.find(JANE, NOW).reason == "smime.untrusted"
    assert [problem.file for problem in keys.problems] == ["root.pem"]


def test_a_revoked_certificate_is_refused_and_a_stale_list_is_no_list(tmp_path: Path) -> None:
    root = authority("Root")
    good, other = jane(issuer=root), person("omar@practice.example", issuer=root)
    files = {"anchors__root": root.pem}
    assert keyring(tmp_path, good, **files).find(JANE, NOW).ok
    assert keyring(tmp_path, good, settings=KeyringSettings(require_crl=True)).find(JANE, NOW).reason == "smime.crl-stale"
    assert keyring(tmp_path, good, crls__root=crl(root, other)).find(JANE, NOW).ok
    assert keyring(tmp_path, good, crls__root=crl(root, other, good)).find(JANE, NOW).reason == "smime.revoked"
    stale = crl(root, start=timedelta(days=-8))
    assert keyring(tmp_path, good, crls__root=stale).find(JANE, NOW).reason == "smime.crl-stale"
    assert keyring(tmp_path, good, settings=KeyringSettings(refuse_stale_crl=False)).find(JANE, NOW).ok
    gone = crl(root, good, start=timedelta(days=-8))
    assert keyring(tmp_path, good, crls__root=gone).find(JANE, NOW).reason == "smime.revoked", "stale lists still revoke"


def test_a_revoked_intermediate_vouches_for_nobody(tmp_path: Path) -> None:
    root = authority("Root")
    middle = authority("Middle", issuer=root)
    files = {"anchors__root": root.pem, "crls__root": crl(root, middle)}
    assert keyring(tmp_path, jane(issuer=middle), middle, **files).find(JANE, NOW).reason == "smime.revoked"


def test_a_forged_list_counts_for_nothing(tmp_path: Path) -> None:
    """Same name, other key: it neither revokes nor makes an authority's word fresh."""
    root = authority("Root")
    good = jane(issuer=root)
    forger = Identity(root.certificate, rsa_key("forger"))
    files = {"anchors__root": root.pem, "crls__root": crl(forger, good)}
    assert keyring(tmp_path, good, **files).find(JANE, NOW).ok
    assert Keyring.load(tmp_path, KeyringSettings(require_crl=True)).find(JANE, NOW).reason == "smime.crl-stale"


def test_a_pinned_certificate_can_be_revoked_too(tmp_path: Path) -> None:
    root = authority("Root")
    good = jane(issuer=root)
    assert keyring(tmp_path, good, crls__root=crl(root, good)).find(JANE, NOW).reason == "smime.revoked"


@pytest.mark.parametrize("form", ["crt", "cer", "der", "p7b-pem", "p7b-der", "bundle"])
def test_every_usual_file_form_is_read(tmp_path: Path, form: str) -> None:
    one, two = jane(), person("omar@practice.example")
    both = [one.certificate, two.certificate]
    name, data = {
        "crt": ("a.crt", one.pem),
        "cer": ("a.CER", one.der),
        "der": ("a.der", one.der),
        "p7b-pem": ("a.p7b", pkcs7.serialize_certificates(both, Encoding.PEM)),
        "p7b-der": ("a.p7b", pkcs7.serialize_certificates(both, Encoding.DER)),
        "bundle": ("a.pem", two.key_pem + two.pem + one.pem),
    }[form]
    (tmp_path / name).write_bytes(data)
    keys = Keyring.load(tmp_path)
    assert keys.find(JANE, NOW).ok and not keys.problems


@pytest.mark.parametrize("data", [b"", b"nonsense", b"0\x82\x01\x00", b"-----BEGIN CERTIFICATE-----\n!\n"])
def test_a_broken_file_is_a_problem_and_stops_nobody_else(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "broken.pem").write_bytes(data)
    keys = keyring(tmp_path, jane())
    assert keys.find(JANE, NOW).ok and [problem.file for problem in keys.problems] == ["broken.pem"]


def test_reload_sees_changes_and_does_nothing_without(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    assert keys.find(JANE, NOW).reason == "smime.no-certificate"
    (tmp_path / "new.pem").write_bytes(jane().pem)
    assert keys.reload() and keys.find(JANE, NOW).ok
    assert not keys.reload()
    (tmp_path / "new.pem").write_bytes(BAD["smime.expired"]().pem)
    os.utime(tmp_path / "new.pem", ns=(1, 1))
    assert keys.reload() and keys.find(JANE, NOW).reason == "smime.expired"
    (tmp_path / "new.pem").unlink()
    assert keys.reload() and len(keys) == 0


def test_refresh_looks_again_only_after_a_while(tmp_path: Path) -> None:
    keys = keyring(tmp_path)
    assert not keys.refresh(NOW)
    (tmp_path / "new.pem").write_bytes(jane().pem)
    assert not keys.refresh(NOW + timedelta(seconds=4)) and keys.refresh(NOW + timedelta(seconds=5))
    assert keys.find(JANE, NOW).ok


def test_a_missing_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="absent"):
        Keyring.load(tmp_path / "absent")
    keys = keyring(tmp_path, jane())
    (tmp_path / "0.pem").unlink()
    tmp_path.rmdir()
    with pytest.raises(FileNotFoundError):
        keys.reload()


def test_expiring_lists_what_ends_soon_and_whether_it_is_replaced(tmp_path: Path) -> None:
    omar = person("omar@practice.example", days=11)
    keys = keyring(tmp_path, jane(days=20), jane(days=200), omar, person("zoe@practice.example", days=90))
    listed = keys.expiring(30, NOW)
    assert [(one.addresses, one.file, one.replaced) for one in listed] == [
        (("omar@practice.example",), "2.pem", False),
        ((JANE,), "0.pem", True),
    ]
    assert listed[0].ends == omar.certificate.not_valid_after_utc


def test_nothing_of_a_person_stands_in_a_repr(tmp_path: Path) -> None:
    keys = keyring(tmp_path, jane(days=3))
    assert "jane" not in repr(keys.find(JANE, NOW)) + repr(keys.expiring(30, NOW)) + repr(keys.problems)
