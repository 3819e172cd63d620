"""Messages in files: an attached mail, a mailbox, a saved web page.  What people wrote in them stays; nothing is metadata."""

from __future__ import annotations

import base64
from collections.abc import Callable

Place = Callable[[str], str]
_TYPES = {"jpg": b"image/jpeg", "png": b"image/png", "eml": b"message/rfc822", "html": b"text/html", "ics": b"text/calendar"}


def message(inner: bytes, extension: str, number: int = 1) -> bytes:
    """One mail with a file attached, base64 with lines of 76 characters."""
    kind = _TYPES.get(extension, b"application/octet-stream") if extension != "eml" else b"application/octet-stream"
    head = (
        b"From: nurse@clinic.example\r\nTo: team@clinic.example\r\nSubject: a case\r\nMessage-ID: <%d@clinic.example>\r\n"
        b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="limit-%d"\r\n\r\n' % (number, number)
    )
    name = b"case." + extension.encode()
    body = base64.encodebytes(inner).replace(b"\n", b"\r\n")
    return (
        head
        + b"--limit-%d\r\nContent-Type: text/plain\r\n\r\nDear colleague\r\n" % number
        + b'--limit-%d\r\nContent-Type: %s; name="%s"\r\nContent-Transfer-Encoding: base64\r\n' % (number, kind, name)
        + b'Content-Disposition: attachment; filename="%s"\r\n\r\n' % name
        + body
        + b"--limit-%d--\r\n" % number
    )


def page(inner: bytes, extension: str) -> bytes:
    """A web page saved with its picture (RFC 2557)."""
    kind = _TYPES.get(extension, b"application/octet-stream")
    return (
        b"From: <Saved by a browser>\r\nSubject: a page\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/related; type="text/html"; boundary="saved"\r\n\r\n'
        b"--saved\r\nContent-Type: text/html\r\nContent-Location: http://page.example/\r\n\r\n"
        b'<html><body><img src="http://page.example/a.%s"></body></html>\r\n'
        b"--saved\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n"
        b"Content-Location: http://page.example/a.%s\r\n\r\n%s--saved--\r\n"
    ) % (extension.encode(), kind, extension.encode(), base64.encodebytes(inner).replace(b"\n", b"\r\n"))


def mailbox(inner: bytes, extension: str) -> bytes:
    """Two mails in one file."""
    line = b"From nurse@clinic.example Mon Nov 23 03:00:00 2026\r\n"
    plain = b"From: nurse@clinic.example\r\nSubject: before\r\n\r\nnothing here\r\n\r\n"
    return line + plain + line + message(inner, extension, 2) + b"\r\n"


PICTURES: dict[str, Callable[[Place], bytes]] = {}
CONTAINERS: dict[str, Callable[[bytes, str, Place], bytes]] = {
    "eml": lambda inner, extension, place: message(inner, extension),
    "mbox": lambda inner, extension, place: mailbox(inner, extension),
    "mhtml": lambda inner, extension, place: page(inner, extension),
}
EXTENSIONS: dict[str, str] = {"eml": "eml", "mbox": "mbox", "mhtml": "mhtml"}
