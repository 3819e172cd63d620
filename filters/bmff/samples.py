"""Where the samples of a track stand (14496-12 8.6, 8.7): chunks, their samples, their bytes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from filters.api import Malformed
from filters.bmff.descriptions import Description
from filters.bmff.layout import Media, Numbers, numbers

_MOST = 1 << 32
_MOST_SAMPLES = 2_000_000  # of one size in a film: 9 hours at 60 a second


@dataclass(frozen=True, slots=True)
class Samples:
    """Chunks and samples of one track, in bytes of the file."""

    chunks: Numbers = field(repr=False)
    chunk_sizes: Numbers = field(repr=False)
    starts: Numbers = field(repr=False)  # of each sample; empty for sound of one size
    sizes: Numbers = field(repr=False)
    count: int = 0


def read(tables: Mapping[bytes, bytes], description: Description, sound: bool, media: Media) -> Samples:
    """The samples that the bodies of stsz, stsc, stco say.  Raises Malformed."""
    wide = b"co64" in tables
    if wide and b"stco" in tables:
        raise Malformed("two tables of chunks")
    offsets = chunk_offsets(tables.get(b"co64" if wide else b"stco", bytes(8)), 8 if wide else 4)
    per_chunk = _per_chunk(tables.get(b"stsc", bytes(8)), len(offsets))
    fixed, sizes, count = _sizes(tables)
    if fixed or (sound and description.sample_bytes and not len(sizes)):
        chunk_sizes = _fixed_chunks(offsets, per_chunk, fixed, count, sound, description, media)
        starts, sizes = _fixed_samples(offsets, per_chunk, fixed, count) if not sound else (numbers(), numbers())
        return Samples(offsets, chunk_sizes, starts, sizes, count)
    ends = np.minimum(np.cumsum(per_chunk), len(sizes))
    firsts = np.concatenate((numbers(0), ends[:-1])) if len(ends) else ends
    total = np.concatenate((numbers(0), np.cumsum(sizes)))
    chunk_sizes = total[ends] - total[firsts]
    shown = int(ends[-1]) if len(ends) else 0
    starts = np.repeat(offsets - total[firsts], ends - firsts) + total[:shown]
    return Samples(offsets, chunk_sizes, starts, sizes[:shown], count)


def chunk_offsets(body: bytes, width: int) -> Numbers:
    """The offsets of all chunks (stco: 4 bytes each, co64: 8)."""
    count = int.from_bytes(body[4:8], "big")
    if len(body) < 8 or 8 + width * count > len(body):
        raise Malformed("chunk table beyond its box")
    found = np.frombuffer(body, f">u{width}", count, 8)
    if width == 8 and count and int(found.max()) >= _MOST:
        raise Malformed("chunk beyond the end of the file")
    return found.astype(np.int64)


def _per_chunk(body: bytes, chunks: int) -> Numbers:
    """Samples of each chunk (14496-12 8.7.4: runs of chunks with the same number)."""
    count = int.from_bytes(body[4:8], "big")
    if not chunks or not count:
        return np.zeros(chunks, np.int64)
    rows = np.frombuffer(body, ">u4", 3 * count, 8).reshape(count, 3).astype(np.int64)
    firsts = rows[:, 0] - 1
    if firsts[0] != 0 or bool((np.diff(firsts) <= 0).any()):
        raise Malformed("chunk runs out of order")
    edges = np.minimum(np.append(firsts, chunks), chunks)
    return np.repeat(rows[:, 1], np.diff(edges))


def _sizes(tables: Mapping[bytes, bytes]) -> tuple[int, Numbers, int]:
    """(size of every sample or 0, sizes, number of samples)."""
    body = tables.get(b"stsz")
    if body is not None:
        fixed, count = int.from_bytes(body[4:8], "big"), int.from_bytes(body[8:12], "big")
        return fixed, numbers() if fixed else np.frombuffer(body, ">u4", count, 12).astype(np.int64), count
    body = tables.get(b"stz2")
    if body is None:
        return 0, numbers(), 0
    bits, count = body[7], int.from_bytes(body[8:12], "big")
    if bits == 4:
        both = np.frombuffer(body, np.uint8, (count + 1) // 2, 12)
        return 0, np.stack((both >> 4, both & 15), 1).reshape(-1)[:count].astype(np.int64), count
    return 0, np.frombuffer(body, f">u{bits // 8}", count, 12).astype(np.int64), count


def _clipped(per_chunk: Numbers, count: int) -> Numbers:
    """The samples of each chunk that are there at all."""
    ends = np.minimum(np.cumsum(per_chunk), count)
    return np.diff(ends, prepend=0) if len(ends) else ends


def _fixed_chunks(
    offsets: Numbers, per_chunk: Numbers, fixed: int, count: int, sound: bool, description: Description, media: Media
) -> Numbers:
    """Bytes of each chunk of samples of one size.

    QuickTime tells a size of 1 for uncompressed and old compressed sound; the description has the real one, and what
    players make of it differs.  The longest that lies within the media data is kept.
    """
    held = _clipped(per_chunk, count)
    if float(held.sum()) * max(1, fixed) > 64 * _MOST:
        raise Malformed("more samples than the file has bytes")
    longest = held * fixed
    if sound:
        longest = np.maximum(longest, held * description.sample_bytes)
        if description.packet[0]:
            samples, size = description.packet
            longest = np.maximum(longest, (held + samples - 1) // samples * size)
        longest = np.maximum(np.minimum(longest, media.rooms(offsets)), held * fixed)
    return longest


def _fixed_samples(offsets: Numbers, per_chunk: Numbers, fixed: int, count: int) -> tuple[Numbers, Numbers]:
    held = _clipped(per_chunk, count)
    total = int(held.sum())
    if total > _MOST_SAMPLES:
        raise Malformed("more samples than the file has bytes")
    firsts = np.cumsum(held) - held
    starts = np.repeat(offsets - firsts * fixed, held) + np.arange(total, dtype=np.int64) * fixed
    return starts, np.full(total, fixed, np.int64)
