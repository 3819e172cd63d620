"""Header text: unfolding, encoded-words (RFC 2047) both ways, and names made safe to show."""

from __future__ import annotations

import re
from typing import Final

import pybase64

_WORD = re.compile(r"=\?([A-Za-z0-9_.:+-]{1,40})(?:\*[A-Za-z0-9-]{0,20})?\?([BbQq])\?([^?\s]{0,10000})\?=")
_BETWEEN = re.compile(r"(\?=)[ \t\r\n]+(?==\?[A-Za-z0-9_.:*+-]{1,60}\?[BbQq]\?)")
_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_UNSAFE = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff]")
_NO_CHARSETS: Final = frozenset({"punycode", "idna"})  # codecs that are none of mail's; their time grows with the square
_FOLD_AT: Final = 78
_LINE: Final = 75  # RFC 2047 2: an encoded-word is at most 75 characters


def unfold(value: bytes) -> str:
    """A field's value on one line, stripped (RFC 5322 2.2.3).  UTF-8 where valid (RFC 6532), else Latin-1: no byte is lost."""
    flat = _FOLD.sub(b"", value).strip(b" \t\r\n")
    try:
        return flat.decode("utf-8")
    except UnicodeDecodeError:
        return flat.decode("latin-1")


def decode_words(text: str) -> str:
    """Encoded-words decoded as mail programs show them; what cannot be decoded stays as it is."""
    if "=?" not in text:
        return text
    return _WORD.sub(_decode_word, _BETWEEN.sub(r"\1", text))


def _decode_word(match: re.Match[str]) -> str:
    charset, how, content = match.groups()
    raw = content.encode("utf-8", "surrogateescape")
    if how in "Bb":
        return to_text(_lenient(raw), charset)
    data = _HEX.sub(lambda m: bytes((int(m[1], 16),)), raw.replace(b"_", b" "))
    return to_text(data, charset)


def _lenient(raw: bytes) -> bytes:
    """As much of a base64 word as can be read: it is only shown and searched, never passed on."""
    flat = _NOT_BASE64.sub(b"", raw)
    flat = flat[: len(flat) - (len(flat) % 4 == 1)]
    return pybase64.b64decode(flat + b"=" * (-len(flat) % 4))


def to_text(data: bytes, charset: str) -> str:
    """``data`` in ``charset``; unknown charsets and broken bytes give replacement characters, never an error."""
    if charset.strip().lower() in _NO_CHARSETS:
        charset = "utf-8"
    try:
        return data.decode(charset, "replace")
    except (LookupError, UnicodeError, ValueError):  # no charset, a codec that is none ("rot13"), or deaf to "replace"
        return data.decode("utf-8", "replace")


def encode_words(text: str, first: int) -> bytes:
    """``text`` as a header value, folded with CRLF: as it is when ASCII, else in base64 encoded-words.

    ``first`` is the number of characters already on the first line (the field's name and colon).
    """
    if text.isascii() and not _UNSAFE.search(text) and "=?" not in text:
        return _folded(text, first).encode("ascii")
    words: list[str] = []
    chunk, room = b"", _room(first)
    for char in text:
        encoded = char.encode("utf-8", "replace")
        if chunk and len(chunk) + len(encoded) > room:
            words.append(_word(chunk))
            chunk, room = b"", _room(1)
        chunk += encoded
    words.append(_word(chunk))
    return "\r\n ".join(words).encode("ascii")


def _folded(text: str, first: int) -> str:
    """ASCII text folded at blanks to 78 characters a line where it can be (RFC 5322 2.1.1)."""
    lines, line, used = [], "", first
    for index, word in enumerate(text.split(" ")):
        piece = word if index == 0 else " " + word
        if line.strip() and word and used + len(line) + len(piece) > _FOLD_AT:
            lines.append(line)
            line, used = "", 0
        line += piece
    return "\r\n".join([*lines, line])


def _room(used: int) -> int:
    """Bytes of text that fit into one encoded-word on a line where ``used`` characters already stand."""
    return max((_LINE - used - len("=?utf-8?B??=")) // 4 * 3, 3)


def _word(chunk: bytes) -> str:
    return f"=?utf-8?B?{pybase64.b64encode(chunk).decode('ascii')}?="


def safe_name(name: str) -> str:
    """A file name fit to be shown: last path component, no control, direction or zero-width characters, at most 255 long."""
    flat = _UNSAFE.sub("", name).replace("\\", "/").rstrip("/")
    return flat.rpartition("/")[2].strip()[:255]


def is_unsafe(name: str) -> bool:
    """True if ``safe_name`` would have to take something away."""
    return safe_name(name) != name
