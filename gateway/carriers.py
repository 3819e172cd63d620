"""Where a message states consent (CARRIERS), what shows that a machine passed it on, and who its author is.

Only places a person filled in this very message count: never quoted or forwarded text, never an attached message.  What the words
mean is ``policies.consent``'s business; whether the sender is believed is ``gateway.identity``'s.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from filters.identify.numbers import find
from gateway.mime.bodyline import Line, first_line, is_forward, is_quote
from gateway.mime.part import Message, Part, Span
from gateway.mime.words import unfold
from gateway.model import Envelope
from policies.consent import read_body_line, read_header, read_subject
from policies.model import Carrier, Problem, Reading, Statement

HEADER_FIELDS: Final = ("Clinical-Image-Consent", "X-Clinical-Image-Consent")
PART_FIELD: Final = "Content-Clinical-Image-Consent"

_FORWARD: Final = r"fw|fwd|wg|tr|rv|i|doorst|vs|enc"
_REPLY: Final = r"re|aw|sv|antw|odp|ynt|r|ref|res|rif|bls|atb"
# In front of it mail programs, filters and people put marks: [EXTERNAL], {Spam?}, ***, quotes.  Behind it may stand a count.
_PREFIX = re.compile(
    rf"[\s\"'*_~>|.#!-]{{0,40}}(?:[\[{{(<][^\]}})>]{{0,100}}[\]}})>][\s\"'*_~>|.#!-]{{0,40}}){{0,10}}"
    rf"(?:(?P<forward>{_FORWARD})|(?P<reply>{_REPLY}))\s?(?:[\[(^*-]?\s?[0-9]{{1,3}}[\])]?)?\s?:",
    re.I,
)

REDIRECTS: Final[Mapping[str, str]] = {
    "redirect.resent": "The message was resent (Resent-* fields, RFC 5322 3.6.6).",
    "redirect.auto-submitted": "The message was made by a program (Auto-Submitted, RFC 3834).",
    "redirect.inbox-rule": "A rule of a mailbox forwarded the message.",
    "redirect.forwarded": "A mail system forwarded the message (X-Forwarded-* fields).",
    "redirect.delivered": "The message was delivered to a mailbox before it came here (Delivered-To).",
    "redirect.list": "A mailing list passed the message on.",
}
_EVIDENCE: Final[tuple[tuple[str, re.Pattern[bytes]], ...]] = (
    ("redirect.resent", re.compile(rb"resent-")),
    (
        "redirect.inbox-rule",
        re.compile(rb"x-ms-exchange-inbox-rules-loop|x-ms-exchange-organization-autoforwarded$|x-autoforward"),
    ),
    ("redirect.forwarded", re.compile(rb"x-forwarded-|x-original-to$|x-forwarding-")),
    ("redirect.delivered", re.compile(rb"delivered-to$|x-delivered-to$")),
    ("redirect.list", re.compile(rb"list-|mailing-list$|x-mailing-list$")),
)


@dataclass(frozen=True, slots=True)
class BodyLine:
    """The line that states consent, wherever the body shows it: in the text and in the HTML alternative."""

    text: str = field(repr=False)
    cuts: tuple[tuple[str, tuple[Span, ...]], ...]  # (path of a part, byte spans of its decoded body to take out)


@dataclass(frozen=True, slots=True)
class Carried:
    """What the carriers of one message hold."""

    readings: tuple[Reading, ...]
    subject_spans: tuple[Span, ...]  # characters of ``message.text`` of the first Subject
    body_line: BodyLine | None
    thread: str  # new | reply | forward
    redirect_codes: frozenset[str]
    numbers: tuple[str, ...] = field(default=(), repr=False)  # patient identifiers found in statements, to look withdrawals up


@dataclass(slots=True)
class _Gathered:
    """What the carriers add to while they are asked in turn."""

    readings: list[Reading] = field(default_factory=list)
    subject_spans: tuple[Span, ...] = ()
    body_line: BodyLine | None = None
    forwarded: bool = False
    numbers: list[str] = field(default_factory=list)


def statements(message: Message) -> Carried:
    """Ask every carrier of the registry."""
    gathered = _Gathered()
    for carrier in CARRIERS.values():
        carrier(message, gathered)
    return Carried(
        tuple(gathered.readings),
        gathered.subject_spans,
        gathered.body_line,
        "forward" if gathered.forwarded else _thread(message),
        _redirects(message),
        tuple(dict.fromkeys(gathered.numbers)),
    )


def _header(message: Message, gathered: _Gathered) -> None:
    for name in HEADER_FIELDS:
        for one in message.fields(name):
            reading = read_header(unfold(message.value(one)))
            _add(gathered, replace(reading, statements=tuple(_placed(message, said) for said in reading.statements)))


def _parts(message: Message, gathered: _Gathered) -> None:
    """A part's own statement covers that part and wins over the message's."""
    for part in _own_parts(message):
        for one in message.fields(PART_FIELD, part):
            covers = part.name or part.content_id or part.path
            _add(gathered, read_header(unfold(message.value(one)), carrier=Carrier.PART, part=covers))


def _placed(message: Message, said: Statement) -> Statement:
    """``part="cid:..."`` as the place of the part that has this Content-ID; a file name stays as it is (domain/03 3.3)."""
    wanted = said.part or ""
    if not wanted.lower().startswith("cid:") and not (wanted[:1] == "<" and wanted[-1:] == ">"):
        return said
    bare = wanted.strip("<>").removeprefix("cid:").removeprefix("CID:")
    found = [part for part in _own_parts(message) if part.content_id and part.content_id.strip("<>") == bare]
    return replace(said, part=found[0].name or found[0].path) if len(found) == 1 else said


def _subject(message: Message, gathered: _Gathered) -> None:
    subjects = message.fields("Subject")
    if not subjects:
        return
    reading = read_subject(message.text(subjects[0]))
    gathered.subject_spans = reading.spans
    _add(gathered, reading)


def _body(message: Message, gathered: _Gathered) -> None:
    lines = _first_lines(message)
    if not lines:
        return
    first = lines[0]
    gathered.forwarded = is_forward(first.text)
    if is_quote(first.text):
        return
    reading = read_body_line(first.text)
    _add(gathered, reading)
    if not reading.spans:
        return
    cuts = []
    for line in lines:
        spans = reading.spans if line.text == first.text else _same_words(first, line)
        cuts.append((line.path, tuple(span for start, stop in spans for span in line.cut(start, stop))))
    gathered.body_line = BodyLine(first.text, tuple(cut for cut in cuts if cut[1]))


CARRIERS: Final[Mapping[Carrier, Callable[[Message, _Gathered], None]]] = {
    Carrier.PART: _parts,
    Carrier.HEADER: _header,
    Carrier.BODY: _body,
    Carrier.SUBJECT: _subject,
}


def _add(gathered: _Gathered, reading: Reading) -> None:
    if not (reading.statements or reading.problems or reading.doubts):
        return
    unnamed, numbers = without_numbers(reading)
    gathered.readings.append(unnamed)
    gathered.numbers += numbers


def without_numbers(reading: Reading) -> tuple[Reading, list[str]]:
    """A reading without patients' numbers, which make it a problem, and the numbers."""
    statements, problems, found = [], list(reading.problems), []
    for said in reading.statements:
        bare, numbers = _unnamed(said)
        statements.append(bare)
        found += numbers
        problems += [Problem("consent.identifier")] if numbers else []
    return replace(reading, statements=tuple(statements), problems=tuple(dict.fromkeys(problems))), found


