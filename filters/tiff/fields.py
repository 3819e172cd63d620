"""Which entries of a page stay, by the allow-list of ``filters.tiff.tags``; the rest is named and goes."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from filters.api import Malformed, TooBig
from filters.metadata import icc, orientation
from filters.tiff import coded, codes, directory, tags
from filters.tiff.directory import Directory, Field, Layout
from filters.tiff.picture import Picture
from filters.tiff.tags import Most, Rule
from filters.tiff.tree import Page

_MAX_CURVE_BITS = 16
_FEW = 8  # values that a tag may have more than the picture has samples
_MAX_VALUES = 256 << 20  # bytes of all kept values of one file
_POSITIONS = frozenset((
    tags.STRIP_OFFSETS, tags.STRIP_COUNTS, tags.TILE_OFFSETS, tags.TILE_COUNTS, tags.SUB_IFDS, tags.JPEG_FILE,
    tags.JPEG_FILE_LENGTH, tags.JPEG_Q, tags.JPEG_DC, tags.JPEG_AC,
))  # fmt: skip


@dataclass(slots=True)
class Kept:
    """What stays of a page: tag -> (kind, count, value bytes as they stand in the output); what goes: (code, tag)."""

    values: dict[int, tuple[int, int, bytes]] = field(default_factory=dict, repr=False)
    gone: list[tuple[str, int]] = field(default_factory=list)
    profile: bool = False
    turn: int = 0  # the orientation, where only XMP told it


class Sifter:
    """One for a file: the same profile on a hundred pages is cleaned once."""

    def __init__(self, data: bytes, form: Layout) -> None:
        self._data, self._form = data, form
        self._known: dict[tuple[int, int, int], tuple[bytes | None, str]] = {}
        self._room = _MAX_VALUES

    def sift(self, page: Page) -> Kept:
        """The entries of a page with a picture; positions of samples are left to the writer.  Raises Malformed, TooBig."""
        assert page.picture is not None
        kept = Kept()
        self._repeated(page.directory, page.picture, kept)
        _readable(page.directory, page.picture)
        for tag, one in page.directory.fields.items():
            code = self._judge(tag, one, page.picture, kept)
            if code:
                kept.gone.append((code, tag))
        if tags.ORIENTATION not in kept.values:
            self._turned(page.directory, kept)
        return kept

    def _turned(self, found: Directory, kept: Kept) -> None:
        """The orientation of XMP, when the tag says none: programs turn the picture by it."""
        packet = found.fields.get(tags.XMP)
        turn = orientation.from_xmp(self._bytes(packet)) if packet is not None else None
        if turn is not None and turn != 1:
            kept.turn = turn
            kept.values[tags.ORIENTATION] = (directory.SHORT, 1, struct.pack(self._form.order + "H", turn))

    def _repeated(self, found: Directory, picture: Picture, kept: Kept) -> None:
        """A tag told twice: programs take the first or the last, so both must say the same."""
        for one in found.repeated:
            rule = _rule(one.tag, picture)
            if rule and rule.vital and self._bytes(one) != self._bytes(found.fields[one.tag]):
                raise Malformed("a tag told twice")
            kept.gone.append(("tiff.damaged-tag", one.tag))

    def _judge(self, tag: int, one: Field, picture: Picture, kept: Kept) -> str:
        """Keep the entry, or say by which code it goes."""
        rule = _rule(tag, picture)
        if rule is None:
            return codes.of_tag(tag)
        if not one.count and not rule.vital:
            return "tiff.damaged-tag"
        if not self._fits(one, rule, picture):
            if rule.vital and tag not in _POSITIONS:
                raise Malformed("a tag that display needs is damaged")
            return "tiff.damaged-tag"
        if tag in _POSITIONS:
            return ""
        value, code = self._value(tag, one)
        if value is not None:
            kept.values[tag] = (one.kind, one.count if len(value) == one.end - one.start else len(value), value)
            kept.profile = kept.profile or tag == tags.ICC
        return code

    def _fits(self, one: Field, rule: Rule, picture: Picture) -> bool:
        if not one.sound or one.kind not in rule.kinds or one.count > _most(rule.most, picture):
            return False
        if not rule.top:
            return True
        values = directory.numbers(self._data, self._form, one)
        return bool(values.size) and bool((values >= 0).all()) and bool((values <= rule.top).all())

    def _value(self, tag: int, one: Field) -> tuple[bytes | None, str]:
        """(the value of the output or None, the code of what was taken out of it)."""
        clean = _CLEANERS.get(tag)
        if clean is None:
            return self._bytes(one), ""
        key = (tag, one.start, one.end)
        if key not in self._known:
            self._known[key] = clean(self._bytes(one))
        return self._known[key]

    def _bytes(self, one: Field) -> bytes:
        if not one.sound:
            return b""
        self._room -= one.end - one.start
        if self._room < 0:
            raise TooBig("more values than any picture has")
        return self._data[one.start : one.end]


def _readable(found: Directory, picture: Picture) -> None:
    """Some programs stop at a value outside the file: nothing that display needs may stand behind it."""
    entries = list(found.fields.values())
    stop = next((at for at, one in enumerate(entries) if not one.sound and one.kind in directory.SIZES), len(entries))
    if stop < len(entries) and (found.next or any(_rule(one.tag, picture) for one in entries[stop + 1 :])):
        raise Malformed("a value outside the file")


def _rule(tag: int, picture: Picture) -> Rule | None:
    rule = tags.RULES.get(tag)
    return rule if rule is not None and (not rule.only or picture.compression in rule.only) else None


def _most(most: int | Most, picture: Picture) -> int:
    samples = max(len(picture.bits), _FEW)
    curve = 1 << min(max(picture.bits), _MAX_CURVE_BITS)
    if isinstance(most, int):
        return most
    sizes = {Most.SAMPLES: samples, Most.PAIRS: max(2 * samples, 6), Most.CURVE: curve, Most.CURVES: 3 * curve}
    return sizes.get(most, int(np.iinfo(np.int64).max))


def _profile(value: bytes) -> tuple[bytes | None, str]:
    cleaned = icc.clean(value)
    return cleaned.data, cleaned.code or ""


def _tables(value: bytes) -> tuple[bytes | None, str]:
    clean = coded.tables(value)
    return clean, "" if clean is value else "tiff.jpeg-metadata"


_CLEANERS: dict[int, Callable[[bytes], tuple[bytes | None, str]]] = {tags.ICC: _profile, tags.JPEG_TABLES: _tables}
