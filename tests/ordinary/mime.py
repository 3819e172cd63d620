"""Raw MIME as mail programs write it, bytes with CRLF.  No library stands between, so nothing is tidied."""

from __future__ import annotations

import base64
import quopri
from random import Random


def crlf(text: str | bytes) -> bytes:
    raw = text.encode() if isinstance(text, str) else text
    return raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def encoded(data: bytes, how: str) -> bytes:
    """The body of a part in one of the transfer encodings."""
    if how == "base64":
        return crlf(base64.encodebytes(data))
    return crlf(quopri.encodestring(data)) if how == "quoted-printable" else crlf(data)


def part(kind: str, data: str | bytes, how: str = "7bit", *fields: str) -> bytes:
    """One leaf with its header."""
    raw = data.encode() if isinstance(data, str) else data
    head = "".join(f"{line}\n" for line in (f"Content-Type: {kind}", f"Content-Transfer-Encoding: {how}", *fields))
    return crlf(head + "\n") + encoded(raw, how)


def attached(kind: str, name: str, data: str | bytes, how: str = "base64") -> bytes:
    return part(f'{kind}; name="{name}"', data, how, f'Content-Disposition: attachment; filename="{name}"')


def inline(kind: str, name: str, cid: str, data: bytes) -> bytes:
    return part(
        f'{kind}; name="{name}"', data, "base64", f'Content-Disposition: inline; filename="{name}"', f"Content-ID: <{cid}>"
    )


def many(rng: Random, kind: str, *parts: bytes, extra: str = "") -> bytes:
    """A multipart with a boundary in one of the usual styles."""
    number = rng.getrandbits(64)
    style = rng.choice(("_000_{:016X}_", "0000000000{:016x}", "Apple-Mail=_{:016X}", "----=_Part_{:d}", "=-{:x}=="))
    mark = style.format(number).encode()
    body = b"".join(b"--" + mark + b"\r\n" + one + b"\r\n" for one in parts)
    head = crlf(f'Content-Type: multipart/{kind}; boundary="{mark.decode()}"{extra}\n\n')
    return head + body + b"--" + mark + b"--\r\n"


def message(rng: Random, sender: str, recipients: tuple[str, ...], subject: str, body: bytes, *fields: str) -> bytes:
    """A whole message; ``body`` begins with the Content-Type of its root."""
    minute = rng.randrange(60)
    names = ("Dr Adams", "Adams, Jo", "Jo Adams (Clinic)", "")
    name = rng.choice(names)
    author = f'"{name}" <{sender}>' if name else sender
    lines = (
        f"From: {author}", f"To: {', '.join(recipients)}", f"Subject: {subject}",
        f"Date: Mon, 16 Nov 2026 10:{minute:02}:00 +0000", f"Message-ID: <{rng.getrandbits(80):x}@clinic.example>", *fields,
        "MIME-Version: 1.0",
    )  # fmt: skip
    return crlf("\n".join(lines) + "\n") + body
