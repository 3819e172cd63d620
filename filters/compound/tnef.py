"""TNEF, the ``winmail.dat`` of Outlook and Exchange (MS-OXTNEF): attachments, bodies, objects, and messages inside messages.

Read only: a gateway sends ordinary MIME parts in its place (``contents``), which every mail program can show.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from filters.api import STRICT, Blocked, Budget, Cleaning, Malformed, Member, OpaqueReason, Seen, Unsupported
from filters.compound import lzfu, mapi, richtext
from filters.compound.mapi import Property
from filters.sniff import sniff

_SIGNATURE: Final = b"\x78\x9f\x3e\x22"
_MESSAGE, _ATTACHMENT = 1, 2
_CODEPAGE, _MESSAGE_PROPERTIES, _BODY = 0x9007, 0x9003, 0x800C
_RENDERING, _TITLE, _DATA, _METAFILE, _ATTACHMENT_PROPERTIES, _TRANSPORT_NAME = 0x9002, 0x8010, 0x800F, 0x8011, 0x9005, 0x9001
_TEXT, _HTML, _RICH, _INTERNET_CODEPAGE = 0x1000, 0x1013, 0x1009, 0x3FDE
_OBJECT, _NAME, _LONG_NAME, _TYPE, _CONTENT_ID, _PICTURE, _DISPLAY_NAME = 0x3701, 0x3704, 0x3707, 0x370E, 0x3712, 0x3709, 0x3001
_IS_MESSAGE: Final = bytes.fromhex("0703020000000000c000000000000046")
_IS_STORAGE: Final = bytes.fromhex("0b00000000000000c000000000000046")
_IS_STREAM: Final = bytes.fromhex("0c00000000000000c000000000000046")
_MOST: Final = 50_000  # attributes
_TAIL: Final = b"\0\t\r\n \x1a"  # what programs append without meaning anything
_SMALL: Final = 64  # bytes of a binary property that can be no picture


@dataclass(slots=True)
class _Attached:
    """One attachment while its attributes are read."""

    title: bytes = field(default=b"", repr=False)
    transport: bytes = field(default=b"", repr=False)
    data: bytes | None = field(default=None, repr=False)
    metafile: bytes = field(default=b"", repr=False)
    properties: list[Property] = field(default_factory=list, repr=False)


@dataclass(slots=True)
class _Read:
    """Everything a file says."""

    codepage: int = 1252
    body: bytes = field(default=b"", repr=False)
    properties: list[Property] = field(default_factory=list, repr=False)
    attached: list[_Attached] = field(default_factory=list)
    tail: int = 0  # bytes behind the last attribute


@dataclass(frozen=True, slots=True)
class Attachment:
    """One attachment, ready to be an ordinary MIME part."""

    name: str = field(repr=False)
    media_type: str
    data: bytes = field(repr=False)
    content_id: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class Contents:
    """What the recipient would see.  "" and b"" where a body is absent; ``body_html`` is in ``html_charset``.

    ``body_rtf`` is only for messages whose rich text holds pictures of its own: its words stand in one of the others.
    """

    body_text: str = field(repr=False)
    body_html: bytes = field(repr=False)
    html_charset: str = "utf-8"
    body_rtf: bytes = field(default=b"", repr=False)
    attachments: tuple[Attachment, ...] = ()


class Tnef:
    """The opener for winmail.dat."""

    name = "tnef"
    native = False
    rebuilds = False

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Attachments, bodies, drawings of attachments, and files in other properties."""
        read = _read(data, budget)
        if read.tail:
            yield Blocked("tnef.trailer", OpaqueReason.CORRUPT)
        shown = _contents(read, budget)
        for number, one in enumerate(shown.attachments, 1):
            budget.grow(len(one.data))
            yield Member(f"attachment@{number}", one.data, one.name, one.media_type, inline=bool(one.content_id))
        for name, kind, body in (
            ("html", "text/html", shown.body_html),
            ("rtf", "text/rtf", shown.body_rtf),
            ("text", "text/plain", shown.body_text.encode("utf-8", "replace")),
        ):
            if body:
                budget.grow(len(body))
                yield Member(f"body.{name}", body, media_type=kind, inline=True)
        yield from _others(read, budget)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """Only for no changes at all: ``contents`` says what to send instead.  Raises Unsupported."""
        if changes:
            raise Unsupported("winmail.dat is not written")
        return data


def contents(data: bytes, budget: Budget) -> Contents:
    """Bodies and attachments, without the properties of Outlook.  Raises FilterError."""
    read = _read(data, budget)
    if any(isinstance(one, Blocked) for one in _others(read, budget)) or read.tail:
        raise Malformed("two readings")
    return _contents(read, budget)


# ---- attributes


def _read(data: bytes, budget: Budget) -> _Read:
    if not data.startswith(_SIGNATURE):
        raise Malformed("no TNEF")
    read, at = _Read(), 6
    for _ in range(_MOST):
        budget.tick()
        rest = data[at : at + 9]
        if len(rest) < 9 or rest[0] not in (_MESSAGE, _ATTACHMENT):
            read.tail = len(data[at:].strip(_TAIL))
            if at == 6 or (read.tail and rest[0] in (_MESSAGE, _ATTACHMENT)):
                raise Malformed("truncated attribute")
            return read
        end = at + 9 + int.from_bytes(rest[5:9], "little")
        value = data[at + 9 : end]
        if end + 2 > len(data):
            raise Malformed("truncated attribute")
        if int(np.frombuffer(value, np.uint8).sum()) & 0xFFFF != int.from_bytes(data[end : end + 2], "little"):
            raise Malformed("checksum")
        _attribute(read, rest[0], int.from_bytes(rest[1:3], "little"), value, budget)
        at = end + 2
    raise Malformed("too many attributes")


