"""What can be read in bytes that are no clean text: runs of letters between controls, NULs and binary data.

A lenient program shows a page or undoes a uuencoded file although a control character, a foreign first line or a block of binary
data stands in the same part.  So the letters are looked through there too.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from filters.sniffing.wording import CONTROLS

_SHORTEST: Final = 16  # letters of a run; nothing that encodes a file is shorter with its line ends
_PIECE: Final = 1 << 20  # octets reduced at a time: a large binary file is never copied whole


def readable(data: bytes) -> bytes:
    """The very same object when no control character stands in it, else its runs of ASCII, a line each.

    Controls are dropped first, so that UTF-16 becomes plain letters.  A run cut at a piece's end goes on in the next line.
    """
    if data[:4096].translate(None, CONTROLS) == data[:4096] and data.translate(None, CONTROLS) == data:
        return data
    return b"\n".join(
        run for at in range(0, len(data), _PIECE) for run in _runs(data[at : at + _PIECE].translate(None, CONTROLS))
    )


def _runs(piece: bytes) -> Iterator[bytes]:
    octets = np.frombuffer(piece, np.uint8)
    stops = np.concatenate(([-1], np.flatnonzero(octets >= 0x80), [len(piece)]))
    for index in np.flatnonzero(np.diff(stops) > _SHORTEST):
        yield piece[stops[index] + 1 : stops[index + 1]]
