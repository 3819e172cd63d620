"""How hard a text is to read (Flesch-Kincaid): grade + 5 is about the age of who can read it."""

from __future__ import annotations

import re


def _syllables(word: str) -> int:
    return max(1, len(re.findall(r"[aeiouy]+", re.sub(r"e$", "", word.lower()))))


def sentences(text: str) -> list[str]:
    """The sentences of a page of Markdown; headings and tables, which are none, are left out."""
    plain = re.sub(r"^[>*-]+ |^#.*$|^\|.*$", "", text.replace("**", ""), flags=re.M)
    return [one for one in re.split(r"[.!?:;]\s+|\n\s*\n|\n(?=- )", plain) if re.search(r"[a-z]", one)]


def grade(text: str) -> float:
    """Flesch-Kincaid grade."""
    parts = sentences(text)
    words = re.findall(r"[A-Za-z']+", " ".join(parts))
    return 0.39 * len(words) / len(parts) + 11.8 * sum(map(_syllables, words)) / len(words) - 15.59
