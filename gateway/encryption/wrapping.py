"""The MIME around S/MIME: which header goes inside, which stays outside (RFC 8551, header protection after RFC 9788)."""

from __future__ import annotations

import re
import secrets
from typing import Final

from gateway.mime.head import Head
from gateway.mime.splice import encode_base64
from gateway.mime.words import encode_words

# What an envelope must show for mail to be routed, sorted, threaded and answered.  Everything else goes inside only.
OUTSIDE: Final = frozenset(
    {
        b"return-path", b"received", b"x-received", b"delivered-to",
        b"from", b"sender", b"reply-to", b"to", b"cc", b"date", b"subject",
        b"message-id", b"in-reply-to", b"references",
        b"resent-from", b"resent-sender", b"resent-to", b"resent-cc", b"resent-date", b"resent-message-id",
        b"auto-submitted", b"importance", b"x-priority", b"priority", b"disposition-notification-to",
    }
)  # fmt: skip
# Trace and transport (RFC 9788 1.7 protects none of them), signatures over the outer form, and blind recipients.
NEVER_INSIDE: Final = frozenset(
    {
        b"return-path", b"received", b"x-received", b"delivered-to", b"dkim-signature", b"authentication-results",
        b"arc-seal", b"arc-message-signature", b"arc-authentication-results", b"bcc", b"resent-bcc", b"hp-outer",
    }
)  # fmt: skip
TRACE: Final = frozenset({b"return-path", b"received", b"x-received", b"delivered-to"})
_PROTECTION: Final = b';\r\n protected-headers="v1"; hp="cipher"'  # the drafts' word, which older programs read, and RFC 9788's
_PROTECTED = re.compile(rb";\s*hp\s*=", re.IGNORECASE)
_PLAIN: Final = b"Content-Type: text/plain; charset=us-ascii"
_CHUNK: Final = 57 * 16384  # octets that make whole 76-column lines


def inner_head(head: Head, neutral_subject: str | None) -> list[bytes]:
    """The originals, without Content-*, and an HP-Outer for each field that is shown outside (RFC 9788 2.2)."""
    inside = [text for name, text in head.fields if name not in NEVER_INSIDE and not name.startswith(b"content-")]
    shown = [text for name, text in _outside(head, neutral_subject) if name not in TRACE]
    return inside + [b"HP-Outer: " + text for text in shown]


def outer_head(head: Head, neutral_subject: str | None) -> list[bytes]:
    """The fields the world sees, without Content-*."""
    return [text for _, text in _outside(head, neutral_subject)] + [b"MIME-Version: 1.0\r\n"]


def _outside(head: Head, neutral_subject: str | None) -> list[tuple[bytes, bytes]]:
    shown = [(name, text) for name, text in head.fields if name in OUTSIDE]
    if neutral_subject is None:
        return shown
    if not neutral_subject.isprintable() or len(neutral_subject) > 200:
        raise ValueError("a neutral subject is one line of at most 200 printable characters")
    subject = b"Subject: " + encode_words(neutral_subject, len("Subject: ")) + b"\r\n"
    return [(name, text) for name, text in shown if name != b"subject"] + [(b"subject", subject)]


def protected(content: list[tuple[bytes, bytes]]) -> list[bytes]:
    """The Content-* fields with Content-Type saying that the fields beside it are the real ones."""
    at = next((index for index, (name, _) in enumerate(content) if name == b"content-type"), None)
    fields = [text for _, text in content]
    if at is None:
        return [_PLAIN + _PROTECTION + b"\r\n", *fields]
    if not _PROTECTED.search(fields[at]):
        fields[at] = fields[at][:-2].rstrip(b" \t;") + _PROTECTION + b"\r\n"
    return fields


def noted(content: list[tuple[bytes, bytes]], note: str) -> tuple[list[tuple[bytes, bytes]], bytes, bytes]:
    """Make room for a note: (new root Content-* fields, what precedes the original body, what follows it)."""
    mark = boundary()
    before = [
        b"--", mark, b"\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n",
        b"Content-Disposition: inline\r\n\r\n", encode_base64(note.encode("utf-8") + b"\r\n"),
        b"\r\n--", mark, b"\r\n", *(text for _, text in content), b"\r\n",
    ]  # fmt: skip
    root = b'Content-Type: multipart/mixed; boundary="' + mark + b'"\r\n'
    return [(b"content-type", root)], b"".join(before), b"\r\n--" + mark + b"--\r\n"


def boundary() -> bytes:
    """Random: a sender who could foretell it could hide a part in what was checked as text."""
    return b"=_" + secrets.token_hex(16).encode("ascii")


def base64_lines(data: bytes) -> list[bytes]:
    """``data`` in base64 of 76 columns, every line ended by CRLF; piece by piece, as the encoder copies a piece several times."""
    view = memoryview(data)
    return [line for at in range(0, len(data), _CHUNK) for line in (encode_base64(bytes(view[at : at + _CHUNK])), b"\r\n")]