def _unnamed(said: Statement) -> tuple[Statement, list[str]]:
    """The statement without patients' numbers in its references and reason, and the numbers (domain/03 3.3 rule 7).

    In ``patient`` a number that passes its check is one; elsewhere one in ten document numbers passes too.
    """
    patient = [one.value for one in find(_spaced(said.patient))]
    record = [one.value for one in find(_spaced(said.record)) if one.strong]
    reason = [one.value for one in find(said.reason or "") if one.strong]
    if patient or record or reason:
        said = replace(
            said,
            patient=None if patient else said.patient,
            record=None if record else said.record,
            reason=_masked(said.reason or "") if reason else said.reason,
        )
    return said, [*patient, *record, *reason]


def _spaced(reference: str | None) -> str:
    """A reference with the marks between its pieces as blanks: "NHS:943-476-5919" holds a number."""
    return re.sub(r"[:/.]", " ", reference or "")


def _masked(reason: str) -> str:
    """A reason without its digits: a number of a patient is no part of why it is urgent."""
    return re.sub(r"[0-9]", "#", reason)


def _same_words(first: Line, other: Line) -> tuple[Span, ...]:
    """The alternative's line in its own characters: white space may differ, the words may not."""
    if is_quote(other.text) or other.text.replace("\u00a0", " ").split() != first.text.replace("\u00a0", " ").split():
        return read_body_line(other.text).spans
    return read_body_line(other.text).spans or ((0, len(other.text)),)


def _first_lines(message: Message) -> list[Line]:
    """The first line of the text/plain body and of the HTML body a reader sees first."""
    lines = []
    for wanted in ("text/plain", "text/html"):
        for part in _own_parts(message):
            if part.is_leaf and part.content_type == wanted and part.disposition != "attachment" and not part.name:
                line = first_line(message, part)
                if line is not None:
                    lines.append(line)
                    break
    return lines


