"""Messages inside files: an attached .eml, a saved web page (.mht), a mailbox.  Opened by the parser of the message itself."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, Malformed, Member, OpaqueReason, Opener, Seen
from filters.sniff import sniff
from gateway.message import Edit, Message, Part, Undecodable, decode, parse, replace_body, replace_name, splice
from gateway.mime.codes import AMBIGUOUS
from gateway.opening import winmail

_FROM_LINE: Final = re.compile(rb"(?m)^From [^\r\n]*\r?\n")


class AttachedMail:
    """A whole message as a file (RFC 5322, RFC 2045, RFC 2557)."""

    native, rebuilds = False, True

    def __init__(self, name: str) -> None:
        self.name = name

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every leaf, keyed by its path; text bodies too.  What two programs would read differently is Blocked."""
        message = parse(data)
        for code in sorted(message.codes & AMBIGUOUS):
            yield Blocked(code, OpaqueReason.CORRUPT)
        if any(part.in_signed for part in message.leaves()):
            yield Finding("mail.signed", "message", Fate.KEPT)
        for part in message.leaves():
            budget.member()
            yield _member(message, part, budget)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """Spliced: every byte that need not change stays (P3)."""
        message = parse(data)
        edits: list[Edit] = []
        for key, body in changes.items():
            edits += put(message, message.part(key), body)
        for key, name in names.items():
            if not _is_winmail(message, message.part(key)) or key not in changes:
                edits += replace_name(message, message.part(key), name)
        return splice(data, edits)


def put(message: Message, part: Part, body: bytes) -> list[Edit]:
    """Edits that put a cleaned ``body`` in place of a leaf's own; a winmail.dat has become a MIME entity."""
    return winmail.replace_part(message, part, body) if _is_winmail(message, part) else replace_body(message, part, body)


def _is_winmail(message: Message, part: Part) -> bool:
    try:
        return sniff(decode(message, part)).format == winmail.NAME
    except Undecodable:
        return False


def _member(message: Message, part: Part, budget: Budget) -> Member:
    inline = part.content_id is not None and part.disposition != "attachment"
    try:
        body = decode(message, part)
    except Undecodable as error:
        codes = part.codes | {error.code}
        return Member(part.path, b"", part.name or "", part.content_type, None, OpaqueReason.CORRUPT, inline, codes)
    budget.grow(len(body))
    return Member(part.path, body, part.name or "", part.content_type, inline=inline, codes=part.codes)


class Mailbox:
    """Several messages in one file, each behind a line ``From …`` (RFC 4155)."""

    name, native, rebuilds = "mbox", False, True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Each message is a member called ``….eml``."""
        for key, (start, end) in _messages(data).items():
            budget.member()
            budget.grow(end - start)
            yield Member(key, data[start:end], f"{key}.eml", "message/rfc822")

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        spans = _messages(data)
        return splice(data, [Edit(*spans[key], body) for key, body in changes.items()])


def _messages(data: bytes) -> dict[str, tuple[int, int]]:
    """Number of each message -> its span without the line in front.  Raises Malformed."""
    starts = [match.span() for match in _FROM_LINE.finditer(data)]
    if not starts or starts[0][0]:
        raise Malformed("no line in front of the first message")
    ends = [start for start, _ in starts[1:]] + [len(data)]
    return {str(number): (after, end) for number, ((_, after), end) in enumerate(zip(starts, ends, strict=True), 1)}


OPENERS: Final[Mapping[str, Opener]] = {
    "eml": AttachedMail("eml"),
    "mhtml": AttachedMail("mhtml"),
    "mbox": Mailbox(),
    winmail.NAME: winmail.OPENER,
}
