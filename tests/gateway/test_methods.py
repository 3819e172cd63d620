"""The registered protection methods: ready tells why not, protect never falls back to anything weaker."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import pkcs7

from gateway.context import RouteSpec
from gateway.encryption import METHODS
from gateway.encryption.api import CannotProtect
from gateway.encryption.recipients import recipient_id
from gateway.encryption.smime import Protected, Signing
from gateway.keyring import Keyring
from gateway.model import Recipient
from policies.model import (
    Carrier,
    CertificateTerms,
    Consent,
    ConsentStatus,
    DomainEntry,
    Kind,
    RecipientClass,
    RecipientFacts,
    Statement,
    WayTerms,
)
from tests.support.certs import NOW, person

pytestmark = pytest.mark.unit

JANE = person("jane@practice.example")
GATEWAY = person("secure@hospital.example")
MESSAGE = b"From: a@hospital.example\r\nTo: jane@practice.example\r\nSubject: Mr Smith\r\n\r\nhello\r\n"


@dataclass
class Finishing:
    """Stands for the gateway's finisher: notes what it is asked."""

    asked: list[str] = field(default_factory=list)
    made: Protected | None = None

    def plain(self, *_: object) -> Any:
        self.asked.append("plain")
        return "finished"

    def inner(self) -> Any:
        self.asked.append("inner")
        return SimpleNamespace(cleared=SimpleNamespace(data=MESSAGE))

    def encrypted(self, inner: Any, made: Protected) -> str:
        self.asked.append("encrypted")
        self.made = made
        return "finished"


def known(route: str | None = None) -> RecipientFacts:
    cls = next(iter(RecipientClass))
    entry = DomainEntry("practice.example", "approved", cls, route=route)
    return RecipientFacts(cls=cls, domain="practice.example", entry=entry)


def context(folder: Path, *, smime: bool = True) -> Any:
    (folder / "jane.pem").write_bytes(JANE.pem)
    return SimpleNamespace(
        keyring=Keyring.load(folder) if smime else None,
        signing=Signing(GATEWAY.certificate, GATEWAY.key) if smime else None,  # type: ignore[arg-type]  # RSA
        spec=SimpleNamespace(routes={"default": RouteSpec(), "secure-port": RouteSpec()}),
        policy=SimpleNamespace(settings=SimpleNamespace(neutral_subject="Secure message", ig=None)),
    )


def decided(consent_out: str = "remove") -> Any:
    return SimpleNamespace(consent_out=consent_out, kind=Kind.IDENTIFIABLE_PHOTO)


def facts(route: str | None = None, consent: Consent | None = None, at: Any = NOW) -> Any:
    return SimpleNamespace(at=at, recipient=known(route), consent=consent or Consent())


@pytest.mark.parametrize("name", METHODS)
def test_every_method_bears_the_name_it_is_registered_under(name: str) -> None:
    assert METHODS[name].name == name


@pytest.mark.parametrize("name", METHODS)
def test_a_method_that_is_not_ready_protects_nothing(name: str, tmp_path: Path) -> None:
    """Whatever was decided before: no bytes are made when the method cannot serve now."""
    finishing = Finishing()
    empty = context(tmp_path, smime=False)
    assert METHODS[name].ready(empty, Recipient("jane@practice.example"), known(), NOW) != "ok"
    with pytest.raises(CannotProtect) as caught:
        METHODS[name].protect(empty, finishing, Recipient("jane@practice.example"), facts(), decided())  # type: ignore[arg-type]  # stands for the finisher
    assert caught.value.code.startswith(name) and finishing.asked == []


@pytest.mark.parametrize(("route", "reason"), [(None, "route.none"), ("closed-port", "route.unknown"), ("secure-port", "ok")])
def test_route_needs_a_route_the_register_names_and_the_configuration_knows(tmp_path: Path, route: str, reason: str) -> None:
    assert METHODS["route"].ready(context(tmp_path), Recipient("x@practice.example"), known(route), NOW) == reason


