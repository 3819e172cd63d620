"""Which image went to whom under which consent, in keyed hashes: so that a thread does not ask twice, and for searches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from quarantine import reading
from quarantine.keyedhash import KeyedHash
from quarantine.model import HeldRecipient, HoldRow
from quarantine.records import Disclosure, Records

_NOT_COVERED_METHODS = frozenset({"observe", "advise"})  # went although no consent was found
_NOT_COVERED_NOTICES = frozenset({"N-6"})  # emergency: sent at once, but nobody has agreed yet
_NOT_COVERED_CONSENT = frozenset({"not-required"})  # "not a patient image" was said of one message, and no patient agreed
_ENDING = frozenset({"refused", "withdrawn"})


def note_outcome(records: Records, hashes: KeyedHash, outcome: str, meta: Mapping[str, Any], span: float) -> None:
    """Disclosures, correspondents and withdrawals that an outcome tells of."""
    sender = hashes.address(str(meta.get("envelope", {}).get("sender", "")))
    at = float(meta["created"])
    for line in meta.get("recipients", ()):
        if line.get("state") != "delivered":
            continue
        recipient = hashes.address(str(line["address"]))
        records.add_pair(sender, recipient, at)
        until = line.get("consent_until")
        for image, scrubbed in reading.images(meta):
            records.add_disclosure(Disclosure(
                outcome=outcome, image=image, scrubbed=scrubbed, recipient=recipient, sender=sender, at=at,
                until=float(until) if isinstance(until, int | float) else at + span,
                rule=str(line.get("rule") or ""), method=str(line.get("method") or ""), consent=str(line.get("consent") or ""),
                covered=_covered(line),
            ))  # fmt: skip
    patient = meta.get("patient")
    if isinstance(patient, str) and meta.get("consent") in _ENDING:
        records.withdraw(patient, at)


def _covered(line: Mapping[str, Any]) -> bool:
    """Did a patient agree to it?  Then the same image may go to the same person again without a question."""
    return (
        line.get("method") not in _NOT_COVERED_METHODS
        and line.get("notice") not in _NOT_COVERED_NOTICES
        and line.get("consent") not in _NOT_COVERED_CONSENT
    )


def note_release(
    records: Records, hashes: KeyedHash, row: HoldRow, recipients: Iterable[HeldRecipient], at: float, span: float
) -> None:
    """Disclosures that a release made; a person answered for the consent."""
    sender = hashes.address(row.sender)
    for one in recipients:
        if one.state != "delivered":
            continue
        recipient = hashes.address(one.address)
        records.add_pair(sender, recipient, at)
        for image in sorted(records.hold_images(row.id)):
            records.add_disclosure(Disclosure(
                outcome=row.id, image=image, scrubbed="", recipient=recipient, sender=sender, at=at, until=at + span,
                rule=row.rule, method="release", consent="", covered=True,
            ))  # fmt: skip
