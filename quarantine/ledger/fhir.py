"""The ledger as a FHIR R4 Bundle: an AuditEvent for each message and recipient, a Provenance for each message and picture.

Codes: DICOM PS3.16 (110106 Export; role ids 110150, 110152, 110153) as IHE ATNA asks for a disclosure, v3-ActReason for the
purpose of use, HL7's object and participant tables.  People and patients are keyed hashes; pictures are RFC 6920 names (SHA-256).
The export holds no picture, no address (unless asked for) and no patient's number.
"""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final

from quarantine.ledger.query import Entry

DCM: Final = "http://dicom.nema.org/resources/ontology/DCM"
REASON: Final = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
PARTICIPATION: Final = "http://terminology.hl7.org/CodeSystem/v3-ParticipationType"
OURS: Final = "urn:x-clinigate"  # systems of our own codes and keyed hashes
_SPACE: Final = uuid.UUID("6f1c2f5e-2f0b-5a3e-9d53-0c11a6e0d1c4")  # of the ids of exported resources: the same line, the same id

# What HL7's code system has; a purpose that is not here (PUBLISH) is given as a word of ours.
_WORDS: Final = (
    "BIORCH BTG CAREMGT CLINTRCH CLINTRCHNPC CLINTRCHPC CLMATTCH COC COVERAGE DISASTER DSRCH ERTREAT ETREAT FAMRQT GOV HACCRED"
    " HCOMPL HDECD HLEGAL HMARKT HOPERAT HOUTCOMS HPAYMT HQUALIMP HRESCH HTEST PATADMIN PATRQT PATSFTY PERFMSR POARCH PRECLINTRCH"
    " PUBHLTH PWATRNY RECORDMGT SUPNWK THREAT TRAIN TRANSRCH TREAT"
)
ACT_REASONS: Final = frozenset(_WORDS.split())
_CONSENT: Final = {  # our status → Consent.status and the provision's type
    "given": ("active", "permit"), "limited": ("active", "permit"), "refused": ("rejected", "deny"), "pending": ("proposed", ""),
    "withdrawn": ("inactive", "deny"), "bypassed": ("proposed", ""), "not-required": ("proposed", ""),
}  # fmt: skip

Json = dict[str, Any]


def bundle(entries: Iterable[Entry], now: float, addresses: bool = False) -> Iterator[str]:
    """The Bundle as text, piece by piece: a search through years need not fit into memory.

    ``entries`` in the order of ``query.stream``.  ``addresses``: with the mail addresses that are still kept.
    """
    head = json.dumps({"resourceType": "Bundle", "type": "collection", "timestamp": _instant(now)})
    yield head[:-1] + ', "entry": ['
    first = True
    for _, together in groupby(entries, key=lambda entry: entry.outcome):
        for resource in resources(list(together), addresses):
            yield ("" if first else ",") + "\n" + json.dumps({"fullUrl": f"urn:uuid:{resource['id']}", "resource": resource})
            first = False
    yield "\n]}\n"


def resources(entries: Sequence[Entry], addresses: bool = False) -> Iterator[Json]:
    """Every resource for the entries of one message."""
    for _, one in groupby(sorted(entries, key=lambda e: (e.recipient, e.image)), key=lambda e: e.recipient):
        yield audit_event(list(one), addresses)
    for _, one in groupby(sorted(entries, key=lambda e: (e.image, e.sent, e.recipient)), key=lambda e: (e.image, e.sent)):
        yield provenance(list(one), addresses)


def audit_event(entries: Sequence[Entry], addresses: bool = False) -> Json:
    """What one recipient got with one message."""
    one = entries[0]
    purposes = purpose(entries)
    return {
        "resourceType": "AuditEvent",
        "id": _id("a", one.outcome, one.recipient),
        "type": _coding(DCM, "110106", "Export"),
        "subtype": [_coding(f"{OURS}:disclosure", one.mode or "enforce")],
        "action": "R",
        "recorded": _instant(one.at),
        "outcome": "0",
        **({"purposeOfEvent": purposes} if purposes else {}),
        "agent": _agents(one, addresses),
        "source": {
            "observer": {"display": "Clinigate"},
            "type": [_coding("http://terminology.hl7.org/CodeSystem/security-source-type", "4", "Application Server")],
        },
        "entity": [*(_patient(hash_) for hash_ in one.patients), *(_image(entry) for entry in entries), _decision(one)],
    }


