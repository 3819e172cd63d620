"""Pictures and programs hidden in text: legacy encodings, data: URIs, cards, armour, scripts that build a file.

Pure and linear.  A finding with ``opaque`` cannot be cleaned here: whoever holds the text must treat it as unopened.
"""

from __future__ import annotations

import binascii
import html as markup
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

from filters.api import OpaqueReason

CODES: Final[Mapping[str, str]] = {
    "text.uuencode": "A uuencoded file stands in the text.",
    "text.xxencode": "An xxencoded file stands in the text.",
    "text.yenc": "A yEnc file stands in the text.",
    "text.binhex": "A BinHex file stands in the text.",
    "text.ascii85": "A file in Ascii85 or btoa stands in the text.",
    "text.pgp-message": "An OpenPGP message stands in the text.",
    "text.armoured-message": "An encrypted message in another armour (PKCS #7, CMS, age) stands in the text.",
    "text.data-uri-image": "A picture stands in the text as a data: URI.",
    "text.data-uri-small": "A data: URI stands in the text that is too small to be a photograph.",
    "text.base64-image": "A picture in base64 stands in the text.",
    "text.base64-container": "A container file (zip, PDF, Office ...) in base64 stands in the text.",
    "text.qp-image": "A picture in quoted-printable stands in the text.",
    "text.hex-image": "A picture in hexadecimal or as a list of numbers stands in the text.",
    "text.raw-image": "The bytes of a picture stand in the text.",
    "text.vcard-photo": "A contact card holds a photograph, logo or sound.",
    "text.ical-attach": "An invitation holds an attached file.",
    "text.rtf-picture": "A rich text document holds a picture or an embedded object.",
    "text.utf-7": "The text is written in UTF-7.",
    "text.limit": "The text holds too many things that look like hidden files.",
    "html.script": "The page holds a script that can build a file.",
    "html.script-plain": "The page holds a script.",
}

_HOLD: Final = OpaqueReason.NOT_SUPPORTED.value
_ENCRYPTED: Final = OpaqueReason.ENCRYPTED.value
_LIMIT: Final = OpaqueReason.LIMIT.value
_MOST: Final = 2000  # candidates of one kind looked at
_SMALL: Final = 200  # characters of a data: URI's payload below which it cannot be a photograph
_RUN: Final = 100  # characters of base64 behind a signature


@dataclass(frozen=True, slots=True)
class Embedded:
    """One thing found.  ``start`` and ``end`` are byte offsets into the text; the whole text where it was converted first."""

    code: str
    start: int
    end: int
    opaque: str | None  # reason (``filters.api.OpaqueReason``), None when it is only noted


def embedded(data: bytes, html: bool) -> tuple[Embedded, ...]:
    """What is hidden in ``data``; ``html`` also for SVG and XML.  At most one finding of each code.  Never raises; linear."""
    whole = (0, len(data))
    view = _narrow(data)
    found: dict[str, Embedded] = {}
    for one in _scan(view, html):
        found.setdefault(one.code, one if view is data else Embedded(one.code, *whole, one.opaque))
    if html and _ESCAPES.search(view):
        plain = markup.unescape(view.decode("utf-8", "replace")).encode("utf-8", "replace")
        for one in _scan(plain, html):
            found.setdefault(one.code, Embedded(one.code, *whole, one.opaque))
    return tuple(found.values())


_ESCAPES = re.compile(rb"&(?:#|colon|sol|plus|equals|Tab|NewLine|comma|semi|lt|gt)")


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
    yield from _patterns(text)
    yield from _begin_lines(text)
    yield from _data_uris(text)
    yield from _cards(text)
    yield from _base64(text)
    if html or _LOOKS_HTML.search(text, 0, 4096):
        yield from _scripts(text)


# --- fixed marks: (code, quick bytes that must occur, pattern, reason) -------------------------------------------------------

