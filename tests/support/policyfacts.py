"""Policies and facts for tests: the shipped policy, and facts built from the words of the matrix."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from policies.load import LISTS, Policy, load_policy
from policies.model import (
    Carrier,
    Consent,
    ConsentStatus,
    DomainEntry,
    Facts,
    ImageFacts,
    Kind,
    Mode,
    RecipientClass,
    RecipientFacts,
    Statement,
)
from tests.support.paths import ROOT

TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
ALL_METHODS = {"route": "ok", "smime": "ok", "pickup": "ok"}
EVERY_PURPOSE = frozenset({"TREAT", "PATRQT", "TRAIN", "HRESCH", "PUBLISH", "HLEGAL"})
CODES = {
    "P1": "COC",
    "P2": "ETREAT",
    "P3": "PATRQT",
    "P4": "TRAIN",
    "P5": "HRESCH",
    "P6": "PUBLISH",
    "P7": "HLEGAL",
    "P8": "HMARKT",
    "P9": "HTEST",
}
SCOPES = {"P4": "teaching", "P5": "research", "P6": "publication"}


@cache
def files() -> Mapping[str, bytes]:
    """The files of the shipped policy."""
    folder = ROOT / "policies"
    return {
        "policy.yaml": (folder / "default.yaml").read_bytes(),
        "domains.yaml": (folder / "domains.yaml").read_bytes(),
        **{name: (folder / "data" / name).read_bytes() for name in LISTS},
    }


@cache
def shipped() -> Policy:
    """policies/default.yaml with policies/domains.yaml."""
    return load_policy(files())


def recipient(cls: str, **changes: Any) -> RecipientFacts:
    """A recipient of a class; A and B approved for every purpose unless ``purposes`` says otherwise."""
    kind = RecipientClass(cls)
    purposes = changes.pop("purposes", EVERY_PURPOSE)
    standing = {"D": "", "E": "", "F": "denied"}.get(cls, "approved")
    entry = None
    if cls in ("A", "B", "C", "archive"):
        entry = DomainEntry("there.example", "approved", kind, purposes=purposes, methods=("route", "smime"), route="secure")
    values: dict[str, Any] = {"cls": kind, "domain": "there.example", "entry": entry, "local": "someone", "standing": standing}
    return RecipientFacts(**(values | changes))


def statement(consent: str, purpose: str = "P0", **changes: Any) -> Statement | None:
    """A statement for a cell of the matrix: none, v, w, i, refused, emergency; purpose P0 to P9."""
    values: dict[str, Any] = {"carrier": Carrier.HEADER, "purpose": CODES.get(purpose)}
    if purpose in SCOPES:
        values["scope"] = frozenset({"record", SCOPES[purpose]})
    forms = {"v": "verbal", "w": "written", "i": "implied"}
    if consent in forms:
        values |= {"status": ConsentStatus.GIVEN, "form": forms[consent]}
    elif consent == "refused":
        values["status"] = ConsentStatus.REFUSED
    elif consent == "emergency":
        values |= {"status": ConsentStatus.BYPASSED, "bypass": "emergency", "purpose": "ETREAT"}
        values["reason"] = "unconscious, burns unit"
    elif consent == "none" and purpose == "P0" and not changes:
        return None
    else:
        values["status"] = ConsentStatus.PENDING
    return Statement(**(values | changes))


def image(kind: str = "K3", **changes: Any) -> ImageFacts:
    """One image of a kind; K8 is an encrypted part, K1 a computed radiograph."""
    values: dict[str, Any] = {"part": "1.2", "kind": Kind(kind), "sha256": "0" * 64, "format": "jpeg"}
    if kind == "K8":
        values |= {"opaque": "encrypted", "format": "zip"}
    if kind == "K1":
        values |= {"modality": "CR", "format": "dicom"}
    return ImageFacts(**(values | changes))


def facts(cls: str = "A", kind: str = "K3", stated: Statement | None = None, **changes: Any) -> Facts:
    """Facts for one recipient of class ``cls`` and one image of ``kind`` (K0: none)."""
    values: dict[str, Any] = {
        "at": NOW,
        "mode": Mode.ENFORCE,
        "sender_domain": "example.org",
        "sender_group": "clinical",
        "sender_kind": "person",
        "vouched": True,
        "recipient": recipient(cls),
        "recipients": 1,
        "consent": Consent(stated),
        "images": () if kind == "K0" else (image(kind),),
        "methods": ALL_METHODS,
        "withdrawn": False,
    }
    return Facts(**(values | changes))
