"""Pictures and programs hidden in text: legacy encodings, data: URIs, cards, armour, scripts that build a file.

Pure and linear.  A finding with ``opaque`` cannot be cleaned here: whoever holds the text must treat it as unopened.
"""

from __future__ import annotations

import html as markup
import re
from collections.abc import Iterator
from typing import Final
from urllib.parse import unquote_to_bytes

from filters.plaintext.base64text import IMAGE, base64_files, decoded, recognised
from filters.plaintext.hextext import hex_files
from filters.plaintext.hidden import CODES, HOLD, LIMIT, MOST, Embedded
from filters.plaintext.readable import readable
from filters.plaintext.textmarks import RAW, marked
from filters.plaintext.uutext import begin_lines

__all__ = ["CODES", "Embedded", "embedded"]

_SMALL: Final = 200  # characters of a data: URI's payload below which it cannot be a photograph


def embedded(data: bytes, html: bool) -> tuple[Embedded, ...]:
    """What is hidden in ``data``; ``html`` also for SVG and XML.  At most one finding of each code.  Never raises; linear.

    ``data`` may be anything: in bytes that are no clean text the runs of letters are looked through.
    """
    whole = (0, len(data))
    view = readable(_narrow(data))
    found: dict[str, Embedded] = {one.code: one for one in marked(data, RAW)} if view is not data else {}
    for one in _scan(view, html):
        found.setdefault(one.code, one if view is data else Embedded(one.code, *whole, one.opaque))
    for plain in _unescaped(view, html):
        for one in _scan(plain, html):
            found.setdefault(one.code, Embedded(one.code, *whole, one.opaque))
    return tuple(found.values())


# References to letters of ASCII.  "&amp;" between the fields of a link ("?a=1&amp;b=2") hides nothing.
_ENTITY = re.compile(
    rb"&(?:amp(?!;[a-z][a-z0-9_]{0,40}=)|amp;(?:lt|gt|quot|amp)=|#0{0,9}(?:[0-9]{1,2}|1[01][0-9]|12[0-7])(?![0-9])"
    rb"|#[xX]0{0,9}[0-7]?[0-9a-fA-F](?![0-9a-fA-F])|#0{10}|#[xX]0{10}|colon|sol|plus|equals|Tab|NewLine|comma|semi|lt|gt|quot)"
)
_PERCENT = re.compile(rb"%[0-9A-Fa-f]{2}[^%]{0,80}(?:%[0-9A-Fa-f]{2}[^%]{0,80}){3}")
_LINK = re.compile(rb"https?://[^\s\"'<>]++")
_LONG_LINK: Final = 2000  # bytes; a shorter one holds no photograph, and newsletters are full of them
_NESTED: Final = 3  # pages inside the attributes of pages (srcdoc), each escaped once more


def _unescaped(text: bytes, html: bool) -> Iterator[bytes]:
    """The text as a browser reads it: character references undone, and then the escapes of URIs."""
    for _ in range(_NESTED if html else 0):
        if not _ENTITY.search(text):
            break
        plain = markup.unescape(text.decode("utf-8", "replace")).encode("utf-8", "replace")
        if plain == text:
            break
        yield plain
        text = plain
    if b"%" in text and _PERCENT.search(_LINK.sub(_shortened, text)):
        yield unquote_to_bytes(text.translate(None, b"\t\r\n"))  # URIs are read without line ends (URL standard 4.4)


def _shortened(link: re.Match[bytes]) -> bytes:
    return link[0] if len(link[0]) > _LONG_LINK else b" "


def _narrow(data: bytes) -> bytes:
    """UTF-16 and UTF-32 as UTF-8, by mark or by where the zeros stand; anything else as it is."""
    for mark, charset in _MARKS:
        if data.startswith(mark):
            return data.decode(charset, "replace").encode("utf-8", "replace")
    head = data[:4096]
    if len(head) < 8 or head.count(0) * 5 < len(head):
        return data
    zeros = "".join("0" if head[offset::4].count(0) * 8 > len(head[offset::4]) * 5 else "x" for offset in range(4))
    if zeros not in _ZEROS:
        return data
    return data.decode(_ZEROS[zeros], "replace").encode("utf-8", "replace")


