"""Lines of the disclosure ledger straight into the records, and entries for exports."""

from __future__ import annotations

from typing import Any

from quarantine.ledger.query import Entry
from quarantine.records import Records
from quarantine.records.disclosures import Disclosure
from tests.support.quarantine_kit import MONDAY, hex_id, image


def note(records: Records, outcome: str = "one", patients: tuple[str, ...] = (), **told: Any) -> Disclosure:
    """Note one line; people and pictures by invented names, hashed here."""
    base: dict[str, Any] = {
        "outcome": hex_id(outcome), "image": "photo", "scrubbed": "", "recipient": "peer", "sender": "dr", "at": MONDAY,
        "until": MONDAY + 365 * 86400, "rule": "CARE", "method": "route", "consent": "given", "covered": True,
        "message": f"msg-{outcome}", "ref": "OUTC-OME2",
    }  # fmt: skip
    told = base | told
    told |= {name: image(told[name]) for name in ("image", "scrubbed") if told[name]}
    told |= {name: hex_id(told[name]) for name in ("recipient", "sender")}
    row = Disclosure(**told)
    records.add_disclosures([row], [hex_id(one) for one in patients])
    return row


def entry(**told: Any) -> Entry:
    """An entry with everything in it."""
    base: dict[str, Any] = {
        "outcome": hex_id("one"), "message": "msg-one", "ref": "OUTC-OME2", "at": MONDAY, "sender": hex_id("dr"),
        "recipient": hex_id("peer"), "image": image("photo"), "scrubbed": image("stripped"), "patients": (hex_id("patient"),),
        "rule": "CARE", "source": ("GMC 10",), "policy": "99" * 32, "method": "route", "protection": "route safe",
        "consent": "given", "form": "verbal", "purpose": "COC",
        "statement": {"status": "given", "form": "verbal", "given_by": "patient", "purpose": "COC", "scope": ["record"],
                      "carrier": "header", "dated": "2026-11-20", "expires": "2027-11-20"},
        "cls": "A", "mode": "enforce", "kind": "K3", "format": "jpeg", "codes": ("exif.gps", "exif.serial"),
        "domain": "royal.example", "sender_domain": "own.example", "sender_group": "wards", "covered_until": MONDAY + 86400.0,
        "sender_address": "dr.lee@own.example", "recipient_address": "dr.chen@royal.example",
    }  # fmt: skip
    return Entry(**{**base, **told})
