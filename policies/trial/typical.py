"""A set of typical mails, generated: every class of recipient, kind of picture, statement and purpose that rules tell apart.

``policies.trial.difference`` puts them through two policies.  Each is described in plain words.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

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
from policies.trial.phrases import CLASSES, CONSENTS, KINDS, PURPOSES
from policies.vocabulary import SCOPE_NEEDED

_CODES: Final[Mapping[str, str | None]] = {
    "none": None,
    "care": "COC",
    "patient": "PATRQT",
    "training": "TRAIN",
    "research": "HRESCH",
    "publication": "PUBLISH",
    "legal": "HLEGAL",
}
_EVERY: Final = frozenset({"TREAT", "PATRQT", "TRAIN", "HRESCH", "PUBLISH", "HLEGAL"})
_STATED: Final[Mapping[str, Mapping[str, Any]]] = {
    "none": {"status": ConsentStatus.PENDING},
    "implied": {"status": ConsentStatus.GIVEN, "form": "implied"},
    "verbal": {"status": ConsentStatus.GIVEN, "form": "verbal"},
    "written": {"status": ConsentStatus.GIVEN, "form": "written"},
    "refused": {"status": ConsentStatus.REFUSED},
    "emergency": {"status": ConsentStatus.BYPASSED, "bypass": "emergency", "reason": "a stated emergency"},
}
_ENTRIES: Final = ("A", "B", "C", "archive")
_OUT: Final[Mapping[str, str]] = {"grace": "grace", "expired": "expired", "suspended": "suspended"}


class Typical(NamedTuple):
    """One typical mail, in words and as facts."""

    words: str
    facts: Facts


def typical(
    at: datetime, methods: tuple[str, ...] = ("route", "smime"), named: Iterable[RecipientFacts] = ()
) -> Iterator[Typical]:
    """Every typical mail, as of ``at`` (aware).  ``methods``: those that can serve; ``named``: further recipients."""
    for cls in CLASSES:
        recipient = _recipient(cls, "approved" if cls in _ENTRIES else "")
        yield from _to(at, methods, recipient, CLASSES[cls])
    for known in named:
        yield from _to(at, methods, known, f"{known.domain} ({CLASSES[known.cls.value]})")
    for standing in _OUT:
        cls = "A" if standing == "grace" else "D"
        where = f"an approved clinical service whose entry is {'just past its end' if standing == 'grace' else standing}"
        yield from _of_kind(at, methods, _recipient(cls, standing), where, "K3")


def _to(at: datetime, methods: tuple[str, ...], recipient: RecipientFacts, where: str) -> Iterator[Typical]:
    for kind in KINDS:
        if kind.startswith("K"):
            yield from _of_kind(at, methods, recipient, where, kind)


def _of_kind(at: datetime, methods: tuple[str, ...], recipient: RecipientFacts, where: str, kind: str) -> Iterator[Typical]:
    if kind == "K0":
        yield Typical(f"{KINDS[kind]} to {where}", _facts(at, methods, recipient, kind, None))
        return
    for consent in _STATED:
        for purpose, code in _CODES.items():
            if consent == "emergency" and purpose != "none":
                continue
            words = f"{KINDS[kind]} to {where}; consent: {CONSENTS[consent]}; purpose: {PURPOSES[purpose]}"
            yield Typical(words, _facts(at, methods, recipient, kind, _statement(consent, purpose, code)))


def _statement(consent: str, purpose: str, code: str | None) -> Statement | None:
    if consent == "none" and code is None:
        return None
    scope = frozenset({"record", SCOPE_NEEDED[purpose]}) if purpose in SCOPE_NEEDED else frozenset()
    told: dict[str, Any] = {"carrier": Carrier.HEADER, "purpose": code, "scope": scope, **_STATED[consent]}
    return Statement(**told)


def _recipient(cls: str, standing: str) -> RecipientFacts:
    entry = None
    if cls in _ENTRIES or standing:
        kind = RecipientClass(cls) if cls in _ENTRIES else RecipientClass.APPROVED_CLINICAL
        entry = DomainEntry(
            "there.example", "approved", kind, purposes=_EVERY, max_sensitivity="V", children_allowed=True,
            methods=("route", "smime"), route="secure",
        )  # fmt: skip
    return RecipientFacts(RecipientClass(cls), "there.example", entry, standing=standing or _plain_standing(cls))


def _plain_standing(cls: str) -> str:
    return {"O": "approved", "F": "denied"}.get(cls, "")


def _facts(at: datetime, methods: tuple[str, ...], recipient: RecipientFacts, kind: str, statement: Statement | None) -> Facts:
    return Facts(
        at=at,
        mode=Mode.ENFORCE,
        sender_domain="example.org",
        sender_group="ungrouped",
        sender_kind="person",
        vouched=True,
        recipient=recipient,
        recipients=1,
        consent=Consent(statement),
        images=() if kind == "K0" else (_image(kind),),
        methods=dict.fromkeys(methods, "ok"),
        withdrawn=False,
        first_time=False,
    )


def _image(kind: str) -> ImageFacts:
    special: dict[str, Any] = {"K8": {"opaque": "encrypted", "format": "zip"}, "K1": {"modality": "CR", "format": "dicom"}}
    plain: dict[str, Any] = {"part": "1", "kind": Kind(kind), "sha256": "", "format": "jpeg", "disclosed": False}
    return ImageFacts(**(plain | special.get(kind, {})))