def provenance(entries: Sequence[Entry], addresses: bool = False) -> Json:
    """Where one picture as sent came from, under which policy and statement it went, and to whom."""
    one = entries[0]
    purposes = purpose(entries)
    said = consent(one)
    agents = [_participant("author", "Author", one.sender, one.sender_address if addresses else "")]
    agents += [_by(one)] if one.released_by else []
    agents += [
        {**_participant("", "", entry.recipient, entry.recipient_address if addresses else ""), "type": _recipient()}
        for entry in entries
    ]
    return {
        "resourceType": "Provenance",
        "id": _id("p", one.outcome, one.image, one.sent),
        **({"contained": [said]} if said else {}),
        "target": [{"identifier": _named(one.sent), "display": "Clinical picture as sent"}],
        "occurredDateTime": _instant(one.at),
        "recorded": _instant(one.at),
        **({"policy": [policy_uri(one.policy)]} if one.policy else {}),
        **({"reason": purposes} if purposes else {}),
        "activity": {"coding": [_coding("http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle", "disclose", "Disclose")]},
        "agent": agents,
        "entity": [
            {"role": "source" if one.sent == one.image else "revision", "what": {"identifier": _named(one.image)}},
            *([{"role": "source", "what": {"reference": "#consent"}}] if said else []),
        ],
    }


def consent(entry: Entry) -> Json | None:
    """The statement as it was then given, as a Consent inside the Provenance; None when nobody stated anything."""
    told = entry.statement
    if not told:
        return None
    status, kind = _CONSENT.get(str(told.get("status", "")), ("proposed", ""))
    words = {name: value for name, value in told.items() if name not in ("status", "purpose", "dated", "expires")}
    reason = purpose([entry])
    provision: Json = {"type": kind} if kind else {}
    if told.get("expires"):
        provision["period"] = {"end": str(told["expires"])}
    if reason:
        provision["purpose"] = [coding for one in reason for coding in one["coding"]]
    return {
        "resourceType": "Consent",
        "id": "consent",
        "extension": [
            {"url": f"{OURS}:statement:{name.replace('_', '-')}", "valueString": _word(value)}
            for name, value in sorted(words.items())
        ],
        "status": status,
        "scope": {
            "coding": [_coding("http://terminology.hl7.org/CodeSystem/consentscope", "patient-privacy", "Privacy Consent")]
        },
        "category": [{"coding": [_coding("http://loinc.org", "59284-0", "Consent Document")]}],
        **({"patient": {"identifier": _hashed("patient", entry.patients[0])}} if len(entry.patients) == 1 else {}),
        **({"dateTime": str(told["dated"])} if told.get("dated") else {}),
        "policyRule": {"text": entry.rule or "none"},
        **({"provision": provision} if provision else {}),
    }


def purpose(entries: Sequence[Entry]) -> list[Json]:
    """purposeOfEvent: the stated purpose, and BTG where the emergency word let it go."""
    found = [entry.purpose for entry in entries if entry.purpose]
    if any(entry.statement.get("bypass") == "emergency" or entry.consent == "bypassed" for entry in entries):
        found.append("BTG")
    return [{"coding": [_coding(REASON if code in ACT_REASONS else f"{OURS}:purpose", code)]} for code in dict.fromkeys(found)]


def policy_uri(digest: str) -> str:
    """The policy in force, by its digest (`clinigate policy history`)."""
    return f"{OURS}:policy:{digest}"


