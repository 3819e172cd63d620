"""The message after DATA: from received chunks to its bytes (RFC 5321 4.1.1.4, 4.5.2).  Pure, no I/O.

Only CRLF.CRLF ends a message.  CR or LF alone and NUL are what SMTP smuggling is made of: two servers that disagree about
them see two different ends.  They are refused, or CR and LF normalised, before anybody behind us can disagree.

Every step looks at one chunk alone, so that no scan grows with the message.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from gateway.model import Reply
from gateway.smtpreplies import BARE_NEWLINE, NO_MEMORY, NUL, TOO_BIG

END = b"\r\n.\r\n"
_BARE_LF = re.compile(rb"\n(?<!\r\n)")
_BARE_CR = re.compile(rb"\r(?!\n)")
_NEWLINE = re.compile(rb"\r\n|\r|\n")


class DataReader:
    """Give it chunks with ``feed`` until that returns the bytes which follow the message, then ask ``content``.

    ``limit``: bytes of the message as RFC 1870 counts them (without terminator and doubled dots).  ``grow(size)``: asked before
    ``size`` bytes are kept; False = no memory.  From the first fault on nothing is kept, but all is read to the real end.
    """

    def __init__(self, limit: int, *, normalise: bool = False, grow: Callable[[int], bool] = lambda size: True) -> None:
        self.fault: Reply | None = None
        self._limit = limit
        self._normalise = normalise
        self._grow = grow
        # The line end of the DATA command itself: a dot in the first line is at a line's start, too.
        self._carry = b"\r\n"
        self._kept = bytearray()

    def feed(self, chunk: bytes) -> bytes | None:
        """Take what was received.  None: the message goes on; else its end was seen, and these bytes came after it."""
        window = self._carry + chunk
        dotted = b"\r\n." in window  # one scan where there is no dot line at all, which is most chunks
        end = window.find(END) if dotted else -1
        if end >= 0:
            rest = window[end + len(END) :]
            self._carry = b""
            self._keep(window[: end + 2], dotted)
            return rest
        whole = len(window) - _unfinished(window)
        self._carry = window[whole:]
        self._keep(window[:whole], dotted)
        return None

    def content(self) -> bytes:
        """The message: CRLF lines, dots unstuffed.  Once only: the reader's own copy is gone afterwards."""
        with memoryview(self._kept) as view:
            content = bytes(view[2:])
        self._kept = bytearray()
        return content

    def _keep(self, piece: bytes, dotted: bool) -> None:
        """``piece`` neither starts after a CR nor ends in one, nor between CRLF and a dot: it can be judged alone."""
        if self.fault is not None:
            return None
        if b"\0" in piece:
            return self._fail(NUL)
        bare = _BARE_LF.search(piece) is not None or _BARE_CR.search(piece) is not None
        if bare and not self._normalise:
            return self._fail(BARE_NEWLINE)
        if dotted:
            piece = piece.replace(b"\r\n.", b"\r\n")  # any first dot goes, also one that nobody doubled (RFC 5321 4.5.2)
        if bare:
            # After unstuffing: a dot behind a bare newline was never stuffed, it is stuffed on the way out.
            piece = _NEWLINE.sub(b"\r\n", piece)
        size = len(self._kept) + len(piece) - 2
        if size > self._limit:
            return self._fail(TOO_BIG)
        if not self._grow(size):
            return self._fail(NO_MEMORY)
        self._kept += piece
        return None

    def _fail(self, fault: Reply) -> None:
        self.fault = fault
        self._kept = bytearray()


def _unfinished(window: bytes) -> int:
    """How many of the last bytes may be the start of END or of a dot line: the longest suffix that is a prefix of END."""
    for length in range(len(END) - 1, 0, -1):
        if window.endswith(END[:length]):
            return length
    return 0
