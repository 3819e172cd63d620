"""What may change in a message's header and first line, and nothing else (P3): one table, one function that reads it."""

from __future__ import annotations

import binascii
import ipaddress
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from typing import Final

from gateway.carriers import BodyLine
from gateway.mime.decode import decode, decode_quoted
from gateway.mime.part import IDENTITY, Edit, Field, Message, Part, Span, Undecodable
from gateway.mime.splice import replace_body
from gateway.mime.words import encode_words, unfold
from gateway.model import Envelope


@dataclass(frozen=True, slots=True)
class HeaderEdit:
    """One row: ``fields`` in ``where`` are ``what`` ``when``, because of ``why``."""

    fields: tuple[str, ...]
    what: str  # remove | insert | cut | rename
    where: str  # message: the top header; every: all header blocks outside signatures; image: of a clinical image
    when: str  # consent | reduced | own | trace | internal | always | spans: which argument of ``outgoing_edits`` calls for it;
    # names: ``gateway.mime.partnames`` where the policy wants neutral names
    why: str


HEADER_EDITS: Final[tuple[HeaderEdit, ...]] = (
    HeaderEdit(
        ("Clinical-Image-Consent", "X-Clinical-Image-Consent"),
        "remove",
        "every",
        "consent",
        "The statement is for the gateway; the recipient learns scope and expiry inside the protected body (domain 3.7).",
    ),
    HeaderEdit(("Content-Clinical-Image-Consent",), "remove", "every", "consent", "The same statement on a part (domain 3.7)."),
    HeaderEdit(
        ("Clinical-Image-Results",),
        "remove",
        "message",
        "own",
        "A verdict bearing our own id that we did not write is forged (domain 3.5; RFC 8601 5).",
    ),
    HeaderEdit(
        ("Clinical-Image-Consent",),
        "insert",
        "message",
        "reduced",
        "Status, purpose, scope and end only, where the policy says pseudonymise (domain 3.7).",
    ),
    HeaderEdit(("Clinical-Image-Results",), "insert", "message", "always", "Our verdict, where the policy wants it told (3.5)."),
    HeaderEdit(
        ("X-Originating-IP", "X-Sender-IP", "X-Source-IP", "X-Mailer", "User-Agent", "X-Originating-Client"),
        "remove",
        "message",
        "trace",
        "Address and program of the sender's device (domain 3.7; HIPAA 164.514(b)(2)(i)(O)).",
    ),
    HeaderEdit(("Received",), "remove", "message", "internal", "Names and addresses of the internal network (domain 3.7)."),
    HeaderEdit(
        ("Subject",), "cut", "message", "spans", "The consent tag, and only that: [secure], [SEC=...], tickets stay (3.7)."
    ),
    HeaderEdit(
        ("Content-Type", "Content-Disposition"),
        "rename",
        "image",
        "names",
        "A clinical image gets a neutral name; its old one, its dates and size and private parameters go (S4-10).",
    ),
    HeaderEdit(
        ("Content-Description",),
        "rename",
        "image",
        "names",
        "Outlook repeats the file name here; others write what is in the picture.",
    ),
    HeaderEdit(
        ("Content-*", "X-*"), "remove", "image", "names", "Any other field of the image's own header that repeats its old name."
    ),
    HeaderEdit(("Received",), "insert", "message", "always", "RFC 5321 4.4: the one line every message gains."),
)


def outgoing_edits(
    message: Message,
    *,
    own_id: str,
    subject_spans: Sequence[Span] = (),
    body_line: BodyLine | None = None,
    results_header: str | None = None,
    remove_consent: bool = True,
    consent_header: str | None = None,
    remove_trace: bool = False,
    internal: Collection[str] = (),
) -> list[Edit]:
    """All edits the table calls for.

    ``consent_header`` is the value of a reduced Clinical-Image-Consent; ``own_id`` the first word of our Clinical-Image-Results;
    ``subject_spans`` are characters of the decoded first Subject;
    ``internal`` are domain suffixes of the own network: a Received line between two of its hosts is removed.
    """
    wanted = {"own"} | ({"consent"} if remove_consent else set()) | ({"trace"} if remove_trace else set())
    if internal:
        wanted.add("internal")
    gone: dict[Span, Edit] = {}
    for row in HEADER_EDITS:
        if row.what == "remove" and row.when in wanted:
            for one in _matching(message, row):
                if _applies(message, one, row, own_id, internal):
                    gone[one.span] = Edit(*one.span, b"")
    edits = list(gone.values())
    if subject_spans:
        edits += _subject(message, subject_spans)
    if body_line is not None:
        edits += _body_line(message, body_line)
    if consent_header is not None:
        edits.append(Edit(0, 0, header_line("Clinical-Image-Consent", consent_header)))
    if results_header is not None:
        edits.append(Edit(0, 0, header_line("Clinical-Image-Results", results_header)))
    return edits


def _matching(message: Message, row: HeaderEdit) -> Iterator[Field]:
    for part in message.parts if row.where == "every" else message.parts[:1]:
        if part.in_signed and part.path != "1":
            continue  # signed bytes are never touched
        for name in row.fields:
            yield from message.fields(name, part)


