"""The parameters of MAIL and RCPT towards a next hop, and what a next hop without an extension cannot take.

Pure: an extension's parameters are sent only where EHLO offered it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from gateway.model import Envelope, Recipient, Result

# Nothing that could end or forge a command: blanks and angle brackets only inside a quoted local part (RFC 5321 4.1.2).
_ADDRESS = re.compile(r"""(?:"(?:[^"\\\x00-\x1f\x7f]|\\[\x20-\x7e])*"|[^\x00-\x20\x7f<>"]+)(?:@[^\x00-\x20\x7f<>"]+)?""")
_VALUE = re.compile(r"[!-~]{1,500}")  # ESMTP parameter value: printable, no blank (RFC 5321 4.1.2)
_XFORWARD_LINE = 500  # octets a line; the server's limit is 512 (XFORWARD_README)

TOO_BIG = Result(552, "5.3.4 larger than the next hop takes")
NO_UTF8 = Result(553, "5.6.7 the next hop does not take internationalised addresses or headers (SMTPUTF8)")
NO_8BIT = Result(554, "5.6.3 the next hop does not take 8-bit content (8BITMIME)")
BAD_ADDRESS = Result(553, "5.1.3 malformed address")
BAD_PARAMETER = Result(501, "5.5.4 malformed DSN parameter")


def unsendable(
    sender: str, recipients: Sequence[Recipient], data: bytes, envelope: Envelope, extensions: Mapping[str, str]
) -> list[Result | None]:
    """For each recipient: why this next hop cannot even be asked, or None.  All are permanent (5xx)."""
    whole = _message_fault(sender, data, envelope, extensions)
    return [whole or _recipient_fault(recipient, extensions) for recipient in recipients]


def _message_fault(sender: str, data: bytes, envelope: Envelope, extensions: Mapping[str, str]) -> Result | None:
    if sender and not _ADDRESS.fullmatch(sender):
        return BAD_ADDRESS
    if any(value is not None and not _VALUE.fullmatch(value) for value in (envelope.ret, envelope.envid)):
        return BAD_PARAMETER
    limit = extensions.get("SIZE", "")
    if limit.isascii() and limit.isdecimal() and 0 < int(limit) < len(data):
        return TOO_BIG
    if data.isascii() and sender.isascii():
        return None
    utf8 = not sender.isascii() or (envelope.smtputf8 and not headers(data).isascii())
    if utf8 and "SMTPUTF8" not in extensions:
        return NO_UTF8
    if not data.isascii() and "8BITMIME" not in extensions:
        return NO_8BIT
    return None


def _recipient_fault(recipient: Recipient, extensions: Mapping[str, str]) -> Result | None:
    if not _ADDRESS.fullmatch(recipient.address):
        return BAD_ADDRESS
    if not recipient.address.isascii() and "SMTPUTF8" not in extensions:
        return NO_UTF8
    if any(value is not None and not _VALUE.fullmatch(value) for value in (recipient.notify, recipient.orcpt)):
        return BAD_PARAMETER
    return None


def headers(data: bytes) -> bytes:
    """The header section of a message: up to the first empty line."""
    if data.startswith(b"\r\n"):
        return b""
    end = data.find(b"\r\n\r\n")
    return data if end < 0 else data[: end + 2]


def mail(
    sender: str, data: bytes, envelope: Envelope, extensions: Mapping[str, str], recipients: Sequence[Recipient] = ()
) -> bytes:
    """The MAIL command.  SIZE is the message's own, not the client's: we may have changed it."""
    words = [f"MAIL FROM:<{sender}>"]
    if "SIZE" in extensions:
        words.append(f"SIZE={len(data)}")
    if "8BITMIME" in extensions and (envelope.body == "8BITMIME" or not data.isascii()):
        words.append("BODY=8BITMIME")
    international = envelope.smtputf8 or not all(map(str.isascii, (sender, *(r.address for r in recipients))))
    if "SMTPUTF8" in extensions and international:
        words.append("SMTPUTF8")
    if "DSN" in extensions:
        words += [f"{name}={value}" for name, value in (("RET", envelope.ret), ("ENVID", envelope.envid)) if value]
    return " ".join(words).encode("utf-8")


def rcpt(recipient: Recipient, extensions: Mapping[str, str]) -> bytes:
    """The RCPT command."""
    words = [f"RCPT TO:<{recipient.address}>"]
    if "DSN" in extensions:
        words += [f"{name}={value}" for name, value in (("NOTIFY", recipient.notify), ("ORCPT", recipient.orcpt)) if value]
    return " ".join(words).encode("utf-8")


def xforward(envelope: Envelope, extensions: Mapping[str, str]) -> list[bytes]:
    """XFORWARD commands with the client's facts, as far as the next hop asks for them (Postfix's XFORWARD_README)."""
    lines: list[bytes] = []
    for name in extensions.get("XFORWARD", "").upper().split():
        value = envelope.xforward.get(name)
        if not value:
            continue
        word = f" {name}={_xtext(value)}".encode("ascii")
        if lines and len(lines[-1]) + len(word) <= _XFORWARD_LINE:
            lines[-1] += word
        elif len(word) + 8 <= _XFORWARD_LINE:
            lines.append(b"XFORWARD" + word)
    return lines


def _xtext(value: str) -> str:
    """RFC 3461 section 4: printable ASCII but ``+`` and ``=``; everything else as +XX."""
    return "".join(chr(o) if 0x21 <= o <= 0x7E and o not in (0x2B, 0x3D) else f"+{o:02X}" for o in value.encode("utf-8"))