@pytest.mark.parametrize(
    ("verify", "version", "enforced", "reason"),
    [
        ("pkix", "1.2", None, "route.weaker"),
        ("pkix", "1.2", RouteSpec(verify=("pkix",), min_version="1.2"), "ok"),
        ("pkix", "1.3", RouteSpec(verify=("pkix",), min_version="1.2"), "route.weaker"),
        ("pkix", "1.2", RouteSpec(verify=("dane",), min_version="1.3"), "ok"),
        ("mta-sts", "1.2", RouteSpec(verify=("pkix",), min_version="1.3"), "route.weaker"),
        ("none", "1.2", RouteSpec(), "route.weaker"),
    ],
)
def test_a_route_must_enforce_what_the_register_requires_of_the_way(
    tmp_path: Path, verify: str, version: str, enforced: RouteSpec | None, reason: str
) -> None:
    """The register asks, the admin's configuration answers: a word that nobody gave is no promise."""
    here = context(tmp_path)
    here.spec.routes["secure-port"] = enforced or RouteSpec()
    told = known("secure-port")
    assert told.entry is not None
    asked = replace(told, entry=replace(told.entry, way=WayTerms(verify, version)))
    assert METHODS["route"].ready(here, Recipient("x@practice.example"), asked, NOW) == reason
    lax = replace(told, entry=replace(told.entry, way=WayTerms("none", "1.2", "opportunistic")))
    assert METHODS["route"].ready(here, Recipient("x@practice.example"), lax, NOW) == "ok"


def test_smime_takes_certificates_on_the_registers_terms(tmp_path: Path) -> None:
    jane, told = Recipient("jane@practice.example"), known()
    assert told.entry is not None
    strict = replace(told, entry=replace(told.entry, certificates=CertificateTerms()))
    assert METHODS["smime"].ready(context(tmp_path), jane, told, NOW) == "ok"
    assert METHODS["smime"].ready(context(tmp_path), jane, strict, NOW) == "smime.crl-stale"


def test_route_sends_the_cleared_message_over_the_registers_route(tmp_path: Path) -> None:
    finishing = Finishing()
    copy = METHODS["route"].protect(context(tmp_path), finishing, Recipient("x@p.example"), facts("secure-port"), decided())  # type: ignore[arg-type]  # stands for the finisher
    assert copy.route == "secure-port" and finishing.asked == ["plain"]


@pytest.mark.parametrize(
    ("address", "days", "reason"),
    [
        ("jane@practice.example", 0, "ok"),
        ("omar@practice.example", 0, "smime.no-certificate"),
        ("jane@practice.example", 400, "smime.signer-expired"),
    ],
)
def test_smime_serves_whom_the_keyring_has_a_certificate_for(tmp_path: Path, address: str, days: int, reason: str) -> None:
    at = NOW + timedelta(days=days)
    assert METHODS["smime"].ready(context(tmp_path), Recipient(address), known(), at) == reason


def test_smime_sees_a_certificate_that_was_taken_away_meanwhile(tmp_path: Path) -> None:
    here, jane = context(tmp_path), Recipient("jane@practice.example")
    assert METHODS["smime"].ready(here, jane, known(), NOW) == "ok"
    (tmp_path / "jane.pem").unlink()
    with pytest.raises(CannotProtect) as caught:
        METHODS["smime"].protect(here, Finishing(), jane, facts(at=NOW + timedelta(seconds=10)), decided())  # type: ignore[arg-type]  # stands for the finisher
    assert caught.value.code == "smime.no-certificate"
    tmp_path.rmdir()
    assert METHODS["smime"].ready(here, jane, known(), NOW + timedelta(seconds=20)) == "smime.keyring-unavailable"


@pytest.mark.parametrize("consent_out", ["remove", "inside"])
def test_smime_encrypts_the_cleared_message_for_the_recipient_alone(tmp_path: Path, consent_out: str) -> None:
    finishing = Finishing()
    consent = Consent(Statement(ConsentStatus.GIVEN, Carrier.SUBJECT, form="verbal", expires=date(2030, 5, 1)))
    made = METHODS["smime"].protect(
        context(tmp_path),
        finishing,
        Recipient("jane@practice.example"),
        facts(consent=consent),
        decided(consent_out),  # type: ignore[arg-type]  # stands for the finisher
    )
    assert made.route == "default" and finishing.asked == ["inner", "encrypted"] and finishing.made is not None
    assert finishing.made.recipient_ids == (recipient_id(JANE.certificate),)
    assert b"Subject: Secure message" in finishing.made.data and b"Smith" not in finishing.made.data
    der = base64.b64decode(finishing.made.data.partition(b"\r\n\r\n")[2])
    inner = pkcs7.pkcs7_decrypt_der(der, JANE.certificate, JANE.key, [])  # type: ignore[arg-type]  # RSA
    assert b"Subject: Mr Smith" in inner and b"hello" in inner
    assert (b"multipart/mixed" in inner) == (consent_out == "inside")
