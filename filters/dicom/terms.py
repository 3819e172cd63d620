"""Coded terms (PS3.3 8.8): those of public lists stay, with the list's own wording, for wording is free text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import cast

from filters.dicom import words

# scheme -> codes that are surely codes although the list at hand does not have them; None: only listed ones
_PATTERNS: Mapping[str, re.Pattern[str] | None] = {
    "DCM": re.compile(r"\d{6}"),
    "SCT": re.compile(r"\d{6,18}"),
    "SRT": re.compile(r"[A-Z][0-9A-F]?-[0-9A-F]{4,5}"),
    "SNM3": re.compile(r"[A-Z][0-9A-F]?-[0-9A-F]{4,5}"),
    "99SDM": re.compile(r"[A-Z][0-9A-F]?-[0-9A-F]{4,5}"),
    "LN": re.compile(r"\d{1,6}-\d"),
    "UCUM": re.compile(r"[a-zA-Z%]{1,4}\d?([./]\d{0,4}[a-zA-Z%]{1,4}\d?){0,3}|1|\[[a-zA-Z']{1,6}\]"),
    "FMA": re.compile(r"\d{3,6}"), "UMLS": re.compile(r"C\d{7}"),
    "RADLEX": re.compile(r"RID\d{1,6}"), "NCIt": re.compile(r"C\d{3,6}"),
    "SCPECG": re.compile(r"\d{1,2}(\.\d{1,3}){1,4}(-\d{1,4}){0,3}"), "MDC": re.compile(r"2:\d{1,6}"),
    "IBSI": None, "NEU": None, "BARI": None,
    "ISO3166_1": re.compile(r"[A-Z]{2,3}"), "ISO639_2": re.compile(r"[a-z]{3}"), "RFC5646": re.compile(r"[a-z]{2,3}(-[A-Z]{2})?"),
}  # fmt: skip
VERSION = re.compile(r"[0-9.]{1,8}")


def wording(scheme: str, code: str, told: str) -> str | None:
    """What a code of a public list means.  None: no public code.

    Where the list at hand does not have it, it is the wording ``told`` if that is made of known words, else the code itself.
    """
    if scheme not in _PATTERNS:
        return None
    meaning = _meanings().get((scheme, code))
    if meaning is not None:
        return meaning
    pattern = _PATTERNS[scheme]
    if pattern is None or not pattern.fullmatch(code):
        return None
    return told if words.clean(told) == told != "" else code


@cache
def _meanings() -> Mapping[tuple[str, str], str]:
    # Large tables, read only when a file has coded terms.  Private modules: the tables have no public way in by code; pydicom is
    # pinned below its next minor version.
    from pydicom.sr._concepts_dict import concepts
    from pydicom.sr._snomed_dict import mapping as snomed

    lists = cast("Mapping[str, Mapping[str, Mapping[str, tuple[str, list[int]]]]]", concepts)
    table = {
        (scheme, code): meaning
        for scheme, words in lists.items()
        for codes in words.values()
        for code, (meaning, _) in codes.items()
    }
    for old, new in snomed["SRT"].items():
        meaning = table.get(("SCT", new))
        if meaning is not None:
            table.update({(scheme, old): meaning for scheme in ("SRT", "SNM3", "99SDM")})
    return {key: meaning.encode("ascii", "ignore").decode("ascii")[:64] for key, meaning in table.items()}