def _applies(message: Message, one: Field, row: HeaderEdit, own_id: str, internal: Collection[str]) -> bool:
    text = unfold(message.value(one))
    if row.when == "own":
        return text.partition(";")[0].strip().strip('"').lower() == own_id.lower()
    if row.when == "internal":
        return _is_internal(text, internal)
    return True


_HOST = re.compile(r"\b(?:from|by)\s+([A-Za-z0-9._-]+|\[[^\]\s]{1,60}\])", re.I)
_ADDRESS = re.compile(r"\[(?:IPv6:)?([0-9A-Fa-f:.]{2,45})\]")


def _is_internal(text: str, internal: Collection[str]) -> bool:
    """Both ends are hosts of ours, and no public address stands in the line."""
    hosts = [host.lower().rstrip(".") for host in _HOST.findall(text) if not host.startswith("[")]
    ours = all(any(host == suffix or host.endswith("." + suffix) for suffix in internal) for host in hosts)
    return bool(hosts) and ours and not any(_is_public(address) for address in _ADDRESS.findall(text))


def _is_public(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_global
    except ValueError:
        return True  # not understood: keep the line


def _subject(message: Message, spans: Sequence[Span]) -> list[Edit]:
    subjects = message.fields("Subject")
    if not subjects:
        return []
    text = message.text(subjects[0])
    kept = without(text, spans)
    if kept == text:
        return []
    value = encode_words(kept, len(b"Subject: ")).replace(b"\r\n", message.newline)
    return [Edit(*subjects[0].value_span, b" " + value if value else b"")]


def without(text: str, spans: Iterable[Span]) -> str:
    """``text`` without the spans and without the double blanks that this leaves."""
    out, at = "", 0
    for start, stop in sorted(spans):
        out, at = out + text[at:start], max(at, stop)
        if out.endswith(" ") or not out:
            at += len(text[at:]) - len(text[at:].lstrip(" "))
    return (out + text[at:]).strip()


def _body_line(message: Message, line: BodyLine) -> list[Edit]:
    edits = []
    for path, cuts in line.cuts:
        part = message.part(path)
        if not part.in_signed:
            edits += _cut_body(message, part, cuts)
    return edits


def _cut_body(message: Message, part: Part, cuts: Sequence[Span]) -> list[Edit]:
    """Take byte spans out of the decoded body of one part, keeping its transfer encoding."""
    if part.encoding in IDENTITY:
        return [Edit(part.body[0] + start, part.body[0] + stop, b"") for start, stop in cuts]
    data = decode(message, part)
    kept, at = [], 0
    for start, stop in sorted(cuts):
        kept.append(data[at:start])
        at = max(at, stop)
    shorter = b"".join([*kept, data[at:]])
    if part.encoding == "quoted-printable":
        quoted = binascii.b2a_qp(shorter, istext=True)
        if _reads_back(quoted, shorter):
            return [Edit(*part.body, quoted)]
    return replace_body(message, part, shorter)


def _reads_back(quoted: bytes, data: bytes) -> bool:
    try:
        return decode_quoted(quoted, text=False) == data and b"\r" not in quoted.replace(b"\r\n", b"")
    except Undecodable:
        return False


def header_line(name: str, value: str) -> bytes:
    """One header line, folded, ended by CRLF; whatever stands in ``value`` cannot begin another line."""
    return name.encode("ascii") + b": " + encode_words(value, len(name) + 2) + b"\r\n"


_HELO = re.compile(r"[A-Za-z0-9.-]{1,255}|\[[0-9A-Za-z:.]{2,60}\]")
_ATOM = re.compile(r"[\x21\x23-\x27\x2a-\x39\x3c-\x3f\x41-\x5a\x5e-\x7e]+(?:@[A-Za-z0-9.\[\]:-]+)?")


def received_line(by: str, envelope: Envelope, identifier: str, at: float) -> bytes:
    """Our Received line (RFC 5321 4.4), CRLF included.

    The recipient stands in it only when there is just one, so that no copy tells of another's address.
    """
    helo = envelope.helo if _HELO.fullmatch(envelope.helo) else "unknown"
    client = f" ([{_literal(envelope.client)}])" if _literal(envelope.client) else ""
    protocol = ("UTF8" if envelope.smtputf8 else "E" if envelope.protocol == "SMTP" else "") + envelope.protocol
    lines = [f"Received: from {helo}{client}", f"by {by} with {protocol} id {identifier}"]
    if len(envelope.recipients) == 1 and _ATOM.fullmatch(envelope.recipients[0].address):
        lines.append(f"for <{envelope.recipients[0].address}>")
    lines[-1] += ";"
    lines.append(formatdate(at).replace("-0000", "+0000"))
    return "\r\n ".join(lines).encode("ascii", "replace") + b"\r\n"


def _literal(client: str) -> str:
    try:
        address = ipaddress.ip_address(client)
    except ValueError:
        return ""
    return f"IPv6:{address}" if address.version == 6 else str(address)
