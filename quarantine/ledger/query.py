"""Searching the disclosure ledger.  Keyed hashes go in; addresses come out only as long as the outcome's meta is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from quarantine.records import Records
from quarantine.records.disclosures import Disclosure, disclosure
from quarantine.schema import disclosures as sql
from quarantine.schema import outcomes as outcomes_sql

PAGE: Final = 500  # rows read at once: a search through years of mail must not fill the memory
MOST_FORMS: Final = 64  # of one image; each time it passes us it may come out as another file

_SAME: Final = (
    "outcome", "message", "ref", "at", "sender", "recipient", "image", "scrubbed", "rule", "policy", "method", "protection",
    "consent", "form", "purpose", "cls", "mode", "kind", "format", "domain", "sender_domain", "sender_group", "hold",
    "released_by", "released_role",
)  # fmt: skip
_CLAUSES: Final[Mapping[str, str]] = {
    "patient": "outcome IN (SELECT outcome FROM disclosure_patients WHERE patient = :patient)",
    "recipient": "recipient = :recipient",
    "sender": "sender = :sender",
    "since": "at >= :since",
    "until": "at < :until",
    "ref": "(ref = :ref OR message IN (SELECT message FROM outcomes WHERE ref = :ref)"
    " OR message IN (SELECT message FROM holds WHERE (ref = :ref OR id = :ref) AND message <> ''))",
    "message": "message = :message",
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One image that went to one recipient.

    ``sender``, ``recipient`` and ``patients`` are keyed hashes; the two addresses are "" once retention has blanked them, or when
    nobody with a right to them asked.  ``at`` is when the message came to us (POSIX seconds).  ``statement`` is what the sender
    (or who answered the hold) stated, in the words of ``policies.model.Statement``; empty when nothing was stated.  What an
    older version did not write down is empty.
    """

    outcome: str
    message: str
    ref: str  # the reference that notices gave, "H7Q2-93KD"
    at: float
    sender: str
    recipient: str
    image: str  # SHA-256 as received
    scrubbed: str  # SHA-256 as sent; "" when it went as it came
    patients: tuple[str, ...]
    rule: str
    source: tuple[str, ...]  # where the rule comes from, as the policy then said
    policy: str  # digest of the policy in force
    method: str  # none | route | smime | observe | advise …; "release": noted by an older version
    protection: str  # "route nhsmail", "smime aes-256-cbc rsa-2048 signed"
    consent: str  # status of the statement
    form: str
    purpose: str
    statement: Mapping[str, Any] = field(repr=False)
    cls: str = ""  # recipient class: O, A–F, archive
    mode: str = ""  # observe | advise | enforce
    kind: str = ""  # K1–K9
    format: str = ""
    codes: tuple[str, ...] = ()  # what was found in the file
    domain: str = ""  # of the recipient
    sender_domain: str = ""
    sender_group: str = ""
    hold: str = ""  # the hold it was released from
    released_by: str = ""  # login name, or what the answer's way calls the sender
    released_role: str = ""
    covered_until: float = 0.0  # how long the consent covers sending the same image again
    sender_address: str = field(default="", repr=False)
    recipient_address: str = field(default="", repr=False)

    @property
    def sent(self) -> str:
        """SHA-256 of the image as it left."""
        return self.scrubbed or self.image


def find(
    records: Records,
    *,
    patient: str | None = None,
    image: str | None = None,
    recipient: str | None = None,
    sender: str | None = None,
    since: float | None = None,
    until: float | None = None,
    ref: str | None = None,
    message: str | None = None,
) -> list[Entry]:
    """Every entry that fits all that is given, oldest first; ``stream`` gives the same one by one."""
    asked = {
        "patient": patient, "image": image, "recipient": recipient, "sender": sender, "since": since, "until": until, "ref": ref,
        "message": message,
    }  # fmt: skip
    return list(stream(records, **asked))


def stream(records: Records, **asked: Any) -> Iterator[Entry]:
    """The entries of ``find``, a page at a time.  ``image`` is a SHA-256 as received or as sent, whichever is at hand.

    What is added meanwhile may or may not be seen; nothing is seen twice.  Raises ``sqlite3.Error``.
    """
    wanted = {name: value for name, value in asked.items() if value is not None}
    clauses = [_CLAUSES[name] for name in wanted if name != "image"]
    if "image" in wanted:
        forms = {f"form{number}": one for number, one in enumerate(sorted(family(records, wanted.pop("image"))))}
        names = ", ".join(f":{name}" for name in forms)
        clauses.append(f"(image IN ({names}) OR (scrubbed <> '' AND scrubbed IN ({names})))")
        wanted |= forms
    last: Disclosure | None = None
    while True:
        behind = {name: getattr(last, name) for name in ("at", "outcome", "image", "recipient")} if last else {}
        chosen = [*clauses, sql.AFTER] if last else clauses
        rows = records.all(sql.FIND.format(clauses=" AND ".join(chosen) or "1 = 1"), {**wanted, **behind, "limit": PAGE})
        page = [disclosure(row) for row in rows]
        yield from _entries(records, page)
        if len(page) < PAGE:
            return
        last = page[-1]


def family(records: Records, image: str) -> frozenset[str]:
    """Every form of one image that we know: what it became when it was stripped, and what it had been before (SHA-256)."""
    known, fresh = {image}, [image]
    while fresh and len(known) < MOST_FORMS:
        one = fresh.pop()
        near = [str(r["scrubbed"]) for r in records.all(sql.BECAME, {"image": one})]
        near += [str(r["image"]) for r in records.all(sql.CAME_FROM, {"image": one})]
        fresh += sorted(set(near) - known)
        known.update(near)
    return frozenset(known)


def _entries(records: Records, rows: list[Disclosure]) -> Iterator[Entry]:
    """Rows with their patients and, where they are kept, addresses; all of a page's outcomes are looked up at once."""
    if not rows:
        return
    names = {f"o{number}": one for number, one in enumerate(dict.fromkeys(row.outcome for row in rows))}
    places = ", ".join(f":{name}" for name in names)
    patients: dict[str, list[str]] = {}
    for found in records.all(sql.PATIENTS_OF.format(outcomes=places), names):
        patients.setdefault(str(found["outcome"]), []).append(str(found["patient"]))
    metas = {str(one["id"]): json.loads(one["meta"]) for one in records.all(outcomes_sql.METAS.format(ids=places), names)}
    for row in rows:
        yield entry(row, tuple(patients.get(row.outcome, ())), metas.get(row.outcome, {}))


def entry(row: Disclosure, patients: tuple[str, ...], meta: Mapping[str, Any]) -> Entry:
    """One row as an entry; ``meta`` of its outcome, empty when that is gone."""
    lines = meta.get("recipients", ())
    line = lines[row.line] if 0 <= row.line < len(lines) else {}
    return Entry(
        **{name: getattr(row, name) for name in _SAME},
        patients=patients,
        source=tuple(row.source.split("\n")) if row.source else (),
        statement=json.loads(row.statement) if row.statement else {},
        codes=tuple(row.codes.split()),
        covered_until=row.until,
        sender_address=str(meta.get("envelope", {}).get("sender") or ""),
        recipient_address=str(line.get("address") or ""),
    )
