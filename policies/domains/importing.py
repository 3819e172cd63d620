"""A list of accredited domains (CSV) as proposals for the register.  Nothing imported is ever approved by the import."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from policies.register import Register, a_label
from policies.statements.dates import read_date

# What a column is for -> the words of its heading, most telling first.
HEADINGS: Final[Mapping[str, tuple[str, ...]]] = {
    "domain": ("email domain", "e-mail domain", "mail domain", "domain name", "domain", "domains"),
    "organisation": ("organisation name", "organization name", "organisation", "organization", "name"),
    "ods": ("ods code", "ods", "organisation code", "org code"),
    "until": ("valid until", "expiry date", "expiry", "expires", "accredited until", "valid to"),
}


class CsvError(ValueError):
    """The file cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class Row:
    """One accredited domain."""

    line: int
    domain: str  # A-label form
    organisation: str = ""
    ods: str = ""
    until: date | None = None


@dataclass(frozen=True, slots=True)
class Sifted:
    """What becomes of each row: to be proposed, there already, or never to be approved (with the reason)."""

    new: tuple[Row, ...]
    there: tuple[Row, ...]
    refused: tuple[str, ...]


def read_csv(text: str) -> list[Row]:
    """The rows of a list with headings.  A cell may name several domains.  Raises CsvError."""
    lines = text.lstrip("\ufeff").splitlines()
    if not lines:
        raise CsvError("the file is empty")
    delimiter = max(",;\t", key=lines[0].count)
    try:
        table = list(csv.reader(io.StringIO("\n".join(lines)), delimiter=delimiter))
    except csv.Error as error:
        raise CsvError(f"not a CSV file: {error}") from None
    columns = _columns(table[0])
    rows: list[Row] = []
    for number, cells in enumerate(table[1:], 2):
        told = {what: cells[at].strip() for what, at in columns.items() if at < len(cells)}
        for word in re.split(r"[;,\s]+", told.get("domain", "")):
            name = word.strip().lstrip("@").lower()
            if name:
                rows.append(Row(number, a_label(name) or name, told.get("organisation", ""), told.get("ods", ""), _day(told)))
    if not rows:
        raise CsvError("no row names a domain")
    return rows


def _columns(heads: list[str]) -> dict[str, int]:
    plain = [" ".join(head.lower().replace("_", " ").split()) for head in heads]
    found = {what: plain.index(word) for what, words in HEADINGS.items() for word in reversed(words) if word in plain}
    if "domain" not in found:
        raise CsvError(f"no column is called {' or '.join(HEADINGS['domain'][:5])}; there are {', '.join(heads)}")
    return found


def _day(told: Mapping[str, str]) -> date | None:
    read = read_date(told.get("until", ""))
    return read.earlier if read else None


def sift(rows: Iterable[Row], register: Register, wrong: Mapping[str, str]) -> Sifted:
    """``wrong``: domain -> why it can never be approved."""
    new: dict[str, Row] = {}
    there: list[Row] = []
    refused: list[str] = []
    for row in rows:
        if row.domain in register.domains:
            there.append(row)
        elif row.domain in wrong:
            refused.append(f"line {row.line}: {wrong[row.domain]}")
        else:
            new.setdefault(row.domain, row)
    return Sifted(tuple(new.values()), tuple(there), tuple(refused))