_MARKS: Final = (
    (b"\xff\xfe\0\0", "utf-32"),
    (b"\0\0\xfe\xff", "utf-32"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)
_ZEROS: Final = {
    "x0x0": "utf-16-le",
    "0x0x": "utf-16-be",
    "x000": "utf-32-le",
    "000x": "utf-32-be",
}


def _scan(text: bytes, html: bool) -> Iterator[Embedded]:
    yield from marked(text)
    yield from _rich_text(text)
    yield from begin_lines(text)
    yield from _data_uris(text)
    yield from _cards(text)
    yield from base64_files(text)
    yield from hex_files(text)
    if html or _LOOKS_HTML.search(text, 0, 4096):
        yield from _scripts(text)


# --- rich text ----------------------------------------------------------------------------------------------------------------

_RTF_PICTURE = re.compile(rb"\\(?:pict|objdata|bin[0-9]|shppict|nonshppict|blipuid)\b")


def _rich_text(text: bytes) -> Iterator[Embedded]:
    if text.lstrip()[:5] == b"{\\rtf" and (picture := _RTF_PICTURE.search(text)):
        yield Embedded("text.rtf-picture", *picture.span(), HOLD)


# --- data: URIs -----------------------------------------------------------------------------------------------------------------

_URI = re.compile(rb"(?i)data:\s{0,4}(?P<type>[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60})?(?P<params>(?:;[^,;\"'<>\s]{0,80}){0,6}),")
_URI_END = re.compile(rb"[\"'<>)]")
_QUOTES: Final = b"\"'"


def _data_uris(text: bytes) -> Iterator[Embedded]:
    at, seen = text.lower().find(b"data:"), 0
    while at >= 0 and (match := _URI.search(text, at)):
        seen += 1
        if seen > MOST:
            yield Embedded("text.limit", 0, len(text), LIMIT)
            return
        at = match.end()
        kind = (match["type"] or b"text/plain").lower()
        if kind.startswith((b"image/", b"video/")):
            end = _uri_end(text, match)
            small = end - match.end() <= _SMALL
            yield Embedded("text.data-uri-small" if small else "text.data-uri-image", match.start(), end, None if small else HOLD)
        elif b"base64" in match["params"].lower():
            code = recognised(decoded(text[at : at + 400]))
            if code:
                yield Embedded("text.data-uri-image" if code == IMAGE else code, match.start(), at, HOLD)


def _uri_end(text: bytes, uri: re.Match[bytes]) -> int:
    """At the quote that opened just before it, which need not be the first quote: drawings are written into URIs as they are."""
    before = text[max(uri.start() - 4, 0) : uri.start()].rstrip(b" \t\r\n")[-1:]
    if before and before in _QUOTES:
        stop = text.find(before, uri.end())
        return stop if stop >= 0 else len(text)
    found = _URI_END.search(text, uri.end())
    return found.start() if found else len(text)


# --- cards and invitations ------------------------------------------------------------------------------------------------------

_CARD = re.compile(rb"(?im)^(?:[a-z0-9-]{1,40}\.)?(?:photo|logo|sound)(?P<params>(?:;[^:\r\n]{0,200})?):(?P<value>[^\r\n]{0,40})")
_ATTACH = re.compile(
    rb"(?im)^(?:attach|image|styled-description|structured-data)(?P<params>(?:;[^:\r\n]{0,200})?):(?P<value>[^\r\n]{0,40})"
)
_BINARY = re.compile(rb"(?i)encoding=\"?b(?:ase64)?\b|value=\"?binary|;base64")
_JPEG_PHOTO = re.compile(rb"(?im)^jpegphoto(?:;binary)?::")


def _cards(text: bytes) -> Iterator[Embedded]:
    upper = text[:65_536].upper()
    for mark, pattern, code in ((b"BEGIN:VCARD", _CARD, "text.vcard-photo"), (b"BEGIN:VCALENDAR", _ATTACH, "text.ical-attach")):
        if mark in upper:
            for match in pattern.finditer(text):
                value = match["value"].strip()
                if _BINARY.search(match["params"]) or value.lower().startswith(b"data:"):
                    yield Embedded(code, *match.span(), HOLD)
                    break
    photo = _JPEG_PHOTO.search(text) if b"hoto" in text else None
    if photo:
        yield Embedded("text.base64-image", *photo.span(), HOLD)


# --- scripts --------------------------------------------------------------------------------------------------------------------

_LOOKS_HTML = re.compile(rb"(?i)<(?:!doctype html|html|head|body|svg|script)\b")
_SCRIPT = re.compile(rb"(?i)(?P<tag><script\b)|\bon[a-z]{3,20}\s{0,3}=\s{0,3}[\"']|javascript\s{0,3}:|vbscript\s{0,3}:")
_TAG: Final = 200  # bytes of a tag in which its type is looked for
_INERT = re.compile(
    rb"(?i)[^>]{0,100}?type\s{0,3}=\s{0,3}[\"']?\s{0,3}(?:application/(?:ld\+)?json|text/(?:x-)?(?:template|plain|html))\b"
)
_BUILDS = re.compile(
    rb"\batob\b|\bBlob\b|createObjectURL|msSave|\bUint8Array\b|ArrayBuffer|fromCharCode|fromCodePoint|\bunescape\b|\beval\b"
    rb"|decodeURIComponent|document\.write|toDataURL|FileSaver|\bbtoa\b|WebAssembly|\bDecompressionStream\b|new\s{1,3}Function"
    rb"|\bfetch\("
    rb"|(?<![\d,\s])(?:\d{1,3}+\s{0,2}+,\s{0,2}+){200}|charCodeAt|parseInt|\\x[0-9a-fA-F]{2}\\x[0-9a-fA-F]{2}"
)


# One of these stands in every text in which the pattern fits, but for a list of numbers.
_BUILDING: Final = (
    b"atob", b"Blob", b"createObjectURL", b"msSave", b"Uint8Array", b"ArrayBuffer", b"fromC", b"unescape", b"eval", b"decodeURI",
    b"document.write", b"toDataURL", b"FileSaver", b"btoa", b"WebAssembly", b"DecompressionStream", b"Function", b"fetch(",
    b"charCodeAt", b"parseInt", b"\\x",
)  # fmt: skip
_LISTED: Final = 200  # numbers in a row


def _builds(text: bytes) -> bool:
    """A script that can build a file."""
    likely = any(word in text for word in _BUILDING) or text.count(b",") >= _LISTED
    return likely and _BUILDS.search(text) is not None


# Quickly: "on" of a handler's name, which a lower-cased page without any handler still has in "content=".
_HANDLER = re.compile(rb"on(?<![0-9a-z_]on)[a-z]{3,20}\s{0,3}=\s{0,3}[\"']")


def _scripts(text: bytes) -> Iterator[Embedded]:
    low = text.lower()
    if not any(word in low for word in (b"<script", b"javascript", b"vbscript")) and not _HANDLER.search(low):
        return
    for index, match in enumerate(_SCRIPT.finditer(text)):
        if index > MOST:
            yield Embedded("text.limit", 0, len(text), LIMIT)
            return
        if match["tag"] and _INERT.match(text, match.end(), match.end() + _TAG):
            continue
        if _builds(text):
            yield Embedded("html.script", match.start(), match.end(), HOLD)
        else:
            yield Embedded("html.script-plain", match.start(), match.end(), None)
        return
