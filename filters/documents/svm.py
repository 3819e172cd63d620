"""StarView metafiles: previews of charts and formulas in OpenDocument files.  Most are lines and words only."""

from __future__ import annotations

import struct
from typing import Final

from filters.api import Budget

_MARK: Final = b"VCLMTF"
_DRAWING: Final = frozenset((*range(100, 116), 125, 126, *range(128, 143), 144, 145, 146, *range(148, 152)))
_COMMENT: Final = 512


def plain(data: bytes, budget: Budget) -> bool:
    """Whether it is such a metafile and every action in it draws lines, shapes or words (the actions of LibreOffice's vcl)."""
    if not data.startswith(_MARK) or len(data) < 12:
        return False
    at = 12 + int.from_bytes(data[8:12], "little")
    while at + 8 <= len(data):
        budget.tick()
        kind, _version, length = struct.unpack_from("<HHI", data, at)
        if kind not in _DRAWING and kind != _COMMENT:
            return False
        at += 8 + length
    return at == len(data)
