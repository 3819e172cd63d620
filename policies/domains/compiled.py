"""Entries of the register that were read and found right before, by the text they were made of.

A register of a hundred thousand domains is read in the time of its changes: ``load_policy(files, known=old.register.known)``.
``dump`` and ``restore`` carry it to another process or over a restart; keep the bytes where only the gateway may write.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import astuple, dataclass, fields
from datetime import date
from hashlib import sha256
from typing import Any, Final, NamedTuple

from policies.model import CertificateTerms, DomainEntry, RecipientClass, WayTerms

FORMAT: Final = 2
_DAYS: Final = ("expires", "review", "last_used", "countersign_by")
_FIELDS: Final = tuple(field.name for field in fields(DomainEntry))


class Compiled(NamedTuple):
    """One entry without a fault."""

    content: bytes  # SHA-256 of what it says, whatever the layout
    name: str
    single: bool  # an address, not a domain
    entry: DomainEntry


@dataclass(frozen=True, slots=True)
class Known:
    """SHA-256 of an entry's text -> the entry.  ``context`` names what it was checked against."""

    context: str
    entries: Mapping[bytes, Compiled]


def key(block: str) -> bytes:
    """What an entry's text is known by."""
    return sha256(block.encode()).digest()


def dump(known: Known) -> bytes:
    """``known`` as bytes."""
    rows = [[at.hex(), one.content.hex(), one.name, one.single, _row(one.entry)] for at, one in known.entries.items()]
    body = json.dumps(rows, separators=(",", ":"))
    head = json.dumps({"format": FORMAT, "context": known.context, "fields": _FIELDS})
    return f"{head}\n{body}".encode()


def restore(data: bytes) -> Known | None:
    """What ``dump`` wrote; None for anything else, so that all is read anew."""
    head, _, body = data.partition(b"\n")
    try:
        told = json.loads(head)
        if told["format"] != FORMAT or tuple(told["fields"]) != _FIELDS:
            return None
        entries = {
            bytes.fromhex(at): Compiled(bytes.fromhex(content), name, single, _entry(row))
            for at, content, name, single, row in json.loads(body)
        }
    except (ValueError, KeyError, TypeError):
        return None
    return Known(told["context"], entries)


def _row(entry: DomainEntry) -> list[Any]:
    return [_plain(getattr(entry, name)) for name in _FIELDS]


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(value)
    if isinstance(value, WayTerms | CertificateTerms):
        return list(astuple(value))
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _entry(row: list[Any]) -> DomainEntry:
    told = dict(zip(_FIELDS, row, strict=True))
    told |= {name: date.fromisoformat(told[name]) for name in _DAYS if told[name] is not None}
    told |= {name: tuple(told[name]) for name in ("methods", "allow", "deny")}
    told["cls"] = RecipientClass(told["cls"])
    told["purposes"] = frozenset(told["purposes"])
    told["assured"] = tuple((scheme, date.fromisoformat(day)) for scheme, day in told["assured"])
    told["way"] = None if told["way"] is None else WayTerms(*told["way"])
    if told["certificates"] is not None:
        bound, anchors, revocation = told["certificates"]
        told["certificates"] = CertificateTerms(bound, tuple(anchors), revocation)
    return DomainEntry(**told)
