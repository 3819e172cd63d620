"""The first lines a person typed in a body, above anything quoted or forwarded, in text/plain and in HTML.

Each character of the line is known by the bytes that wrote it, so that it can be taken out without touching the rest.
"""

from __future__ import annotations

import html
import re
from dataclasses import dataclass, field
from typing import Final

from gateway.mime.decode import decode
from gateway.mime.part import Message, Part, Span, Undecodable
from gateway.mime.words import to_text

_LONGEST: Final = 2000  # characters of one line that are read
_LOOK: Final = 65_536  # bytes of a body that are looked at
_FLOWED: Final = 5  # soft-wrapped lines joined at most (RFC 3676)
_BLANKS: Final = " \t\r\n\u00a0\u200b\u200c\u200d\u2060\ufeff"

_QUOTE: Final = re.compile(
    r"""^(?:
        [>|\u00a6\u00bb\u203a]                                       # RFC 3676 4.5, and what else programs quote with
      | [-_*\s]{2,}(?:original|forwarded|urspr\u00fcngliche|weitergeleitete)\b
      | [-_*\s]{2,}message\s(?:d['\u2019]origine|transf\u00e9r\u00e9)\b
      | _{5,}
      | (?:begin\sforwarded\smessage|anfang\sder\sweitergeleiteten|d\u00e9but\sdu\smessage|d\u00e9but\sdu\scourriel)
      | (?:from|von|de|da|van)\s?:.{0,400}(?:@|$)                 # Outlook's header block
      | on\s.{0,400}\bwrote\s?:?$ | on\s(?:mon|tue|wed|thu|fri|sat|sun|[0-9]).{0,60}\b[0-9]{4}\b
      | am\s.{0,400}\bschrieb\b   | le\s.{0,400}\ba\s\u00e9crit\b
      | (?:sent|get|gesendet|envoy\u00e9)\s(?:from|using|outlook|von|mit|de|depuis)\b   # a phone's signature
    )""",
    re.I | re.X | re.M,
)
_GREETING: Final = re.compile(
    r"(?:hi|hello|hey|hiya|dear|good\s(?:morning|afternoon|evening|day)|morning|afternoon|evening|greetings|to\swhom\sit\smay\sconcern)"
    r"(?!\w)(?!.*(?:con\w?en|verbal|written|agree|happy|refus|declin|withdr|\[|\())[^,.!?:;]{0,40}[,.!:;-]{0,2}",
    re.I,
)
_FORWARDED: Final = re.compile(r"forwarded|weitergeleitet|transf\u00e9r\u00e9", re.I)

_TAG = re.compile(rb"<(?:!--|(/?)([A-Za-z][A-Za-z0-9:-]{0,40}))")
_SKIP: Final = frozenset({b"style", b"script", b"title", b"head", b"noscript", b"template", b"xml"})
_BLOCK: Final = frozenset(
    b"address article aside body center dd div dl dt footer form h1 h2 h3 h4 h5 h6 header hr html li main nav ol p pre section "
    b"table tbody td tfoot th thead tr ul br".split()
)
_NOT_TYPED = re.compile(  # quoted, or hidden from the very person who is said to have written it
    rb"""(?<!:)[\s"']hidden(?=[\s>=/])|visibility\s{0,4}:\s{0,4}hidden|display\s{0,4}:\s{0,4}none"""
    rb"""|font-size\s{0,4}:\s{0,4}0(?![.0-9]*[1-9])|mso-hide|gmail_quote"""
    rb"""|gmail_attr|yahoo_quoted|moz-cite-prefix|moz-forward-container|outlookmessageheader|divrplyfwdmsg|appendonsend"""
    rb"""|mail-editor-reference-message-container|protonmail_quote|zmail_extra|type=["']?cite"""
    rb"""|border-top:\s{0,4}solid\s{1,4}\#""",
    re.I | re.X,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});?")


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a decoded body: its text, and for each character the bytes that wrote it."""

    path: str
    text: str = field(repr=False)
    spans: tuple[Span, ...] = field(repr=False)  # one per character, in the decoded body
    end: int  # where the line's end (CRLF, <br>) ends in the decoded body

    def cut(self, start: int, stop: int) -> list[Span]:
        """The bytes of the characters from ``start`` to ``stop``, joined where they touch; with the line end if nothing stays."""
        joined: list[Span] = []
        for begin, end in self.spans[start:stop]:
            if joined and joined[-1][1] == begin:
                joined[-1] = (joined[-1][0], end)
            else:
                joined.append((begin, end))
        if joined and not (self.text[:start] + self.text[stop:]).strip(_BLANKS):
            joined.append((joined.pop()[0], self.end) if joined[-1][1] <= self.end else (self.end, self.end))
        return joined


def is_quote(text: str) -> bool:
    """True if quoted or forwarded text, or a phone's signature, begins with this line."""
    return _QUOTE.search(text.strip(_BLANKS)) is not None


def is_forward(text: str) -> bool:
    """True if this line announces a forwarded message."""
    return is_quote(text) and _FORWARDED.search(text) is not None


def is_greeting(text: str) -> bool:
    """True if this line only greets: "Hi Sarah,", "Dear Dr Lee"."""
    return _GREETING.fullmatch(text.strip(_BLANKS)) is not None