def _own_parts(message: Message) -> Iterator[Part]:
    """The parts of this message, without those of attached ones."""
    inside: set[str] = set()
    for part in message.parts:
        if part.parent in inside:
            inside.add(part.path)
            continue
        if part.content_type.startswith("message/"):
            inside.add(part.path)
        yield part


def _thread(message: Message) -> str:
    subjects = message.fields("Subject")
    match = _PREFIX.match(_plain(message.text(subjects[0]))) if subjects else None
    if match is not None:
        return "forward" if match["forward"] else "reply"
    if any(part.content_type in ("message/rfc822", "message/global") for part in _own_parts(message)):
        return "forward"
    return "reply" if message.fields("In-Reply-To") or message.fields("References") else "new"


def _plain(text: str) -> str:
    """As a reader sees it: wide letters narrow, marks that are not shown taken out."""
    return "".join(char for char in unicodedata.normalize("NFKC", text) if unicodedata.category(char) != "Cf")


def _redirects(message: Message) -> frozenset[str]:
    keys = [one.key for one in message.headers]
    codes = {code for code, pattern in _EVIDENCE if any(pattern.match(key) for key in keys)}
    if _auto_submitted(message):
        codes.add("redirect.auto-submitted")
    return frozenset(codes)


def _auto_submitted(message: Message) -> bool:
    return any(_word(message.text(one)) != "no" for one in message.fields("Auto-Submitted"))


def _word(text: str) -> str:
    return text.partition(";")[0].partition("(")[0].strip().lower()


def sender_kind(message: Message, envelope: Envelope) -> str:
    """``null``, ``auto``, ``list`` or ``person``: only a person is sent notices (RFC 3834 2)."""
    if not envelope.sender or envelope.sender.partition("@")[0].lower() in ("mailer-daemon", "postmaster-bounces"):
        return "null"
    precedence = {_word(message.text(one)) for one in message.fields("Precedence")}
    if _auto_submitted(message) or "auto_reply" in precedence or message.fields("X-Autoreply") or message.fields("X-Autorespond"):
        return "auto"
    if message.parts[0].content_type == "multipart/report":
        return "auto"
    if "mail.list" in message.codes or precedence & {"list", "bulk", "junk"}:
        return "list"
    return "person"


def sender_addresses(message: Message) -> list[str]:
    """Every address of every Sender field (RFC 5322 3.6.2): who really sent what the author is said to have written."""
    return [address for one in message.fields("Sender") for address in _mailboxes(unfold(message.value(one)))]


def from_addresses(message: Message) -> list[str]:
    """Every address of every From field, exactly as written (RFC 5322 3.4); "" stands for what is no address.

    An address in an unquoted display name counts as one more: some programs show it as the author.
    """
    found: list[str] = []
    for one in message.fields("From"):
        found += [address for address in _mailboxes(unfold(message.value(one))) if address not in found]
    return found


_ADDRESS_TOKEN = re.compile(r'"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<mark>[<>,:;()"\\])|(?P<text>[^<>,:;()"\\]+)')


def _mailboxes(value: str) -> Iterator[str]:
    plain, angle, inside, depth = "", None, False, 0
    for token in _ADDRESS_TOKEN.finditer(value):
        mark = token["mark"]
        if depth or mark == "(":
            depth += {"(": 1, ")": -1}.get(mark or "", 0)
        elif mark == "<":
            if angle is not None:
                yield ""  # two angle addresses in one mailbox
            angle, inside = "", True
        elif mark == ">":
            inside = False
        elif inside:
            angle = (angle or "") + token[0]
        elif mark == ":":
            plain = ""  # the name of a group
        elif mark in (",", ";"):
            yield from _mailbox(plain, angle)
            plain, angle = "", None
        elif mark is not None:
            yield ""  # an unbalanced quote, bracket or backslash
        else:
            plain += token[0]
    if inside or depth:
        yield ""
    yield from _mailbox(plain, angle)


_SPEC = re.compile(r'(?:[^\s@"<>(),:;\\]+|"(?:[^"\\]|\\.)+")@(?:[^\s@"<>(),:;\\]+)')
_QUOTED_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"')


def _mailbox(plain: str, angle: str | None) -> Iterator[str]:
    if angle is None:
        if plain.strip():
            yield plain.strip() if _SPEC.fullmatch(plain.strip()) else ""
        return
    spec = angle.strip()
    yield spec if _SPEC.fullmatch(spec) else ""
    for word in _QUOTED_TEXT.sub(" ", plain).split():
        if "@" in word and word != spec:
            yield word
