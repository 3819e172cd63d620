"""Marks that were dictated and came out as words: "Hi Sue comma patient has agreed full stop".

Only a text that shows that it was dictated is changed: its greeting ends with "comma", or it ends with "full stop".  Elsewhere
the same words mean other things ("comma shaped incision", "a full stop of feeds").
"""

from __future__ import annotations

import re
from typing import Final

_GREETED: Final = re.compile(r"\s*(?:hi|hello|hey|dear|good (?:morning|afternoon|evening))(?: [^\W\d_]+){0,3} comma\s", re.I)
_ENDED: Final = re.compile(r" full stop[\s.]*$", re.I)
_MARKS: Final = (
    (re.compile(r"(?<=\s)comma(?=\s)(?! (?:shaped|sign|head|like|incision|splice))"), ","),
    (re.compile(r"(?<=\s)question mark(?!\w)"), "?"),
    # In the middle only where a new sentence begins: "full stop of feeds" is none.
    (re.compile(r"(?<=\s)full stop(?=[\s.]*$|\s+(?:new (?:line|paragraph)|[Tt]hanks|[Kk]ind regards|[A-Z][a-z]))"), "."),
    (re.compile(r"(?<=[,.?]\s)\s*new (?:line|paragraph)(?!\w)"), "\n"),
)


def with_marks(text: str) -> str:
    """The text with its dictated marks as marks, every other character at its place."""
    if _GREETED.match(text) is None and _ENDED.search(text) is None:
        return text
    for words, mark in _MARKS:
        text = words.sub(lambda match, mark=mark: mark.ljust(len(match[0])), text)  # type: ignore[misc]  # its type is not inferred
    return text