def first_line(message: Message, part: Part) -> Line | None:
    """The first line with anything on it, quoted or not; None when the body is empty or cannot be read.

    A greeting is passed over where another line that is not quoted stands under it.
    """
    try:
        data = decode(message, part)
    except Undecodable:
        return None
    charset = part.params.get("charset", "utf-8")
    if _wide(data, charset):
        return None  # UTF-16 and the like: a person's mail program does not send it; the text is searched elsewhere
    data = data[:_LOOK]
    first = _line_from(data, charset, part, 0)
    if first is None or not is_greeting(first.text):
        return first
    second = _line_from(data, charset, part, first.end)
    return first if second is None or is_quote(second.text) else second


def _line_from(data: bytes, charset: str, part: Part, at: int) -> Line | None:
    if part.content_type == "text/html":
        return _html_line(data, charset, part.path, at)
    return _text_line(data, charset, part, at)


def _wide(data: bytes, charset: str) -> bool:
    return data.startswith((b"\xff\xfe", b"\xfe\xff")) or charset.lower().startswith(("utf-16", "utf-32", "ucs", "utf-7"))


def _text_line(data: bytes, charset: str, part: Part, at: int) -> Line | None:
    flowed = part.params.get("format", "").lower() == "flowed"
    drop = part.params.get("delsp", "").lower() == "yes"
    while at < len(data):
        stop, after = _line_end(data, at)
        chars = _chars(data, at, min(stop, at + _LONGEST), charset)
        if "".join(char for char, _ in chars).strip(_BLANKS):
            for _ in range(_FLOWED if flowed else 0):
                if data[stop - 1 : stop] != b" " or after >= len(data):
                    break
                if drop:
                    chars.pop()
                start = after
                stop, after = _line_end(data, start)
                chars += _chars(data, start, min(stop, start + _LONGEST), charset)
            return Line(part.path, "".join(c for c, _ in chars), tuple(s for _, s in chars), after)
        at = after
    return None


def _line_end(data: bytes, at: int) -> tuple[int, int]:
    """(end of the line's text, start of the next line)."""
    newline = data.find(b"\n", at)
    if newline < 0:
        return len(data), len(data)
    return (newline - 1 if newline > at and data[newline - 1] == 0x0D else newline), newline + 1


def _chars(data: bytes, start: int, stop: int, charset: str) -> list[tuple[str, Span]]:
    """Each character with its bytes.  Where a charset does not allow that, the whole run hangs on its first character."""
    piece = data[start:stop]
    if piece.isascii() and b"\x1b" not in piece:
        return [(chr(octet), (start + index, start + index + 1)) for index, octet in enumerate(piece)]
    text = to_text(piece, charset)
    out, at = [], start
    for char in text:
        try:
            size = len(char.encode(charset))
        except (LookupError, UnicodeError):
            size = 0
        out.append((char, (at, at + size)))
        at += size
    if at == stop:
        return out
    return [(char, (start, stop) if index == 0 else (stop, stop)) for index, char in enumerate(text)]


def _html_line(data: bytes, charset: str, path: str, at: int) -> Line | None:
    chars: list[tuple[str, Span]] = []
    while at < len(data):
        tag = _TAG.search(data, at)
        stop = tag.start() if tag else len(data)
        if stop > at and len(chars) < _LONGEST:
            chars += _html_chars(data, at, min(stop, at + _LONGEST), charset)
        if tag is None:
            break
        close = _tag_end(data, tag)
        name = (tag[2] or b"").lower()
        quoted = not tag[1] and (name == b"blockquote" or (name and _NOT_TYPED.search(data, tag.start(), close)))
        if name in _BLOCK or quoted:
            if _visible(chars):
                return _line(path, chars, close if name == b"br" else stop)
            chars = []
        if quoted:
            return None
        at = _skip(data, name, close) if name in _SKIP and not tag[1] else close
    return _line(path, chars, len(data)) if _visible(chars) else None


def _visible(chars: list[tuple[str, Span]]) -> bool:
    return bool("".join(char for char, _ in chars).strip(_BLANKS))


def _line(path: str, chars: list[tuple[str, Span]], end: int) -> Line:
    """Runs of white space are one blank on the screen; their bytes stay together."""
    out: list[tuple[str, Span]] = []
    for char, span in chars:
        if char in " \t\r\n" and out and out[-1][0] == " " and out[-1][1][1] == span[0]:
            out[-1] = (" ", (out[-1][1][0], span[1]))
        else:
            out.append((" " if char in " \t\r\n" else char, span))
    return Line(path, "".join(char for char, _ in out), tuple(span for _, span in out), end)


def _tag_end(data: bytes, tag: re.Match[bytes]) -> int:
    mark = b"-->" if tag[0] == b"<!--" else b">"
    end = data.find(mark, tag.end())
    return end + len(mark) if end >= 0 else len(data)


def _skip(data: bytes, name: bytes, at: int) -> int:
    """Behind the end tag of an element whose content is never shown."""
    match = re.compile(b"</" + re.escape(name) + rb"\b", re.I).search(data, at)
    return match.start() if match else (len(data) if name != b"head" else at)


def _html_chars(data: bytes, start: int, stop: int, charset: str) -> list[tuple[str, Span]]:
    raw = _chars(data, start, stop, charset)
    text = "".join(char for char, _ in raw)
    if "&" not in text:
        return raw
    out, at = [], 0
    for entity in _ENTITY.finditer(text):
        out += raw[at : entity.start()]
        span = (raw[entity.start()][1][0], raw[entity.end() - 1][1][1])
        shown = html.unescape(entity[0])
        out += [(char, span if index == 0 else (span[1], span[1])) for index, char in enumerate(shown)]
        at = entity.end()
    return out + raw[at:]
