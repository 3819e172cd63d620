"""Text: is it text at all, and which kind?

Kinds in ``CARRIERS`` are containers in written form; what an ordinary text hides (uuencode, data: URIs) is for ``filters.text``.
"""

from __future__ import annotations

import binascii
import re

from filters.sniffing import der

CONTROLS = bytes(n for n in range(32) if n not in b"\t\n\r\f\b\x1b\x1a\x0b") + b"\x7f"
_HEAD = 4096
TEXTUAL = frozenset(("rtf", "postscript", "xpm", "hdr"))  # written in letters, recognised by their signature
CARRIERS = frozenset(("svg", "eml", "mbox", "mhtml", "office-xml", "hl7-image", "xbm"))

PLAIN = frozenset(("text", "html", "xml", "json", "csv", "vcard", "calendar", "hl7"))  # to be looked through as text

_BOMS = ((b"\xff\xfe\0\0", "utf-32-le"), (b"\0\0\xfe\xff", "utf-32-be"), (b"\xff\xfe", "utf-16-le"), (b"\xfe\xff", "utf-16-be"),
         (b"\xef\xbb\xbf", "utf-8"))  # fmt: skip
_MAIL_FIELDS = re.compile(r"\A(?:[!-9;-~]+:[^\n]*\n(?:[ \t][^\n]*\n)*){2,}")
_MAIL_WORDS = re.compile(r"(?im)^(from|received|return-path|mime-version|message-id|subject|date):")
_ENCODED = re.compile(r"(?im)^content-transfer-encoding:[ \t]*(base64|quoted-printable|x-uu)")
_XML = re.compile(r"\A\s*<\?xml")
_MARKUP = re.compile(r"(?i)<(!doctype\s+html|html|head|body|div|table|p|br|span|img|a\s|meta|style)\b")
_SVG = re.compile(r"(?i)<(?:[a-z][\w.-]*:)?svg[\s>/]|<!doctype\s+svg")
_OFFICE = re.compile(
    r"<(?:\w+:)?(?:binData|binaryData|wordDocument|office:document|office:binary-data)\b|pkg:package|mso-application"
)
_HL7 = re.compile(r"\A(?:\x0b|FHS[^\r\n]*[\r\n]+|BHS[^\r\n]*[\r\n]+)*MSH[|^~\\&!-/]")
_XBM = re.compile(r"(?m)^#define\s+\S*width\s+\d+[\s\S]{0,400}?_bits\s*\[")


def decode(data: bytes) -> str | None:
    """The text, None when the bytes are none.  Latin-1 stands for every one-byte or legacy encoding."""
    for bom, codec in _BOMS:
        if data.startswith(bom):
            return _strict(data[len(bom) :], codec)
    if data[:2] in (b"<\0", b"\0<"):  # markup without a byte order mark (XML 1.0 appendix F)
        return _strict(data, "utf-16-le" if data[0] else "utf-16-be")
    if data[:_HEAD].translate(None, CONTROLS) != data[:_HEAD] or data.translate(None, CONTROLS) != data:
        return None
    return _strict(data, "utf-8") or data.decode("latin-1")


def _strict(data: bytes, codec: str) -> str | None:
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return None
    return None if "\0" in text else text


def is_text(data: bytes) -> bool:
    """True if a text editor would show the data as text."""
    return decode(data) is not None


def kind(data: bytes) -> str | None:
    """text, html, svg, xml, json, csv, vcard, calendar, hl7 ... ; None when this is no text."""
    text = decode(data)
    if text is None:
        return None
    head = text[:_HEAD].lstrip("\ufeff \t\r\n\f")
    return _carrier(head, text) or _plain(head)


def _carrier(head: str, text: str) -> str | None:
    """The kinds that can hold a picture."""
    if _HL7.match(head):
        return "hl7-image" if "^base64^" in text.lower() else "hl7"
    if head.startswith("<") and (_SVG.search(head) or (not _MARKUP.match(head) and _SVG.search(text))):
        return "svg" if not re.match(r"(?i)<(!doctype\s+html|html)", head) else None
    if _XML.match(head) and _OFFICE.search(text):
        return "office-xml"
    if _XBM.search(head):
        return "xbm"
    if head.startswith("From ") and _MAIL_WORDS.search(head):
        return "mbox"
    if _MAIL_FIELDS.match(head) and _MAIL_WORDS.search(head) and _ENCODED.search(text):
        return "mhtml" if re.search(r"(?i)^content-type:\s*multipart/related", head, re.M) else "eml"
    return None


def _plain(head: str) -> str:
    low = head[:512].lower()
    if low.startswith("begin:vcard"):
        return "vcard"
    if low.startswith("begin:vcalendar"):
        return "calendar"
    if _XML.match(head) and not _MARKUP.search(head):
        return "xml"
    if head.startswith("<") and _MARKUP.search(head):
        return "html"
    if head[:1] in "{[" and re.match(r"[\[{]\s*([\"{\[\d\]}]|true|false|null)", head):
        return "json"
    if _MARKUP.match(head):
        return "html"
    lines = [line for line in head.splitlines()[:6] if line][:5]
    if len(lines) > 2 and any(len({line.count(mark) for line in lines}) == 1 and lines[0].count(mark) > 1 for mark in ",;\t"):
        return "csv"
    return "text"


def pem_kind(data: bytes) -> str | None:
    """What a PEM block (RFC 7468) holds, when that is one of ``filters.sniffing.der``'s kinds."""
    found = re.match(rb"\s*-----BEGIN ([A-Z0-9 ]+)-----\s+([A-Za-z0-9+/=\s]+)-----END", data[: 1 << 20])
    if found is None or found[1] not in der.PEM:
        return None
    try:
        body = binascii.a2b_base64(found[2])
    except binascii.Error:
        return der.ENCLOSING
    return der.kind(body) or der.PEM[found[1]]
