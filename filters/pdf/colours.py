"""Colour profiles in a PDF (ISO 32000-2, 8.6.5.5 and 14.11.5): the colours stay, the words go."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

import pikepdf

from filters.api import Budget, Fate, FilterError, Finding
from filters.metadata import icc
from filters.pdf import reader
from filters.pdf.reader import Document, Id

_PROFILE = re.compile(rb"/(?:ICCBased|DestOutputProfile) ([0-9]{1,10}) ([0-9]{1,5}) R")


def _profiles(document: Document) -> list[Id]:
    named = {(int(found[1]), int(found[2])) for text in document.texts.values() for found in _PROFILE.finditer(text)}
    return sorted(ident for ident in named if isinstance(document.objects.get(ident), pikepdf.Stream))


def _cleaned(document: Document, budget: Budget) -> Iterator[tuple[Id, icc.Cleaned]]:
    for ident in _profiles(document):
        try:
            profile = reader.content(document.objects[ident], budget)
        except FilterError as error:
            if error.reason.value == "limit":
                raise
            continue
        if len(profile) <= icc.MAX_PROFILE:
            yield ident, icc.clean(profile)


def findings(document: Document, budget: Budget) -> Iterator[Finding]:
    """Profiles with words in them; a damaged one stays: readers fall back to what stands beside it."""
    for ident, cleaned in _cleaned(document, budget):
        if cleaned.code:
            yield Finding(cleaned.code, f"obj@{ident[0]}", Fate.KEPT if cleaned.data is None else Fate.REMOVED)


def clean(document: Document, budget: Budget) -> None:
    """Takes the words out of the profiles."""
    for ident, cleaned in list(_cleaned(document, budget)):
        if cleaned.code and cleaned.data is not None:
            document.objects[ident].write(zlib.compress(cleaned.data, 9), filter=pikepdf.Name.FlateDecode)
