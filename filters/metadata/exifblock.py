"""The one EXIF block that may stand in a cleaned file: the input's own when it says only how to display, else the orientation.

For formats that hold whole TIFF structures (WebP, JPEG 2000, JPEG XL); JPEG has segments of its own kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from filters.metadata import exif, orientation


@dataclass(frozen=True, slots=True)
class Told:
    """``facts`` over all blocks; ``block`` is the TIFF structure to keep or to write, None when the file needs none."""

    facts: exif.ExifFacts
    block: bytes | None = field(default=None, repr=False)


def bare(block: bytes) -> bytes:
    """The TIFF structure of a block that some writers put behind JPEG's "Exif\\0\\0"."""
    return block[len(exif.PREFIX) :] if block.startswith(exif.PREFIX[:4]) else block


def told(tiffs: Sequence[bytes], packets: Sequence[bytes] = ()) -> Told:
    """What these EXIF blocks say, and XMP ``packets`` where EXIF is silent about the orientation.  Never raises.

    ``block`` is the very same object as ``tiffs[0]`` when that may stay as it is.
    """
    found = [exif.facts(tiff) for tiff in tiffs]
    facts = next((one for one in found if not one.damaged), found[0] if found else exif.ExifFacts())
    oriented = next((one for one in found if one.declared), None)
    turn = oriented.orientation if oriented else next((t for packet in packets if (t := orientation.from_xmp(packet))), 1)
    facts = replace(facts, orientation=turn, codes=frozenset[str]().union(*(one.codes for one in found)))
    if tiffs and exif.display_only(tiffs[0]) and exif.facts(tiffs[0]).orientation == turn:
        return Told(facts, tiffs[0])
    return Told(facts, exif.orientation_only(turn)[len(exif.PREFIX) :] if turn != 1 else None)
