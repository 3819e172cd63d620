"""What a person wrote in a reply, without what their program quoted, and whether a program wrote it."""

from __future__ import annotations

import email
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from typing import Final

from quarantine.answers.quoting import clean, is_ours, own
from quarantine.answers.shownhtml import shown

MOST_PARTS: Final = 50
LONGEST_BODY: Final = 131_072  # octets of a reply that are looked at
LONGEST_FIELD: Final = 2000  # characters of a header field: the standard parser takes the square of their number


class NotReadable(Exception):
    """The message cannot be read as one.  Says nothing of it."""


@dataclass(frozen=True, slots=True)
class Written:
    """``subject``: what the person put there, "" if only ours stands there.  ``lines``: of the body, without blank ones."""

    subject: str = field(repr=False)
    lines: tuple[str, ...] = field(repr=False)
    automatic: bool = False


_PREFIX: Final = re.compile(r"^\s*(?:(?:re|aw|sv|antw|fw|fwd|wg|vs|tr|rv|res|atb)\s*(?:\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_INSIDE: Final = re.compile(r"(?:^|\s)(?:re|aw|sv|antw|fw|fwd|wg)\s*(?:\[\d+\])?\s*:", re.IGNORECASE)
_AUTO_HEADERS: Final = (
    "X-Autoreply", "X-Autorespond", "X-Autoresponder", "X-Auto-Response-From", "X-Auto-Response-Suppress", "X-Auto-Reply-From",
    "X-Mail-Autoreply", "X-Vacation", "List-Id", "List-Unsubscribe", "X-Failed-Recipients", "Feedback-ID",
    "X-MS-Exchange-Generated-Message-Source",
)  # fmt: skip
_AUTO_TYPES: Final = frozenset(
    {"multipart/report", "message/delivery-status", "message/disposition-notification", "text/calendar"}
)
_AUTO_SUBJECT: Final = re.compile(
    r"^\s*(automatic reply|auto(matic)?[- ]?(reply|response|answer)|out of (the )?office|away from (my|the)|(i am |i'm )?on leave"
    r"|abwesenheit|absence|réponse automatique|(not )?read:|deleted:|gelesen:|delivered:|undeliver"
    r"|delivery (status|failure|has failed)"
    r"|mail delivery|returned mail|failure notice|recall:|accepted:|declined:|tentative:|message recall)",
    re.IGNORECASE,
)
_AUTO_LINE: Final = re.compile(
    r"^\W*(this is an automat|i am (currently )?(out of|away|on (annual|maternity|sick|study|parental) leave)"
    r"|i'm (currently )?(out of|away from|on (annual|maternity|sick|study|parental) leave)"
    r"|thank you for (your|contacting)\b.{0,60}\b(i am|i'm|we are|we will|out of|away)\b"
    r"|your (message|e-?mail) (has been|was) (received|read|deleted)"
    r"|automatic reply|auto-?reply)",
    re.IGNORECASE,
)


def read(raw: bytes, ours: Sequence[str] = ()) -> Written:
    """A reply as received.  ``ours``: texts that only our notice holds (reference, reply address).  Raises ``NotReadable``."""
    try:
        message = email.message_from_bytes(raw[:LONGEST_BODY])
        return _read(message, [text.casefold() for text in ours if text])
    except (ValueError, LookupError, TypeError, AttributeError, AssertionError, RecursionError, HeaderParseError) as error:
        # The standard library's parser is not total: hostile headers and charsets make it raise each of these.
        raise NotReadable(type(error).__name__) from None


def _read(message: Message, ours: list[str]) -> Written:
    subject = clean(_decoded(str(message.get("Subject", ""))))
    lines = _lines(message, ours)
    automatic = _automatic(message) or _AUTO_SUBJECT.search(subject) is not None
    automatic = automatic or any(_AUTO_LINE.search(line) for line in lines[:3])
    return Written(_own_subject(subject, ours), tuple(lines), automatic)


def _decoded(value: str) -> str:
    """A header's text with encoded words (RFC 2047) read; as it stands where that fails."""
    try:
        return str(make_header(decode_header(value[:LONGEST_FIELD])))
    except (HeaderParseError, LookupError, ValueError):
        return value


def _automatic(message: Message) -> bool:
    """By RFC 3834, RFC 8098, RFC 3464, and by what older programs write."""
    if _word(message, "Auto-Submitted") not in ("", "no") or message.get_content_type() in _AUTO_TYPES:
        return True
    if _word(message, "Precedence") in ("auto_reply", "bulk", "list", "junk") or _word(message, "Return-Path") == "<>":
        return True
    return any(message.get(name) is not None for name in _AUTO_HEADERS)


def _word(message: Message, name: str) -> str:
    return str(message.get(name, "")).partition(";")[0].partition("(")[0].strip().lower()


def _own_subject(subject: str, ours: list[str]) -> str:
    """What the person wrote there; what was there before counts only where the person typed in front of it."""
    if not is_ours(subject, ours):
        return _PREFIX.sub("", subject).strip()
    before = _INSIDE.split(subject, maxsplit=1)[0]
    return "" if before == subject else before.strip(" -–—:;,")


def _lines(message: Message, ours: list[str]) -> list[str]:
    """Of the plain text; of the HTML where there is no plain text, or nothing of the person's own in it."""
    for kind in ("plain", "html"):
        part = next((one for one in _texts(message) if one.get_content_subtype() == kind), None)
        if part is None:
            continue
        text = _content(part)
        if found := own(shown(text) if kind == "html" else text.splitlines(), ours):
            return found
    return []


def _texts(message: Message) -> Iterator[Message]:
    """Leaves that a reader is shown as the letter: never an attachment, never anything of an attached message."""
    waiting = [message]
    for _ in range(MOST_PARTS):
        if not waiting:
            return
        part = _shortened(waiting.pop())
        if part.get_content_disposition() == "attachment" or part.get_filename():
            continue
        if part.get_content_maintype() == "multipart":
            inner = part.get_payload()
            waiting.extend(one for one in reversed(inner if isinstance(inner, list) else []) if isinstance(one, Message))
        elif part.get_content_type() in ("text/plain", "text/html"):
            yield part


def _shortened(part: Message) -> Message:
    for name in ("Content-Type", "Content-Disposition"):
        value = str(part.get(name, ""))
        if len(value) > LONGEST_FIELD:
            part.replace_header(name, value[:LONGEST_FIELD])
    return part


def _content(part: Message) -> str:
    data = part.get_payload(decode=True)
    if not isinstance(data, bytes):
        return ""
    try:
        return data.decode(part.get_content_charset() or "utf-8", "replace")
    except LookupError:  # a charset nobody knows
        return data.decode("utf-8", "replace")
