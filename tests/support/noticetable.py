"""Fill the table of placeholders of docs/notices.md from the code: ``python -m tests.support.noticetable``."""

from __future__ import annotations

import re

from quarantine.notices.placeholders import EVERY, PLACEHOLDERS, SENDER, Placeholder
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "notices.md"
_ROWS = re.compile(r"(?m)(?:^\| `\{.*\n)+")


def row(name: str, placeholder: Placeholder) -> str:
    """One line of the table."""
    flag = "list" if placeholder.many else "left out" if placeholder.optional else ""
    return f"| `{{{name}}}` | {placeholder.meaning} | {flag} | {_where(placeholder.where)} |\n"


def _where(files: frozenset[str]) -> str:
    if files >= EVERY:
        return "all"
    told = ["N-1 … N-7"] if files >= SENDER else []
    return ", ".join([*told, *sorted(files - SENDER if told else files)])


def filled(page: str) -> str:
    """The page with the rows as the code has them."""
    rows = "".join(row(name, placeholder) for name, placeholder in PLACEHOLDERS.items())
    return _ROWS.sub(lambda _: rows, page, count=1)


if __name__ == "__main__":
    PAGE.write_text(filled(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
