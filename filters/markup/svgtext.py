"""The bytes of a drawing in an encoding in which ASCII stands for itself, and the way back (XML 1.0 4.3.3 and appendix F)."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final

from filters.api import Malformed, Unsupported

_MARKS: Final = (
    (b"\xff\xfe\0\0", "utf-32-le"),
    (b"\0\0\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
    (b"<\0\0\0", "utf-32-le"),
    (b"\0\0\0<", "utf-32-be"),
    (b"<\0", "utf-16-le"),
    (b"\0<", "utf-16-be"),
)
_BOMS: Final = (b"\xff\xfe\0\0", b"\0\0\xfe\xff", b"\xff\xfe", b"\xfe\xff")
_DECLARED = re.compile(
    rb"<\?xml\s+version\s*=\s*[\"']1\.[0-9][\"'](?:\s+encoding\s*=\s*[\"'](?P<encoding>[A-Za-z][A-Za-z0-9._-]{0,40})[\"'])?"
    rb"(?:\s+standalone\s*=\s*[\"'](?:yes|no)[\"'])?\s*\?>"
)
_ENCODINGS = re.compile(
    r"utf-?8|us-ascii|ascii|iso[-_]8859-(?:[1-9]|1[0-6])|latin[1-9]|windows-125[0-8]|cp125[0-8]|koi8-[ru]|macintosh"
    r"|gb2312|gbk|gb18030|big5|shift[-_]jis|euc-jp|euc-kr"
)
_CONTROLS: Final = bytes(octet for octet in range(32) if octet not in b"\t\n\r")


@dataclass(frozen=True, slots=True)
class Source:
    """``data`` begins with "<" or blanks; ``declaration`` is the length of the XML declaration at ``start``."""

    data: bytes = field(repr=False)
    start: int  # behind the byte order mark
    body: int  # behind the XML declaration
    wide: str = ""  # the encoding of the file when it is of two or four bytes a letter
    mark: bytes = b""

    def encoded(self, data: bytes) -> bytes:
        """The bytes of the file from those in ``data``."""
        return self.mark + data.decode("utf-8").encode(self.wide) if self.wide else data


def source(data: bytes) -> Source:
    """Raises Malformed when the bytes are none of the declared encoding, Unsupported for encodings nobody uses."""
    wide = next((codec for mark, codec in _MARKS if data.startswith(mark)), "")
    mark = next((mark for mark in _BOMS if data.startswith(mark)), b"") if wide else b""
    if wide:
        data = _decoded(data[len(mark) :], wide).encode("utf-8")
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    declaration = _DECLARED.match(data, start)
    if declaration is None and data.startswith(b"<?xml", start):
        raise Malformed("no XML declaration that can be read")
    if not wide:
        _decoded(data, _codec(declaration))
    if data.translate(None, _CONTROLS) != data:
        raise Malformed("control characters")
    return Source(data, start, declaration.end() if declaration else start, wide, mark)


def _codec(declaration: re.Match[bytes] | None) -> str:
    name = (declaration["encoding"] if declaration and declaration["encoding"] else b"utf-8").decode("ascii").lower()
    if name in ("utf-16", "unicode", "utf16"):
        return "utf-8"  # written by programs that think in UTF-16; readers go by the bytes
    if not _ENCODINGS.fullmatch(name):
        raise Unsupported("encoding")
    return name


def _decoded(data: bytes, codec: str) -> str:
    try:
        return data.decode(codec)
    except UnicodeDecodeError:
        raise Malformed("bytes that are none of the encoding") from None
