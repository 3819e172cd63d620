"""What the first bytes of a leaf say about its wrapping: S/MIME, an attached message, a transfer encoding nobody declared."""

from __future__ import annotations

import binascii
import re
from typing import Final

import pybase64

from gateway.mime.content import Content
from gateway.mime.part import IDENTITY, Span

_PEEK: Final = 4096
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/=]+")
_BASE64_LINES = re.compile(rb"(?:[A-Za-z0-9+/]{32,}[ \t]*\r?\n){1,}[A-Za-z0-9+/=]+|[A-Za-z0-9+/]{60,}={0,2}")
_QP_PICTURE = re.compile(rb"=FF=D8=FF|=89PNG|=89=50=4E=47", re.I)
_HEADER_LINE = re.compile(rb"([\x21-\x39\x3b-\x7e]{1,76}):[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*\r?\n")
_BODY_FOLLOWS = re.compile(rb"(?i)\ncontent-transfer-encoding[ \t]*:[ \t]*(?:base64|quoted-printable)\b")
_MAIL_FIELDS: Final = frozenset(
    {b"received", b"return-path", b"mime-version", b"message-id", b"content-type", b"from", b"date", b"subject", b"to"}
    | {b"delivered-to", b"dkim-signature", b"arc-seal", b"x-mozilla-status", b"x-sender", b"reply-to", b"sender"}
)
_FIELDS_ONLY: Final = frozenset(
    {"message/delivery-status", "message/global-delivery-status", "message/disposition-notification", "message/feedback-report"}
    | {"message/global-disposition-notification", "message/global-headers", "message/tracking-status", "message/rfc822-headers"}
)
_MAIL_NAMES: Final = (".eml", ".mht", ".mhtml", ".emlx", ".mime")

_CMS: Final = {
    bytes.fromhex("06092a864886f70d010702"): "mail.signed",
    bytes.fromhex("06092a864886f70d010703"): "mail.encrypted",
    bytes.fromhex("06092a864886f70d010706"): "mail.encrypted",
    bytes.fromhex("060b2a864886f70d0109100117"): "mail.encrypted",
    bytes.fromhex("060b2a864886f70d0109100109"): "mail.compressed",
}
_APPLE: Final = (b"\0\x05\x16\x00\0", b"\0\x05\x16\x07\0")  # AppleSingle, AppleDouble (RFC 1740)
_CMS_TYPES: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_SIGNATURES: Final = frozenset({"application/pkcs7-signature", "application/x-pkcs7-signature"})


def leaf_codes(raw: bytes, body: Span, content: Content) -> frozenset[str]:
    """Codes of one leaf, from its first bytes and its label."""
    head = raw[body[0] : min(body[1], body[0] + _PEEK)]
    seen = _peek(head, content.encoding)
    codes = _cms(seen, content.type)
    if seen.startswith(_APPLE) or content.type == "application/applefile":
        codes.add("mime.applefile")
    if _is_mail(raw, body, seen, content):
        codes.add("mime.attached-message")
    if content.encoding in IDENTITY and _lies(head, content.type):
        codes.add("mime.cte-lie")
    if content.type == "message/partial":
        codes.add("mime.partial")
    elif content.type == "message/external-body":
        codes.add("mime.external-body")
    elif content.type.startswith("message/") and content.type not in _FIELDS_ONLY and content.type not in _MESSAGES:
        codes.add("mime.unknown-message-type")
    if content.type == "text/calendar":
        codes.add("mail.calendar")
    return frozenset(codes)


_MESSAGES: Final = frozenset({"message/rfc822", "message/global", "message/news"})


def is_message(content_type: str) -> bool:
    """True for types whose body is a whole message (RFC 2046 5.2.1, RFC 6532 3.7, RFC 5537)."""
    return content_type in _MESSAGES


def _peek(head: bytes, encoding: str) -> bytes:
    """The beginning of the decoded body, leniently: only to recognise a wrapping, never to pass it on."""
    if encoding == "base64":
        text = _NOT_BASE64.sub(b"", head).partition(b"=")[0]
        return pybase64.b64decode(text[: len(text) // 4 * 4])
    if encoding == "quoted-printable":
        return binascii.a2b_qp(head)
    return head


def _cms(seen: bytes, content_type: str) -> set[str]:
    if content_type in _SIGNATURES:
        return set()
    if seen[:1] == b"\x30":
        for oid, code in _CMS.items():
            if 0 < seen.find(oid, 0, 32) <= 8:
                return {code}
    return {"mail.encrypted"} if content_type in _CMS_TYPES else set()


def _is_mail(raw: bytes, body: Span, seen: bytes, content: Content) -> bool:
    if content.type in _FIELDS_ONLY or content.type == "text/rfc822-headers":
        return _goes_on(raw, body, content)
    named = (content.name or "").lower().endswith(_MAIL_NAMES)
    if content.type.startswith(("text/", "message/")) and not named:
        return False
    at, fields = 0, set()
    while match := _HEADER_LINE.match(seen, at):
        fields.add(match[1].lower())
        at = match.end()
    return len(fields) >= 2 and bool(fields & _MAIL_FIELDS)


def _goes_on(raw: bytes, body: Span, content: Content) -> bool:
    """True if what should be header fields only states a multipart or goes on with encoded text."""
    if content.encoding not in IDENTITY:
        return False  # its text is searched like any other
    return _BODY_FOLLOWS.search(raw, *body) is not None


def _lies(head: bytes, content_type: str) -> bool:
    if _QP_PICTURE.search(head):
        return True
    if content_type.startswith(("text/", "multipart/", "message/")):
        return False  # text is searched for pictures by filters.text
    return _BASE64_LINES.match(head.lstrip(b"\r\n")) is not None or head.startswith(b"begin 6")
