"""The ledger as CSV (RFC 4180, UTF-8, a heading line): one disclosure a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

from quarantine.ledger.query import Entry

# Heading → cell.  The order is the file's; a new column goes to the end.
COLUMNS: Final[Mapping[str, Callable[[Entry], str]]] = {
    "at": lambda e: iso(e.at),
    "reference": lambda e: e.ref,
    "sender": lambda e: e.sender_address,
    "recipient": lambda e: e.recipient_address,
    "recipient_domain": lambda e: e.domain,
    "recipient_class": lambda e: e.cls,
    "image_received_sha256": lambda e: e.image,
    "image_sent_sha256": lambda e: e.sent,
    "kind": lambda e: e.kind,
    "format": lambda e: e.format,
    "found": lambda e: " ".join(e.codes),
    "consent": lambda e: e.consent,
    "form": lambda e: e.form,
    "given_by": lambda e: str(e.statement.get("given_by", "")),
    "purpose": lambda e: e.purpose,
    "scope": lambda e: " ".join(map(str, e.statement.get("scope", ()))),
    "stated_in": lambda e: str(e.statement.get("carrier", "")),
    "rule": lambda e: e.rule,
    "rule_source": lambda e: "; ".join(e.source),
    "policy": lambda e: e.policy,
    "mode": lambda e: e.mode,
    "method": lambda e: e.method,
    "protection": lambda e: e.protection,
    "released_by": lambda e: e.released_by,
    "released_role": lambda e: e.released_role,
    "hold": lambda e: e.hold,
    "patients_hash": lambda e: " ".join(e.patients),
    "sender_hash": lambda e: e.sender,
    "recipient_hash": lambda e: e.recipient,
    "sender_group": lambda e: e.sender_group,
    "outcome": lambda e: e.outcome,
}
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
# what a spreadsheet would run (OWASP, CSV injection), also as the wide letters some of them read alike


def lines(entries: Iterable[Entry]) -> Iterator[str]:
    """The file, line by line, each with its CRLF."""
    yield _line(list(COLUMNS))
    for entry in entries:
        yield _line([safe(cell(entry)) for cell in COLUMNS.values()])


def safe(text: str) -> str:
    """A cell that no spreadsheet takes for a formula: an apostrophe stands before what would be one."""
    return f"'{text}" if text.lstrip(" ").startswith(_FORMULA) else text


def iso(at: float) -> str:
    """POSIX seconds as ISO 8601 in UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _line(cells: list[str]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerow(cells)
    return text.getvalue()
