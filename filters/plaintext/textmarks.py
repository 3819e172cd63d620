"""Marks that betray a file in a text: one row each, with quick bytes that must occur before the pattern is tried."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from filters.plaintext.hidden import ENCRYPTED, HOLD, MOST, Embedded
from filters.sniffing.jpegstart import is_jpeg


def _any(_text: bytes, _at: int) -> bool:
    return True


class Mark(NamedTuple):
    """``quick`` must stand in the text, ``pattern`` fit somewhere behind (or up to 80 bytes before) its first occurrence."""

    code: str
    quick: tuple[bytes, ...]  # any of them
    pattern: re.Pattern[bytes]
    reason: str = HOLD
    confirm: Callable[[bytes, int], bool] = _any  # looks closer at a place where the pattern fits


RAW: Final = (
    Mark("text.raw-image", (b"\xff\xd8\xff",), re.compile(rb"\xff\xd8\xff"), confirm=is_jpeg),
    Mark("text.raw-image", (b"\x89PNG",), re.compile(rb"\x89PNG\r?\n\x1a\n")),
)
MARKS: Final = (
    *RAW,
    Mark("text.uuencode", (b"_]C_",), re.compile(rb"(?m)^[> \t]{0,40}[!-M]_]C_[P-`][ -`]")),  # FF D8 FF at the start of a line
    Mark("text.uuencode", (b"B5!.1",), re.compile(rb"(?m)^[> \t]{0,40}[!-M]B5!\.1PT\*")),  # PNG
    Mark("text.uuencode", (b"1TE&.",), re.compile(rb"(?m)^[> \t]{0,40}[!-M]1TE&\.[#C]")),  # GIF8
    Mark("text.yenc", (b"=ybegin ",), re.compile(rb"(?m)^[> ]{0,8}=ybegin [^\r\n]{0,80}\bsize=")),
    Mark("text.binhex", (b"must be converted with BinHex",), re.compile(rb"must be converted with BinHex")),
    Mark("text.ascii85", (b"<~",), re.compile(rb"<~[!-uz\s]{100}")),
    Mark("text.ascii85", (b"xbtoa",), re.compile(rb"(?m)^xbtoa\d? Begin")),
    Mark("text.pgp-message", (b"PGP MESSAGE",), re.compile(rb"-----BEGIN PGP MESSAGE(?:, PART [0-9/]{1,9})?-----"), ENCRYPTED),
    Mark(
        "text.armoured-message",
        (b"-----BEGIN ",),
        re.compile(rb"-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS|ENCRYPTED MESSAGE|AGE ENCRYPTED FILE|SMIME)-----"),
        ENCRYPTED,
    ),
    Mark("text.qp-image", (b"=FF", b"=ff"), re.compile(rb"(?i)=FF=D8=FF")),
    Mark("text.qp-image", (b"=89",), re.compile(rb"(?i)=89(?:=\r?\n)?(?:PNG|=50=4E=47)")),
    Mark("text.qp-image", (b"=47=49",), re.compile(rb"=47=49=46=38=3[79]")),
    Mark("text.hex-image", (b"216",), re.compile(rb"255(?<!\w255)\s{0,3},\s{0,3}216\s{0,3},\s{0,3}255\s{0,3},")),
    Mark("text.hex-image", (b"137",), re.compile(rb"137(?<!\w137)\s{0,3},\s{0,3}80\s{0,3},\s{0,3}78\s{0,3},\s{0,3}71\s{0,3},")),
    Mark("text.hex-image", (b"\\x",), re.compile(rb"(?i)\\xff\\xd8\\xff|\\x89PNG|\\x89\\x50\\x4e\\x47")),
    Mark("text.hex-image", (b"\\u00",), re.compile(rb"(?i)\\u00ff\\u00d8\\u00ff|\\u0089PNG|\\u0089\\u0050")),
    Mark("text.data-uri-image", (b"%",), re.compile(rb"(?i)%ff%d8%ff|%89png|%89%50%4e%47")),
    Mark("text.utf-7", (b"+A",), re.compile(rb"\+AD[w4]-|\+ACI-|\+ADwA[AEIMQUYcgk]")),
    Mark("text.utf-7", (b"utf", b"UTF", b"Utf"), re.compile(rb"(?i)charset\s{0,3}=\s{0,3}[\"']?\s{0,3}utf-?7")),
)


def marked(text: bytes, marks: tuple[Mark, ...] = MARKS) -> Iterator[Embedded]:
    """A finding for every mark in the text."""
    for mark in marks:
        for quick in mark.quick:
            first = text.find(quick)
            if first >= 0 and (match := _first(mark, text, max(first - 80, 0))):
                yield Embedded(mark.code, *match.span(), mark.reason)
                break


def _first(mark: Mark, text: bytes, at: int) -> re.Match[bytes] | None:
    """The first confirmed match; of very many unconfirmed ones the last looked at, because more are not looked at."""
    for number, match in enumerate(mark.pattern.finditer(text, at), 1):
        if number == MOST or mark.confirm(text, match.start()):
            return match
    return None
