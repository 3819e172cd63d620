"""Which image went to whom under which consent, in keyed hashes: the disclosure ledger, and so that a thread does not ask twice.

Every line comes from an OUTCOME object, that of a release included, so that a rebuild gives the same ledger.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from quarantine import reading
from quarantine.consents import statements
from quarantine.keyedhash import KeyedHash
from quarantine.records import Disclosure, Records

_NOT_COVERED_METHODS = frozenset({"observe", "advise"})  # went although no consent was found
_NOT_COVERED_NOTICES = frozenset({"N-6"})  # emergency: sent at once, but nobody has agreed yet
_NOT_COVERED_CONSENT = frozenset({"not-required"})  # "not a patient image" was said of one message, and no patient agreed


def note_outcome(records: Records, hashes: KeyedHash, outcome: str, meta: Mapping[str, Any], span: float) -> None:
    """Disclosures, correspondents and withdrawals that an outcome tells of; that of a release tells who let it go."""
    sender = str(meta.get("envelope", {}).get("sender", ""))
    shown, common = reading.pictures(meta), _common(hashes, outcome, sender, meta)
    rows: list[Disclosure] = []
    for number, line in enumerate(meta.get("recipients", ())):
        if line.get("state") != "delivered":
            continue
        person = {**common, **_person(hashes, line, number), "until": _until(line, float(meta["created"]) + span)}
        records.add_pair(common["sender"], person["recipient"], common["at"])
        rows += [Disclosure(**person, **_picture(image, line)) for image in shown]
    records.add_disclosures(rows, (str(one) for one in meta.get("patients", ())))
    records.consent_add(statements.of_outcome(outcome, meta))


def _covered(line: Mapping[str, Any]) -> bool:
    """Did a patient agree to it?  Then the same image may go to the same person again without a question."""
    return (
        line.get("method") not in _NOT_COVERED_METHODS
        and line.get("notice") not in _NOT_COVERED_NOTICES
        and line.get("consent") not in _NOT_COVERED_CONSENT
    )


def _common(hashes: KeyedHash, outcome: str, sender: str, meta: Mapping[str, Any]) -> dict[str, Any]:
    """What all disclosures of one outcome share.  Under a release the message is the one that was held."""
    release = meta.get("release") or {}
    return {
        "outcome": outcome,
        "sender": hashes.address(sender),
        "sender_domain": _domain(sender),
        "sender_group": str(meta.get("sender_group") or ""),
        "at": float(meta["created"]),
        "message": str(release.get("message") or meta.get("message", "")),
        "ref": str(meta.get("ref", "")),
        "hold": str(release.get("hold", "")),
        "policy": str(meta.get("policy") or ""),
        "released_by": str(release.get("by", "")),
        "released_role": str(release.get("role", "")),
    }


def _person(hashes: KeyedHash, line: Mapping[str, Any], number: int) -> dict[str, Any]:
    """What concerns one recipient."""
    return {
        "line": number,
        "recipient": hashes.address(str(line["address"])),
        "domain": _domain(str(line["address"])),
        "cls": str(line.get("class") or ""),
        "mode": str(line.get("mode") or ""),
        "rule": str(line.get("rule") or ""),
        "source": "\n".join(str(one) for one in line.get("source") or ()),
        "method": str(line.get("method") or ""),
        "protection": str(line.get("protection") or ""),
        "consent": str(line.get("consent") or ""),
        "covered": _covered(line),
    }


def _picture(image: Mapping[str, Any], line: Mapping[str, Any]) -> dict[str, Any]:
    """One image as it went to one recipient: what was stated of its part comes before what was stated of the whole message."""
    per_part = line.get("per_part") or {}
    told = next((per_part[part] for part in image.get("parts", ()) if part in per_part), line.get("statement") or {})
    return {
        "image": str(image["sha256"]),
        "scrubbed": image["scrubbed"] if line.get("stripped", True) else "",  # observe and archives send it as it came
        "kind": str(image.get("kind", "")),
        "format": str(image.get("format", "")),
        "codes": " ".join(str(code) for code in image.get("codes", ())),
        "form": str(told.get("form") or ""),
        "purpose": str(told.get("purpose") or ""),
        "statement": json.dumps(told, sort_keys=True) if told else "",
    }


def _until(line: Mapping[str, Any], otherwise: float) -> float:
    said = line.get("consent_until")
    return float(said) if isinstance(said, int | float) else otherwise


def _domain(address: str) -> str:
    """As text that a database takes: octets that are no UTF-8 (lone surrogates) become question marks."""
    return address.rpartition("@")[2].lower().encode("utf-8", "replace").decode()
