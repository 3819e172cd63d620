"""Where the samples of one page stand: its strips or tiles, measured, so that what lies around them can go."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from filters.api import Malformed, TooBig, Unsupported
from filters.tiff import coded, oldjpeg, tags, tails
from filters.tiff.directory import Layout, Numbers, numbers
from filters.tiff.oldjpeg import OldJpeg
from filters.tiff.tree import Page

MAX_BLOCKS = 2_000_000  # of one page
_OVERLAP = 4  # times the length of the file that all strips together may have
_PLAIN, _OLD_JPEG, _JPEG = 1, 6, 7
_LOSSY = frozenset((_JPEG, 34892))
# Codings of nothing but samples, or such as are looked into: TIFF 6.0, its supplements, TIFF/IT, libtiff's and GDAL's.
_KNOWN = frozenset((
    *range(1, 9), 32766, 32771, 32773, 32809, 32895, 32896, 32897, 32898, 32908, 32909, 32946, 33003, 33004, 33005, 34661,
    34676, 34677, 34712, 34887, 34892, 34925, 50000, 50001, 50013,
))  # fmt: skip
_PADDING = b"\0\xff"  # what may stand behind a strip without meaning anything


@dataclass(slots=True)
class Blocks:
    """``starts`` and ``ends`` of each strip or tile (equal = none, as sparse files have it); ``cuts`` go out of them.

    ``more``: further ranges that the page needs.  ``told``: the tags said the same.
    """

    starts: Numbers
    ends: Numbers
    cuts: list[tuple[int, int]] = field(default_factory=list)
    more: list[tuple[int, int]] = field(default_factory=list)
    old: OldJpeg | None = None
    codes: set[str] = field(default_factory=set)
    told: bool = True

    def ranges(self) -> list[tuple[int, int]]:
        """All ranges that are not empty."""
        used = self.ends > self.starts
        return [*zip(self.starts[used].tolist(), self.ends[used].tolist(), strict=True), *self.more]


def read(data: bytes, form: Layout, page: Page) -> Blocks:
    """The blocks of a page that has a picture.  Raises FilterError."""
    assert page.picture is not None
    if page.picture.compression not in _KNOWN:
        raise Unsupported("tiff of an unknown coding")  # it may hold whole files with metadata of their own
    starts, counts = _told(data, form, page)
    if page.picture.compression == _OLD_JPEG:
        return _old(data, form, page, starts, counts)
    if not starts.size:
        raise Malformed("no strips")
    found = Blocks(starts, starts)
    _number(page, found)
    starts = found.starts
    if counts.size and counts.size < starts.size:
        raise Malformed("strips without a length")
    measured = not counts.any()
    found.ends = np.full(starts.size, len(data), np.int64) if measured else starts + counts[: starts.size]
    found.told = not measured
    _inside(data, page, found, measured)
    if page.picture.compression == _PLAIN:
        _plain(data, page, found, measured)
    else:
        _measure(data, page, found, measured)
    return found


def _told(data: bytes, form: Layout, page: Page) -> tuple[Numbers, Numbers]:
    fields = page.directory.fields
    offsets = fields.get(tags.TILE_OFFSETS) or fields.get(tags.STRIP_OFFSETS)
    lengths = fields.get(tags.TILE_COUNTS) or fields.get(tags.STRIP_COUNTS)
    if offsets is not None and offsets.count > MAX_BLOCKS:
        raise TooBig("more strips than any picture has")
    none = np.zeros(0, np.int64)
    starts = numbers(data, form, offsets) if offsets is not None and offsets.sound else none
    counts = numbers(data, form, lengths) if lengths is not None and lengths.sound else none
    return starts, counts


def _number(page: Page, found: Blocks) -> None:
    """As many blocks as the picture has rows for."""
    picture = page.picture
    assert picture is not None
    if not picture.plain:
        return
    if found.starts.size > picture.blocks:
        found.starts = found.starts[: picture.blocks]
        found.codes.add("tiff.strips-beyond")
    if found.starts.size < picture.blocks:
        raise Malformed("strips missing")


def _inside(data: bytes, page: Page, found: Blocks, measured: bool) -> None:
    """Sparse blocks are empty; the others begin inside the file."""
    if not measured:
        empty = found.ends == found.starts
        found.starts = np.where(empty, 0, found.starts)
        found.ends = np.where(empty, 0, found.ends)
    used = found.ends > found.starts
    if (found.ends < found.starts).any() or (found.starts[used] < 8).any() or (found.starts[used] >= len(data)).any():
        raise Malformed("strips outside the file")
    if measured and not used.all():
        raise Malformed("strips outside the file")


def _expected(page: Page, count: int, size: Callable[[int], int]) -> Numbers:
    """Bytes of each of the first ``count`` blocks, decoded, by ``size`` of one."""
    picture = page.picture
    assert picture is not None
    if not picture.plain:
        return np.full(count, np.iinfo(np.int32).max, np.int64)
    sizes = np.full(count, size(0), np.int64)
    planes = len(picture.bits) if picture.planar else 1
    each = max(picture.blocks // planes, 1)
    for plane in range(planes):
        if picture.planar:
            sizes[plane * each : (plane + 1) * each] = size(plane * each)
        if (plane + 1) * each <= count:
            sizes[(plane + 1) * each - 1] = size((plane + 1) * each - 1)
    return sizes


def _plain(data: bytes, page: Page, found: Blocks, measured: bool) -> None:
    """Samples without coding: their length is known."""
    picture = page.picture
    assert picture is not None
    full, packed = (found.starts + _expected(page, found.starts.size, size) for size in (picture.expected, picture.packed))
    wanted = np.where(found.ends >= full, full, packed)
    used = found.ends > found.starts
    ends = np.where(used, np.minimum(found.ends, wanted), found.ends)
    if picture.plain and (ends < wanted)[used].any():
        raise Malformed("samples missing")  # some programs read on into whatever follows
    if (ends > len(data)).any() or (measured and (wanted > len(data)).any()):
        raise Malformed("strips outside the file")
    for index in np.flatnonzero(ends < found.ends).tolist():
        _shorten(data, found, index, int(ends[index]), measured)


def _measure(data: bytes, page: Page, found: Blocks, measured: bool) -> None:
    """Coded samples: each block is asked where it ends."""
    picture = page.picture
    assert picture is not None
    mirrored = _mirrored(page, data)
    raw = np.maximum(_expected(page, found.starts.size, picture.expected), picture.expected(0)).tolist()
    known: dict[tuple[int, int, int], int | None] = {}
    room = _OVERLAP * len(data)
    ranges = list(zip(found.starts.tolist(), found.ends.tolist(), raw, strict=True))
    for index, (start, stop, most) in enumerate(ranges):
        if stop <= start:
            continue
        limit = min(stop, len(data))
        key = (start, limit, most)
        if key not in known:
            room -= limit - start
            if room < 0:
                raise Malformed("strips overlap")
            known[key] = _end(data, page, found, tails.Strip(data, start, limit, most, mirrored))
        end = known[key]
        if end is None and (measured or stop > len(data)):
            raise Malformed("strips without a length" if measured else "strips outside the file")
        if end is not None and end < stop:
            _shorten(data, found, index, end, measured)


def _mirrored(page: Page, data: bytes) -> bool:
    one = page.directory.fields.get(tags.FILL_ORDER)
    return one is not None and one.sound and 2 in data[one.start : one.end]


def _end(data: bytes, page: Page, found: Blocks, strip: tails.Strip) -> int | None:
    picture = page.picture
    assert picture is not None
    if picture.compression not in _LOSSY:
        return tails.end(picture.compression, strip)
    stream = coded.stream(data, strip.start, strip.end)
    if stream.cuts:
        found.cuts += stream.cuts
        found.codes.add("tiff.jpeg-metadata")
    return stream.end


def _shorten(data: bytes, found: Blocks, index: int, end: int, measured: bool) -> None:
    """The block ends at ``end``; padding behind it may stay."""
    stop = int(found.ends[index])
    if measured or stop > len(data):
        found.ends[index] = end
        found.told = False
    elif data[end:stop].strip(_PADDING):
        found.ends[index] = end
        found.codes.add("tiff.strip-tail")


def _old(data: bytes, form: Layout, page: Page, starts: Numbers, counts: Numbers) -> Blocks:
    old = oldjpeg.read(data, form, page, starts, counts)
    found = Blocks(old.starts, old.ends, old.cuts, old.ranges(), old, told=old.told)
    if old.cuts:
        found.codes.add("tiff.jpeg-metadata")
    return found
