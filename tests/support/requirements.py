"""docs/requirements.md out of docs/requirements.yaml: ``python -m tests.support.requirements`` writes it.

Each of the 133 rows S0-1 … S4-24 (the duties, risks and advice of the five founding articles) names what shows that it is met: a
test, a paragraph of a guide, or the issue that will do it.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.support.evidence import TEST
from tests.support.paths import ROOT

SOURCE = ROOT / "docs" / "requirements.yaml"
PAGE = ROOT / "docs" / "requirements.md"
ROWS = {0: 14, 1: 51, 2: 15, 3: 29, 4: 24}  # article -> number of rows; 133 in all
IDS = tuple(f"S{article}-{number}" for article, count in ROWS.items() for number in range(1, count + 1))
ARTICLES = {
    0: "Sharing images electronically (a GP academic's article in Pulse)",
    1: "Images sent by patients in remote consultations (BMJ 2020;370:m2675)",
    2: "DeepMind Health review: warning of the MDU (National Health Executive, 2017)",
    3: "Snap happy (MDU Good Practice, June 2014)",
    4: "Five mistakes with patient imagery (Clinic to Cloud, Australia)",
}
LATER = "a later issue"
ISSUES = (LATER,)  # titles of open issues may stand here
KEYS = {"says", "evidence", "not_yet"}


@dataclass(frozen=True, slots=True)
class Row:
    """``evidence`` shows what is done, ``not_yet`` names the issues that do the rest; one of them is never empty."""

    says: str
    evidence: tuple[str, ...] = ()
    not_yet: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        if not self.evidence:
            return "not yet"
        if self.not_yet:
            return "in part"
        return "test" if any(TEST.fullmatch(one) for one in self.evidence) else "guide"


def load(path: Path = SOURCE) -> dict[str, Row]:
    """The source of truth.  Raises ValueError for a key that is none of ours."""
    rows: dict[str, Row] = {}
    for name, told in yaml.safe_load(path.read_text(encoding="utf-8")).items():
        if set(told) - KEYS:
            raise ValueError(f"{name}: unknown {sorted(set(told) - KEYS)}")
        rows[name] = Row(told.get("says", ""), tuple(told.get("evidence", ())), tuple(told.get("not_yet", ())))
    return rows


def page(rows: Mapping[str, Row]) -> str:
    """docs/requirements.md."""
    counts = {status: sum(row.status == status for row in rows.values()) for status in ("test", "guide", "in part", "not yet")}
    out = [
        "# What the founding articles ask for, and what shows that it is met",
        "",
        "Made by `python -m tests.support.requirements` from [requirements.yaml](requirements.yaml); do not edit it by hand. "
        "A test fails when a row is missing, a named test or paragraph does not exist, or this page is out of date.",
        "",
        f"{len(rows)} rows: {counts['test']} shown by a test, {counts['guide']} answered by guidance (out of a gateway's reach), "
        f"{counts['in part']} in part, {counts['not yet']} not yet.",
        "",
    ]
    for article, title in ARTICLES.items():
        out += [f"## S{article}: {title}", "", "| row | what it asks, in short | shown by |", "|---|---|---|"]
        out += [f"| {name} | {row.says} | {_shown(row)} |" for name, row in rows.items() if name.startswith(f"S{article}-")]
        out.append("")
    return "\n".join(out)


def _shown(row: Row) -> str:
    shown = [_link(one) for one in row.evidence]
    shown += [f"not yet: {issue}" if issue == LATER else f"not yet: issue “{issue}”" for issue in row.not_yet]
    return "<br>".join(shown)


def _link(reference: str) -> str:
    if TEST.fullmatch(reference):
        file, _, name = reference.partition("::")
        return f"[`{name}`](../{file})"
    return f"[{reference.removeprefix('docs/')}]({os.path.relpath(reference, 'docs')})"


if __name__ == "__main__":
    PAGE.write_text(page(load()), encoding="utf-8")