def _attribute(read: _Read, level: int, number: int, value: bytes, budget: Budget) -> None:
    if level == _ATTACHMENT:
        _of_attachment(read, number, value, budget)
    elif number == _CODEPAGE:
        read.codepage = int.from_bytes(value[:4], "little")
    elif number == _BODY:
        read.body = value
    elif number == _MESSAGE_PROPERTIES:
        read.properties += mapi.properties(value, budget)


def _of_attachment(read: _Read, number: int, value: bytes, budget: Budget) -> None:
    """attAttachRendData begins an attachment (2.1.3.3.15); a second content begins one too, for readers that say so."""
    again = number == _DATA and read.attached and read.attached[-1].data is not None
    if number == _RENDERING or not read.attached or again:
        budget.member()
        read.attached.append(_Attached())
    one = read.attached[-1]
    if number == _TITLE:
        one.title = value
    elif number == _TRANSPORT_NAME:
        one.transport = value
    elif number == _DATA:
        one.data = value
    elif number == _METAFILE:
        one.metafile = value
    elif number == _ATTACHMENT_PROPERTIES:
        one.properties += mapi.properties(value, budget)


# ---- what it means


def _first(found: list[Property], number: int) -> Property | None:
    return next((one for one in found if one.number == number and one.values), None)


def _text(found: list[Property], number: int, codepage: int) -> str:
    one = _first(found, number)
    return mapi.text(one.values[0], one.type, codepage) if one else ""


def _contents(read: _Read, budget: Budget) -> Contents:
    rich = _first(read.properties, _RICH)
    rtf = lzfu.decompressed(rich.values[0], budget) if rich and rich.values[0] else b""
    plain = _text(read.properties, _TEXT, read.codepage) or mapi.text(read.body, mapi.STRING8, read.codepage)
    html, charset = _page(read)
    if rtf and not html:
        said = richtext.words(rtf, budget)
        html, charset = (said.text.encode("utf-8", "replace"), "utf-8") if said.html else (html, charset)
        plain = plain or ("" if said.html else said.text)
    return Contents(
        body_text=plain,
        body_html=html,
        html_charset=charset,
        body_rtf=rtf,
        attachments=tuple(_attachment(one, read.codepage) for one in read.attached if _content(one) is not None),
    )


def _page(read: _Read) -> tuple[bytes, str]:
    """The page and its charset, b"" when there is none."""
    html = _first(read.properties, _HTML)
    page = _first(read.properties, _INTERNET_CODEPAGE)
    if html is None:
        return b"", "utf-8"
    if html.type == mapi.UNICODE:
        return mapi.text(html.values[0], html.type, 0).encode("utf-8", "replace"), "utf-8"
    codepage = int.from_bytes(page.values[0], "little") if page else read.codepage
    return html.values[0].rstrip(b"\0"), mapi.codec(codepage)


def _attachment(one: _Attached, codepage: int) -> Attachment:
    data, kind = _content(one) or (b"", "")
    given = (_text(one.properties, number, codepage) for number in (_LONG_NAME, _NAME, _DISPLAY_NAME))
    name = next((word for word in given if word), "") or mapi.text(one.title or one.transport, mapi.STRING8, codepage)
    return Attachment(
        name=name,
        media_type=kind or _text(one.properties, _TYPE, codepage).lower(),
        data=data,
        content_id=_text(one.properties, _CONTENT_ID, codepage),
    )


def _content(one: _Attached) -> tuple[bytes, str] | None:
    """(bytes, media type where the kind of object gives one) of an attachment; None when it has none."""
    made = _first(one.properties, _OBJECT)
    if made is None or not made.values[0]:
        return None if one.data is None else (one.data, "")
    value = made.values[0]
    if made.type != mapi.OBJECT:
        return value, ""
    if value[:16] == _IS_MESSAGE:
        return value[16:], "application/ms-tnef"
    return (value[16:] if value[:16] in (_IS_STORAGE, _IS_STREAM) else value), ""


def _others(read: _Read, budget: Budget) -> Iterator[Seen]:
    """Files that stand beside what a recipient sees: a second content, a drawing of the attachment, odd properties."""
    for number, one in enumerate(read.attached, 1):
        content = _content(one)
        made = _first(one.properties, _OBJECT)
        if one.data and made and content and content[0] != one.data and sniff(one.data).opaque is not OpaqueReason.UNKNOWN:
            yield Blocked("tnef.two-readings", OpaqueReason.CORRUPT)
        for place, value in enumerate((one.metafile, *_binaries(one.properties, {_OBJECT}))):
            yield from _file(f"attachment@{number}.{place}", value, budget)
    for place, value in enumerate(_binaries(read.properties, {_HTML, _RICH})):
        yield from _file(f"property@{place}", value, budget)


def _binaries(found: list[Property], known: set[int]) -> Iterator[bytes]:
    for one in found:
        if one.type in (mapi.BINARY, mapi.OBJECT) and one.number not in known:
            yield from one.values


def _file(key: str, value: bytes, budget: Budget) -> Iterator[Seen]:
    """A member when the bytes are a picture or a container that anybody knows."""
    for start in (0, 16) if len(value) > _SMALL else ():
        if sniff(value[start:]).opaque not in (None, OpaqueReason.UNKNOWN):
            budget.grow(len(value))
            yield Member(key, value[start:])
            return


TNEF = Tnef()