def image_uri(sha256: str) -> str:
    """The RFC 6920 name of a picture: ``ni:///sha-256;…``.  What is no SHA-256 is named as it stands."""
    try:
        raw = bytes.fromhex(sha256)
    except ValueError:
        raw = b""
    if len(raw) != 32:
        return f"{OURS}:image:{sha256}"
    return "ni:///sha-256;" + base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _agents(entry: Entry, addresses: bool) -> list[Json]:
    sender: Json = {
        "type": {"coding": [_coding(DCM, "110153", "Source Role ID")]},
        "who": {"identifier": _hashed("person", entry.sender)},
        "requestor": True,
    }
    recipient: Json = {
        "type": {"coding": [_coding(DCM, "110152", "Destination Role ID")]},
        "who": {"identifier": _hashed("person", entry.recipient)},
        "requestor": False,
    }
    for agent, address in ((sender, entry.sender_address), (recipient, entry.recipient_address)):
        if addresses and address:
            agent["network"] = {"address": address, "type": "4"}  # mail address
    gateway: Json = {
        "type": {"coding": [_coding(DCM, "110150", "Application")]},
        "who": {"display": "Clinigate"},
        "requestor": False,
        **({"policy": [policy_uri(entry.policy)]} if entry.policy else {}),
    }
    return [sender, recipient, gateway, *([{**_by(entry), "requestor": False}] if entry.released_by else [])]


def _by(entry: Entry) -> Json:
    """Who let a held message go."""
    return {
        "type": {"coding": [_coding(PARTICIPATION, "VRF", "verifier")], "text": entry.released_role},
        "who": {"display": entry.released_by},
    }


def _participant(code: str, display: str, person: str, address: str) -> Json:
    coding = _coding("http://terminology.hl7.org/CodeSystem/provenance-participant-type", code, display)
    return {
        **({"type": {"coding": [coding]}} if code else {}),
        "who": {"identifier": _hashed("person", person), **({"display": address} if address else {})},
    }


def _recipient() -> Json:
    return {"coding": [_coding(PARTICIPATION, "IRCP", "information recipient")]}


def _patient(hash_: str) -> Json:
    return {
        "what": {"identifier": _hashed("patient", hash_)},
        "type": _coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "1", "Person"),
        "role": _coding("http://terminology.hl7.org/CodeSystem/object-role", "1", "Patient"),
    }


def _image(entry: Entry) -> Json:
    details = {
        "sha256-received": entry.image, "sha256-sent": entry.sent, "kind": entry.kind, "format": entry.format,
        "found": " ".join(entry.codes),
    }  # fmt: skip
    return {
        "what": {"identifier": _named(entry.sent), "display": "Clinical picture as sent"},
        "type": _coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"),
        "role": _coding("http://terminology.hl7.org/CodeSystem/object-role", "4", "Domain Resource"),
        "lifecycle": _coding("http://terminology.hl7.org/CodeSystem/dicom-audit-lifecycle", "11", "Disclosure"),
        "detail": [{"type": name, "valueString": text} for name, text in details.items() if text],
    }


def _decision(entry: Entry) -> Json:
    """Rule, source, protection and reference: why it went as it went."""
    details = {
        "rule": entry.rule, "source": "; ".join(entry.source), "consent": entry.consent, "form": entry.form,
        "method": entry.method, "protection": entry.protection, "recipient-class": entry.cls, "mode": entry.mode,
        "hold": entry.hold,
    }  # fmt: skip
    return {
        "what": {"identifier": {"system": f"{OURS}:reference", "value": entry.ref or entry.outcome}},
        "type": _coding("http://terminology.hl7.org/CodeSystem/audit-entity-type", "2", "System Object"),
        "role": _coding("http://terminology.hl7.org/CodeSystem/object-role", "13", "Security Resource"),
        "name": entry.ref or entry.outcome,
        "detail": [{"type": name, "valueString": text} for name, text in details.items() if text],
    }


def _hashed(what: str, hash_: str) -> Json:
    return {"system": f"{OURS}:{what}:hmac-sha256", "value": hash_}


def _named(sha256: str) -> Json:
    return {"system": "urn:ietf:rfc:3986", "value": image_uri(sha256)}


def _coding(system: str, code: str, display: str = "") -> Json:
    return {"system": system, "code": code, **({"display": display} if display else {})}


def _word(value: object) -> str:
    if isinstance(value, Mapping | list | tuple):
        return " ".join(str(one) for one in value)
    return {True: "yes", False: "no"}.get(value, str(value)) if isinstance(value, bool) else str(value)


def _id(*parts: str) -> str:
    """A resource's id: at most 64 letters (FHIR id), the same at every export."""
    return str(uuid.uuid5(_SPACE, "|".join(parts)))


def _instant(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