_MARKED: Final[tuple[tuple[str, bytes, re.Pattern[bytes], str], ...]] = (
    ("text.yenc", b"=ybegin ", re.compile(rb"(?m)^[> ]{0,8}=ybegin [^\r\n]{0,80}\bsize="), _HOLD),
    ("text.binhex", b"must be converted with BinHex", re.compile(rb"must be converted with BinHex"), _HOLD),
    ("text.ascii85", b"<~", re.compile(rb"<~[!-uz\s]{100}"), _HOLD),
    ("text.ascii85", b"xbtoa", re.compile(rb"(?m)^xbtoa\d? Begin"), _HOLD),
    ("text.pgp-message", b"PGP MESSAGE", re.compile(rb"-----BEGIN PGP MESSAGE(?:, PART [0-9/]{1,9})?-----"), _ENCRYPTED),
    (
        "text.armoured-message",
        b"-----BEGIN ",
        re.compile(rb"-----BEGIN (?:PKCS7|PKCS #7 SIGNED DATA|CMS|ENCRYPTED MESSAGE|AGE ENCRYPTED FILE|SMIME)-----"),
        _ENCRYPTED,
    ),
    ("text.qp-image", b"=FF=D8=FF", re.compile(rb"=FF=D8=FF"), _HOLD),
    ("text.qp-image", b"=89PNG", re.compile(rb"=89PNG"), _HOLD),
    ("text.raw-image", b"\xff\xd8\xff", re.compile(rb"(?s)\xff\xd8\xff(?:[\xc0-\xfe]\0|\xe1..(?:Exif|http))"), _HOLD),
    ("text.raw-image", b"\x89PNG", re.compile(rb"\x89PNG\r?\n\x1a\n"), _HOLD),
    ("text.hex-image", b"ffd8ff", re.compile(rb"(?i)(?<![0-9a-f])(?:0x)?ffd8ff[c-f][0-9a-f](?:[0-9a-f]{2}\s{0,2}){40}"), _HOLD),
    ("text.hex-image", b"FFD8FF", re.compile(rb"(?i)(?<![0-9a-f])(?:0x)?ffd8ff[c-f][0-9a-f](?:[0-9a-f]{2}\s{0,2}){40}"), _HOLD),
    ("text.hex-image", b"216", re.compile(rb"\b255\s{0,3},\s{0,3}216\s{0,3},\s{0,3}255\s{0,3},"), _HOLD),
    ("text.hex-image", b"\\x", re.compile(rb"(?i)\\xff\\xd8\\xff|\\x89PNG|\\x89\\x50\\x4e\\x47"), _HOLD),
    ("text.hex-image", b"0x", re.compile(rb"(?i)0xff\s{0,3},\s{0,3}0xd8\s{0,3},\s{0,3}0xff"), _HOLD),
    ("text.data-uri-image", b"%", re.compile(rb"(?i)%ff%d8%ff|%89png|%89%50%4e%47"), _HOLD),
    ("text.utf-7", b"+A", re.compile(rb"\+AD[w4]-|\+ACI-|\+ADwA[AEIMQUYcgk]"), _HOLD),
    ("text.utf-7", b"utf", re.compile(rb"(?i)charset\s{0,3}=\s{0,3}[\"']?\s{0,3}utf-?7"), _HOLD),
    ("text.utf-7", b"UTF", re.compile(rb"(?i)charset\s{0,3}=\s{0,3}[\"']?\s{0,3}utf-?7"), _HOLD),
)


_RTF_PICTURE = re.compile(rb"\\(?:pict|objdata|bin[0-9]|shppict|nonshppict|blipuid)\b")


def _patterns(text: bytes) -> Iterator[Embedded]:
    for code, quick, pattern, reason in _MARKED:
        first = text.find(quick)
        if first >= 0:
            match = pattern.search(text, max(first - 80, 0))
            if match is not None:
                yield Embedded(code, *match.span(), reason)
    if text.lstrip()[:5] == b"{\\rtf" and (picture := _RTF_PICTURE.search(text)):
        yield Embedded("text.rtf-picture", *picture.span(), _HOLD)


# --- uuencode, xxencode ---------------------------------------------------------------------------------------------------------

_BEGIN = re.compile(rb"(?m)^[> \t]{0,8}begin(-base64)? [0-7]{3,4} [^\r\n]{1,255}\r?\n[> \t]{0,8}([^\r\n]{1,80})\r?\n?")
_XX = re.compile(rb"h[+\-0-9A-Za-z]{60}\s*")
_UU = re.compile(rb"[\x20-\x60]+")


def _begin_lines(text: bytes) -> Iterator[Embedded]:
    if b"begin" not in text:
        return
    for index, match in enumerate(_BEGIN.finditer(text)):
        if index >= _MOST:
            yield Embedded("text.limit", 0, len(text), _LIMIT)
            return
        line = match[2]
        if _XX.fullmatch(line):
            yield Embedded("text.xxencode", *match.span(), _HOLD)
        elif match[1] or _is_uu(line):
            yield Embedded("text.uuencode", *match.span(), _HOLD)
            return


def _is_uu(line: bytes) -> bool:
    """The first character states how many bytes the line holds; trailing blanks may have been cut."""
    octets = (line[0] - 0x20) & 0x3F
    longest = 1 + (octets + 2) // 3 * 4 + 1
    return _UU.fullmatch(line) is not None and 0 < octets <= 45 and len(line) <= longest


# --- data: URIs -----------------------------------------------------------------------------------------------------------------

_URI = re.compile(rb"(?i)data:\s{0,4}(?P<type>[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60})?(?P<params>(?:;[^,;\"'<>\s]{0,80}){0,6}),")
_URI_END = re.compile(rb"[\"'<>)]")


