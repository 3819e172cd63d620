"""Markdown as far as the documentation's tests need it: headings, their anchors, links."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

_FENCE = re.compile(r"^ {0,3}(```+|~~~+)")
_HEADING = re.compile(r"^(#{1,6})\s+(.*?)\s*#*$")
_CODE = re.compile(r"`+[^`]*`+")
_LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(\s*<?([^()\s>]+(?:\([^()]*\)[^()\s>]*)*)>?(?:\s+\"[^\"]*\")?\s*\)")
_FOREIGN = re.compile(r"^(?:[a-z][a-z0-9+.-]*:|//)", re.I)  # https:, mailto: ... are nobody's files here


def prose(text: str) -> Iterator[str]:
    """The lines outside fenced code."""
    fence = ""
    for line in text.splitlines():
        mark = _FENCE.match(line)
        if mark and not fence:
            fence = mark[1][:3]
        elif fence and line.strip().startswith(fence):
            fence = ""
        elif not fence:
            yield line


def slug(heading: str) -> str:
    """The anchor of a heading, as the usual viewers make it: lower case, punctuation dropped, blanks to hyphens."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", plain.strip().lower()).replace(" ", "-")


def anchors(text: str) -> set[str]:
    """Every anchor of a page; a heading that comes again gets -1, -2 ..."""
    seen: Counter[str] = Counter()
    found: set[str] = set()
    for line in prose(text):
        if match := _HEADING.match(line):
            name = slug(match[2])
            found.add(f"{name}-{seen[name]}" if seen[name] else name)
            seen[name] += 1
    return found


def links(text: str) -> list[str]:
    """The targets of all links and images that point into this repository."""
    return [target for line in prose(text) for target in _LINK.findall(_CODE.sub("`", line)) if not _FOREIGN.match(target)]


def problem(root: Path, page: Path, target: str) -> str | None:
    """Why ``target``, linked from ``page``, leads nowhere; None when it leads somewhere inside ``root``."""
    name, _, anchor = target.partition("#")
    path = (page.parent / name).resolve() if name else page.resolve()
    if not path.is_relative_to(root.resolve()):
        return f"{target}: leads out of the repository"
    if not path.exists():
        return f"{target}: no such file"
    if anchor and path.suffix == ".md" and anchor not in anchors(path.read_text(encoding="utf-8")):
        return f"{target}: no such heading"
    return None
