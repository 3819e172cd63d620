"""How an entry of the register becomes approved: two different people sign the same terms."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from hashlib import sha256
from typing import Any, Final

# Keys that are about the approval, not about what is approved.
_ABOUT: Final = frozenset(
    {"status", "reason", "approved_by", "approved_on", "signed_terms", "proposed_by", "proposed_on", "last_used", "notes"}
)


class NotSigned(Exception):
    """The signature does not count; the text says why."""


def terms(entry: Mapping[str, Any]) -> str:
    """Names what a signature is for: the entry without the words about its approval."""
    told = {key: value for key, value in entry.items() if key not in _ABOUT}
    return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def changed(entry: Mapping[str, Any]) -> bool:
    """Whether an approved entry says something else today than was signed; unknown for those approved by hand."""
    signed = entry.get("signed_terms")
    return entry.get("status") == "approved" and signed not in (None, "") and signed != terms(entry)


def sign(entry: Any, who: str, today: date, needed: int) -> bool:
    """Add a signature; True if that approves it.  Raises NotSigned.

    A signature given for other terms than those that stand now is void: the entry was changed in between.
    """
    if entry.get("status") == "approved" and len(entry.get("approved_by") or ()) >= 2:
        since = "; its entry was changed since, and to have that signed suspend it first" if changed(entry) else ""
        raise NotSigned(f"is approved already{since}")
    if entry.get("status") == "denied":
        raise NotSigned("is denied; take its entry out by hand first")
    given = [str(name) for name in entry.get("approved_by") or ()]
    now = terms(entry)
    if given and entry.get("signed_terms") not in (None, "", now):
        given = []
    if who.lower() in {name.lower() for name in given}:
        raise NotSigned(f"was signed by {who} already; a second, different person must approve it")
    given.append(who)
    entry["approved_by"] = given
    entry["approved_on"] = today
    entry["signed_terms"] = now
    if len(given) < needed:
        return False
    entry["status"] = "approved"
    entry.pop("reason", None)
    return True


def suspend(entry: Any, reason: str, who: str, today: date) -> None:
    """Stop it at once; signatures are void, so that two people must approve it anew.  Raises NotSigned."""
    if entry.get("status") == "denied":
        raise NotSigned("is denied already")
    before = ", ".join(map(str, entry.get("approved_by") or ()))
    entry["status"] = "suspended"
    entry["reason"] = f"{reason} ({who}, {today}{f'; was approved by {before}' if before else ''})"
    for key in ("approved_by", "approved_on", "signed_terms"):
        entry.pop(key, None)
