"""What an OUTCOME says for the disclosure ledger: which image went, under which statement, rule and protection, who let it go.

Made from the pipeline's record alone: codes, days, keyed hashes (P5).  Everything is optional for whoever reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

# Of an image as recorded; ``sha256`` and ``scrubbed`` are SHA-256 as received and as sent ("" = as it came).
_IMAGE: Final = ("part", "format", "kind", "codes")
_INFERRED: Final = "purpose.inferred"  # nobody named a use: to an approved clinical service it is coordination of care
# Who let a held message go, as the quarantine service's token says.
_RELEASE: Final = ("release", "hold", "message", "by", "role", "decided")


def images(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every image once, whatever number of places it stands in; the first place names it."""
    found: dict[tuple[str, str], dict[str, Any]] = {}
    for image in record.get("images", ()):
        pair = (image["sha256"], image.get("scrubbed") or "")
        told = {word: image[word] for word in _IMAGE if image.get(word)}
        found.setdefault(pair, {**told, "sha256": pair[0], "scrubbed": pair[1], "parts": []})["parts"].append(
            image.get("part", "")
        )
    return [found[pair] for pair in sorted(found)]


def line(why: Mapping[str, Any]) -> dict[str, Any]:
    """Of one recipient: mode, statement as given, rule's source, protection.  ``why`` is the recipient's line of the record."""
    consent = why.get("facts", {}).get("consent") or {}
    inferred = {"purpose": "COC", "inferred": True} if _INFERRED in why.get("reasons", ()) else {}  # domain/10: recorded as such
    per_part = {part: _said(one) for one in consent.get("per_part", ()) for part in one.get("parts", ())}
    return {
        "mode": why.get("mode", ""),
        "seen": why.get("kind", ""),
        "source": list(why.get("source", ())),
        "protection": why.get("protection", ""),
        "stripped": bool(why.get("stripped")),
        "statement": {**_said(consent.get("statement") or {}), **inferred},
        **({"per_part": per_part} if per_part else {}),
    }


def message(record: Mapping[str, Any], release: Mapping[str, Any] | None) -> dict[str, Any]:
    """Of the whole message: patients (keyed hashes), sender's group, and the release it left under."""
    lines: Sequence[Mapping[str, Any]] = record.get("recipients") or ({},)
    return {
        "patients": list(record.get("patients", ())),
        "sender_group": lines[0].get("facts", {}).get("sender_group", ""),
        **({"release": {word: release[word] for word in _RELEASE if word in release}} if release else {}),
    }


def _said(statement: Mapping[str, Any]) -> dict[str, Any]:
    """A statement without what it leaves open; ``identifiable`` is what a picture is unless somebody says no."""
    told = {word: value for word, value in statement.items() if value and word not in ("identifiable", "parts")}
    told |= {"reason": True} if "reason" in told else {}  # the record counts its letters; here it is enough that there was one
    return {**told, "identifiable": False} if statement.get("identifiable") is False else told
