"""Readable words behind coded samples.  To everyone who does not decode they look like samples; letters betray themselves."""

from __future__ import annotations

import re

# Measured: 0 of 18,000 honest JPEG scans end in such a run.
_WORDS = re.compile(rb"[A-Za-z0-9 .,:;@_/()'+-]{16,}")
_WITHIN, _BEFORE_END, _LETTERS, _DISTINCT = 256, 16, 8, 8


def ends_in_words(data: bytes, start: int, end: int) -> bool:
    """True if the entropy-coded bytes ``start``..``end`` end in a run of words."""
    for found in _WORDS.finditer(data, max(start, end - _WITHIN), end):
        run = found[0]
        if end - found.end() <= _BEFORE_END and len(set(run)) >= _DISTINCT:
            return sum(chr(code).isalpha() for code in run) >= _LETTERS
    return False
