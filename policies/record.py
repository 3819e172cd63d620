"""Facts as a record: everything a decision needs to be repeated (P7), and nothing that names a person.

Left out: local parts, file names, words of a statement (reason; patient, record and policy references).  Where a rule only asks
whether such a word is there, its presence or length stands instead, so that the decision from the record is the decision from
the facts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final

from policies import onfile
from policies.model import (
    Carrier,
    Consent,
    ConsentStatus,
    DomainEntry,
    Facts,
    ImageFacts,
    Kind,
    Mode,
    OnFile,
    Problem,
    RecipientClass,
    RecipientFacts,
    Statement,
)
from policies.statements.tags import EMERGENCY_REASON

VERSION: Final = 1
_STRAY: Final = "?"  # stands for a part that is none of the message's images
_PLAIN: Final = (
    "form", "given_by", "purpose", "basis", "bypass", "capacity", "intimate", "identifiable", "child", "deceased", "to_patient",
    "fresh",
)  # fmt: skip
_IMAGE: Final = ("part", "sha256", "format", "opaque", "decorative", "disclosed", "pixels", "modality", "taken", "laterality")
_ENTRY: Final = (
    "domain", "status", "organisation", "max_sensitivity", "children_allowed", "route", "consent_header_out",
    "include_subdomains", "max_recipients",
)  # fmt: skip
_FACTS: Final = (
    "sender_domain", "sender_group", "sender_kind", "vouched", "recipients", "thread", "register_version", "withdrawn",
    "first_time", "hold_ref",
)  # fmt: skip


def to_record(facts: Facts) -> dict[str, Any]:
    """A JSON-able record of ``facts``."""
    return {
        "version": VERSION,
        "at": facts.at.isoformat(),
        "mode": facts.mode.value,
        **{name: getattr(facts, name) for name in _FACTS},
        "recipient": _recipient(facts.recipient),
        "consent": _consent(facts),
        **_standing(facts.on_file),
        "images": [_image(image) for image in facts.images],
        "codes": sorted(facts.codes),
        "methods": dict(sorted(facts.methods.items())),
        "released": sorted(facts.released),
    }


def from_record(record: Mapping[str, Any]) -> Facts:
    """The facts of a record: equal to the recorded ones in everything a rule can ask about.  Raises KeyError or ValueError."""
    if record["version"] != VERSION:
        raise ValueError(f"record version {record['version']} is not {VERSION}")
    recipient = _read_recipient(record["recipient"])
    return Facts(
        at=datetime.fromisoformat(record["at"]),
        mode=Mode(record["mode"]),
        **{name: record[name] for name in _FACTS},
        recipient=recipient,
        consent=_read_consent(record["consent"], recipient.domain),
        on_file=onfile.from_record(record.get("on_file")),
        images=tuple(_read_image(image) for image in record["images"]),
        codes=frozenset(record["codes"]),
        methods=dict(record["methods"]),
        released=frozenset(record["released"]),
    )


def _recipient(recipient: RecipientFacts) -> dict[str, Any]:
    return {
        "class": recipient.cls.value,
        "domain": recipient.domain,
        "standing": recipient.standing,
        "lookalike_of": recipient.lookalike_of,
        "own_private": recipient.own_private,
        "entry": _entry(recipient.entry) if recipient.entry is not None else None,
    }


def _entry(entry: DomainEntry) -> dict[str, Any]:
    return {
        **{name: getattr(entry, name) for name in _ENTRY},
        "class": entry.cls.value,
        "purposes": sorted(entry.purposes),
        "methods": list(entry.methods),
        "e_referral": entry.e_referral,
        "expires": _day(entry.expires),
    }


def _read_recipient(record: Mapping[str, Any]) -> RecipientFacts:
    entry = record["entry"]
    return RecipientFacts(
        cls=RecipientClass(record["class"]),
        domain=record["domain"],
        standing=record["standing"],
        lookalike_of=record["lookalike_of"],
        own_private=record["own_private"],
        entry=None
        if entry is None
        else DomainEntry(
            **{name: entry[name] for name in _ENTRY},
            cls=RecipientClass(entry["class"]),
            purposes=frozenset(entry["purposes"]),
            methods=tuple(entry["methods"]),
            e_referral=entry.get("e_referral", False),  # records from before it was asked have none
            expires=_read_day(entry["expires"]),
        ),
    )


def _standing(on_file: OnFile | None) -> dict[str, Any]:
    """Nothing where nothing is on file, which is nearly always."""
    return {} if on_file is None else {"on_file": onfile.to_record(on_file)}


def _image(image: ImageFacts) -> dict[str, Any]:
    plain = {name: getattr(image, name) for name in _IMAGE}
    unknown = {} if image.looked_up else {"looked_up": False}
    return {**plain, "kind": image.kind.value, "codes": sorted(image.codes), **unknown, **_standing(image.on_file)}


def _read_image(record: Mapping[str, Any]) -> ImageFacts:
    told = {name: record[name] for name in _IMAGE if name in record}
    return ImageFacts(
        **told,
        kind=Kind(record["kind"]),
        codes=frozenset(record["codes"]),
        on_file=onfile.from_record(record.get("on_file")),
        looked_up=record.get("looked_up", True),
    )


def _consent(facts: Facts) -> dict[str, Any]:
    consent, own = facts.consent, f"{facts.recipient.local}@{facts.recipient.domain}"
    return {
        "statement": _statement(consent.statement, own) if consent.statement is not None else None,
        "per_part": [{**_statement(one, own), "parts": _parts(one, facts.images)} for one in consent.per_part],
        "problems": [problem.code for problem in consent.problems],
        "ignored": list(consent.ignored),
        "purpose_inferred": consent.purpose_inferred,
    }


def _parts(statement: Statement, images: Sequence[ImageFacts]) -> list[str]:
    """The images a statement about one part names, by their place in the message instead of their file names."""
    return [one.part for one in images if statement.part is not None and one.called(statement.part)]


def _statement(statement: Statement, own: str) -> dict[str, Any]:
    return {
        **{name: getattr(statement, name) for name in _PLAIN},
        "status": statement.status.value,
        "carrier": statement.carrier.value,
        "scope": sorted(statement.scope),
        "informed": sorted(statement.informed),
        "checked": statement.checked,
        "dated": _day(statement.dated),
        "expires": _day(statement.expires),
        "patient": statement.patient is not None,
        "record": statement.record is not None,
        "policy": statement.policy is not None,
        "reason": min(len((statement.reason or "").strip()), EMERGENCY_REASON),
        "confirmed": statement.confirms is not None and statement.confirms.casefold() == own.casefold(),
    }


def _read_statement(record: Mapping[str, Any], domain: str, part: str | None = None) -> Statement:
    return Statement(
        **{name: record[name] for name in _PLAIN},
        status=ConsentStatus(record["status"]),
        carrier=Carrier(record["carrier"]),
        scope=frozenset(record["scope"]),
        informed=frozenset(record.get("informed", ())),  # records from before it was asked have none
        checked=record.get("checked", False),
        dated=_read_day(record["dated"]),
        expires=_read_day(record["expires"]),
        patient="recorded" if record["patient"] else None,
        record="recorded" if record["record"] else None,
        policy="recorded" if record["policy"] else None,
        reason="x" * record["reason"] or None,
        confirms=f"@{domain}" if record["confirmed"] else None,
        part=part,
    )


def _read_consent(record: Mapping[str, Any], domain: str) -> Consent:
    statement = record["statement"]
    return Consent(
        statement=_read_statement(statement, domain) if statement is not None else None,
        per_part=tuple(_read_statement(one, domain, part) for one in record["per_part"] for part in one["parts"] or [_STRAY]),
        problems=tuple(Problem(code) for code in record["problems"]),
        ignored=tuple(record["ignored"]),
        purpose_inferred=record["purpose_inferred"],
    )


def _day(day: date | None) -> str | None:
    return day.isoformat() if day is not None else None


def _read_day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text is not None else None
