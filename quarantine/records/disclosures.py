"""The tables of the disclosure ledger: which image went to whom.  Searching it: ``quarantine.ledger``."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, fields

from quarantine.database import Database
from quarantine.schema import disclosures as sql


@dataclass(frozen=True, slots=True)
class Disclosure:
    """One image that went to one recipient.  People are keyed hashes; ``Entry`` of ``quarantine.ledger`` explains each word."""

    outcome: str
    image: str  # SHA-256 as received
    scrubbed: str  # SHA-256 as sent; "" when unknown or unchanged
    recipient: str
    sender: str
    at: float
    until: float  # until when the consent covers sending it again
    rule: str
    method: str
    consent: str
    covered: bool
    line: int = -1  # which recipient of the outcome it is
    message: str = ""
    ref: str = ""
    hold: str = ""  # the hold it was released from
    cls: str = ""
    mode: str = ""
    domain: str = ""
    sender_domain: str = ""
    sender_group: str = ""
    kind: str = ""
    format: str = ""
    codes: str = ""  # finding codes, space between
    source: str = ""  # the rule's sources, one a line
    policy: str = ""
    protection: str = ""
    form: str = ""
    purpose: str = ""
    statement: str = ""  # JSON of the statement as recorded
    released_by: str = ""
    released_role: str = ""


_NAMES = tuple(one.name for one in fields(Disclosure))
_COLUMN = {"cls": "class"}  # the column's name is the record's word, which Python keeps for itself


class DisclosureRecords(Database):
    """Disclosures and the images that holds wait with."""

    def add_hold_images(self, hold: str, images: list[str]) -> None:
        """Note which images a hold waits with."""
        self.many(sql.ADD_HOLD_IMAGE, [{"hold": hold, "sha256": image} for image in images])

    def hold_images(self, hold: str) -> frozenset[str]:
        """SHA-256 of the images a hold waits with."""
        return frozenset(r["sha256"] for r in self.all(sql.HOLD_IMAGES, {"hold": hold}))

    def add_disclosures(self, rows: Iterable[Disclosure], patients: Iterable[str]) -> None:
        """Note what one outcome disclosed, and the patients its message named (keyed hashes); once."""
        noted = list(rows)
        self.many(sql.ADD_DISCLOSURE, [{_COLUMN.get(name, name): getattr(row, name) for name in _NAMES} for row in noted])
        named = sorted(set(patients))
        self.many(sql.ADD_PATIENT, [{"patient": p, "outcome": o} for o in {row.outcome for row in noted} for p in named])

    def retake(self, outcome: str) -> None:
        """Forget what one outcome disclosed: its object is read again (rebuild)."""
        for statement in sql.RETAKE:
            self.run(statement, {"outcome": outcome})

    def disclosures(self) -> list[Disclosure]:
        """Every disclosure, oldest first."""
        return [disclosure(row) for row in self.all(sql.DISCLOSURES)]

    def disclosure_patients(self) -> list[tuple[str, str]]:
        """Every (patient, outcome)."""
        return [(r["patient"], r["outcome"]) for r in self.all(sql.PATIENTS)]

    def gone_since(self, sender: str, recipient: str, since: float, message: str) -> frozenset[str]:
        """Images that went from one to the other (keyed hashes) at or after ``since`` in another message than ``message``."""
        params = {"sender": sender, "recipient": recipient, "since": since, "message": message}
        return frozenset(r["image"] for r in self.all(sql.GONE_SINCE, params))

    def gone(self, since: float) -> list[tuple[str, str, str, float, str]]:
        """(patient, recipient, picture, when first, message) of every picture of a patient that went outside since then."""
        first: dict[tuple[str, str, str], tuple[float, str]] = {}
        for row in self.all(sql.GONE, {"since": since}):
            first.setdefault((row["patient"], row["recipient"], row["image"]), (row["at"], row["message"]))
        return [(*key, *value) for key, value in first.items()]

    def drop_disclosures(self, before: float, now: float) -> int:
        """Forget disclosures made before ``before`` whose consent covers nothing any more at ``now``."""
        with self.transaction():
            count = self.run(sql.DROP_DISCLOSURES, {"before": before, "now": now})
            if count:
                self.run(sql.DROP_PATIENTS)
        return count

    def disclosed(self, now: float) -> list[tuple[str, str, float, bool]]:
        """(image, recipient, until, covered) of what is under live consent, for the snapshot."""
        rows = self.all(sql.DISCLOSED, {"now": now})
        return [(r["image"], r["recipient"], r["until"], bool(r["covered"])) for r in rows]

    def add_scrubbed(self, image: str, scrubbed: str) -> None:
        """Note what an image became when it was scrubbed (SHA-256 both): either is recognised when it comes again."""
        self.run(sql.ADD_SCRUBBED, {"image": image, "scrubbed": scrubbed})


def disclosure(row: sqlite3.Row) -> Disclosure:
    """A row of the table."""
    told = {name: row[_COLUMN.get(name, name)] for name in _NAMES}
    return Disclosure(**{**told, "covered": bool(told["covered"])})