def _data_uris(text: bytes) -> Iterator[Embedded]:
    at, seen = 0, 0
    while match := _URI.search(text, at):
        seen += 1
        if seen > _MOST:
            yield Embedded("text.limit", 0, len(text), _LIMIT)
            return
        stop = _URI_END.search(text, match.end())
        end = stop.start() if stop else len(text)
        at = max(end, match.end())
        kind = (match["type"] or b"text/plain").lower()
        if kind.startswith((b"image/", b"video/")):
            small = end - match.end() <= _SMALL
            yield Embedded(
                "text.data-uri-small" if small else "text.data-uri-image", match.start(), end, None if small else _HOLD
            )
        elif b"base64" in match["params"].lower():
            code = _sniff(_decode(text[match.end() : min(end, match.end() + 400)]))
            if code:
                yield Embedded("text.data-uri-image" if code == "text.base64-image" else code, match.start(), end, _HOLD)


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
                    yield Embedded(code, *match.span(), _HOLD)
                    break
    photo = _JPEG_PHOTO.search(text) if b"hoto" in text else None
    if photo:
        yield Embedded("text.base64-image", *photo.span(), _HOLD)


# --- base64 ---------------------------------------------------------------------------------------------------------------------

_SIGNATURES: Final = (b"/9j/", b"_9j_", b"iVBORw0KGgo", b"R0lGODlh", b"R0lGODdh", b"UklGR", b"SUkqA", b"TU0AK", b"AAAADGpQ")
_CONTAINERS: Final = (b"UEsDB", b"JVBERi0", b"0M8R4KGx", b"N3q8ryc", b"UmFyIR", b"eJ8+I")
_CHARS = re.compile(rb"[A-Za-z0-9+/_-]{%d}" % _RUN)
_LONG = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{56,}+")


def _base64(text: bytes) -> Iterator[Embedded]:
    dense = text.translate(None, b" \t\r\n>")
    for signature in (*_SIGNATURES, *_CONTAINERS):
        at, seen = dense.find(signature), 0
        while at >= 0:
            if _CHARS.match(dense, at):
                code = _sniff(_decode(dense[at : at + _RUN]))
                if code:
                    yield Embedded(code, 0, len(text), _HOLD)
                    break
            seen += 1
            if seen > _MOST:
                yield Embedded("text.limit", 0, len(text), _LIMIT)
                break
            at = dense.find(signature, at + 1)
    yield from _runs(text)


def _runs(text: bytes) -> Iterator[Embedded]:
    """The first line of every block of base64 lines: formats whose signature does not stand at the very beginning."""
    last = -10
    for match in _LONG.finditer(text):
        if match.start() - last > 4:
            code = _sniff(_decode(match[0][:80]))
            if code:
                yield Embedded(code, *match.span(), _HOLD)
                return
        last = match.end()


_URL_SAFE: Final = bytes.maketrans(b"-_", b"+/")


def _decode(text: bytes) -> bytes:
    """As much as can be read of a piece of base64: only to recognise what it is."""
    flat = re.sub(rb"[^A-Za-z0-9+/]", b"", text.replace(b"%2B", b"+").replace(b"%2F", b"/").translate(_URL_SAFE))
    return binascii.a2b_base64(flat[: len(flat) // 4 * 4])


def _sniff(head: bytes) -> str | None:
    """The code for what the bytes begin with, or None."""
    if head[:3] == b"\xff\xd8\xff" and head[3:4] >= b"\xc0" and int.from_bytes(head[4:6], "big") >= 2:
        return "text.base64-image"
    if head.startswith(
        (b"\x89PNG\r\n", b"GIF87a", b"GIF89a", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP", b"\0\0\0\x0cJXL", b"\xff\x0a\xfa")
    ):
        return "text.base64-image"
    if head[:4] == b"RIFF" and head[8:12] in (b"WEBP", b"AVI "):
        return "text.base64-image"
    if head[4:8] == b"ftyp" and head[:2] == b"\0\0":
        return "text.base64-image"
    if (
        head[:2] == b"BM"
        and head[6:10] == b"\0\0\0\0"
        and head[14:18] in (b"\x28\0\0\0", b"\x0c\0\0\0", b"\x6c\0\0\0", b"\x7c\0\0\0")
    ):
        return "text.base64-image"
    if head.startswith(
        (
            b"PK\x03\x04",
            b"%PDF-",
            b"\xd0\xcf\x11\xe0\xa1\xb1",
            b"7z\xbc\xaf\x27\x1c",
            b"Rar!\x1a",
            b"\x78\x9f\x3e\x22",
            b"\x1f\x8b\x08",
        )
    ):
        return "text.base64-container"
    return None


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


def _scripts(text: bytes) -> Iterator[Embedded]:
    for index, match in enumerate(_SCRIPT.finditer(text)):
        if index > _MOST:
            yield Embedded("text.limit", 0, len(text), _LIMIT)
            return
        if match["tag"] and _INERT.match(text, match.end(), match.end() + _TAG):
            continue
        if _BUILDS.search(text):
            yield Embedded("html.script", match.start(), match.end(), _HOLD)
        else:
            yield Embedded("html.script-plain", match.start(), match.end(), None)
        return
