"""A notice as an email message: RFC 3834 manners, text and HTML, 7bit, lines of at most 76 columns."""

from __future__ import annotations

import hashlib
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import policy
from email.headerregistry import BaseHeader, HeaderRegistry, MessageIDHeader, UniqueUnstructuredHeader
from email.message import EmailMessage
from email.policy import Policy
from email.utils import format_datetime
from typing import Any, Final

NOTICE_ID: Final = "notice."  # our own Message-IDs begin so: a notice is never answered by a notice

_REGISTRY: Final = HeaderRegistry()
# The stock registry takes these for free text and encodes a long Message-ID as an RFC 2047 word, which nobody can match.
for _name in ("in-reply-to", "references"):
    _REGISTRY.map_to_type(_name, MessageIDHeader)  # type: ignore[arg-type]  # the stubs want a base class that is mixed in later


class _Subject(UniqueUnstructuredHeader):
    """Folded at the last blank that fits: the stock one leaves the first line empty where the rest fits on the second."""

    def fold(self: Any, *, policy: Policy) -> str:
        if not str(self).isascii():
            return BaseHeader.fold(self, policy=policy)
        lines = textwrap.wrap(
            f"{self.name}: {self}", 76, subsequent_indent=" ", break_on_hyphens=False, break_long_words=False
        )
        return policy.linesep.join(lines) + policy.linesep


_REGISTRY.map_to_type("subject", _Subject)  # type: ignore[arg-type]  # as above
POLICY: Final[Any] = policy.SMTP.clone(max_line_length=76, header_factory=_REGISTRY, cte_type="7bit")


class NotWritable(ValueError):
    """An address or header cannot stand in a message; the text does not show it."""


@dataclass(frozen=True, slots=True)
class Notice:
    """What is said to one mailbox.  The envelope sender is always null (RFC 3834 3.3)."""

    to: str = field(repr=False)
    subject: str = field(repr=False)
    text: str = field(repr=False)
    html: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)

    def message(self) -> EmailMessage:
        """As a message.  Raises NotWritable."""
        message = EmailMessage(policy=message_policy(self.to))
        write_headers(message, self.headers, self.to, self.subject)
        message.set_content(self.text, cte=encoding(self.text))
        message.add_alternative(self.html, subtype="html", cte=encoding(self.html))
        message.set_boundary(boundary(self.headers["Message-ID"]))
        return message

    def as_bytes(self) -> bytes:
        """As bytes with CRLF, ready for DATA."""
        return self.message().as_bytes()


def message_policy(to: str) -> Any:
    """RFC 6532 headers only where the address leaves no choice."""
    return POLICY if to.isascii() else POLICY.clone(utf8=True)


def write_headers(message: EmailMessage, headers: Mapping[str, str], to: str, subject: str) -> None:
    """Headers of anything we write.  Raises NotWritable for control characters, which would start another header."""
    for name, value in {**headers, "To": to, "Subject": subject}.items():
        if any(ord(c) < 32 or ord(c) == 127 for c in value) or (name == "To" and (not value or any(c in value for c in " ,;<>"))):
            raise NotWritable(f"header {name} cannot be written")
        message[name] = value


def manners(from_address: str, domain: str, key: str, now: float, *, reply_to: str = "", answers: str = "") -> dict[str, str]:
    """Headers of an automatic message (RFC 3834 5, RFC 5436 2.7).

    ``key`` names the state change, so that a notice sent twice has one Message-ID; ``answers`` is the Message-ID it is about.
    """
    headers = {
        "From": from_address,
        "Date": format_datetime(datetime.fromtimestamp(now, UTC)),
        "Message-ID": f"<{NOTICE_ID}{hashlib.sha256(key.encode()).hexdigest()[:32]}@{domain}>",
        "Auto-Submitted": "auto-replied" if answers else "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    if reply_to:
        headers["Reply-To"] = reply_to
    if answers:
        headers["In-Reply-To"] = answers
        headers["References"] = answers
    return headers


def boundary(message_id: str) -> str:
    """A MIME boundary that is the same for the same notice."""
    return "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:40]


def is_notice(message_id: str, domain: str) -> bool:
    """Is this Message-ID one of ours?"""
    return message_id.startswith(f"<{NOTICE_ID}") and message_id.endswith(f"@{domain}>")


def encoding(text: str) -> str:
    """The transfer encoding for a text: 7bit, ≤ 76 columns."""
    plain = text.isascii() and all(len(line) <= 76 for line in text.splitlines())
    return "7bit" if plain else "quoted-printable"
