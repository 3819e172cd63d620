"""The words of a rich text body: the page that Outlook wrapped into it, or the plain text (MS-OXRTFEX, RTF 1.9.1).

Only for bodies that are sent on as ordinary text; pictures in rich text are for its own reader.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from filters.api import Budget, Malformed, TooBig
from filters.compound.mapi import codec

_TOKEN = re.compile(
    rb"\\(?P<word>[A-Za-z]{1,32})(?P<value>-?[0-9]{1,10})? ?|\\'(?P<hex>[0-9A-Fa-f]{2})|\\(?P<symbol>[^A-Za-z])"
    rb"|(?P<brace>[{}])|(?P<line>[\r\n]+)|(?P<text>[^\\{}\r\n]+)|\\"
)
_DEEPEST: Final = 500
_EVERY: Final = 1024  # tokens between two looks at the clock
_HEAD: Final = 1024  # bytes in which the mark of a wrapped page stands
_WRAPPED = re.compile(rb"\\fromhtml1(?![0-9])")
_PAGE = re.compile(rb"\\ansicpg(?P<page>[0-9]{1,5})")
_FONT = re.compile(rb"\\f(?P<number>[0-9]{1,5})(?:(?!\\f[0-9])[^{}]){0,200}?\\fcharset(?P<charset>[0-9]{1,3})")
_CHARSETS: Final[Mapping[int, int]] = {
    77: 10000, 128: 932, 129: 949, 134: 936, 136: 950, 161: 1253, 162: 1254, 163: 1258, 177: 1255, 178: 1256, 186: 1257,
    204: 1251, 222: 874, 238: 1250,
}  # fmt: skip
_UNSHOWN: Final = frozenset(
    b"fonttbl colortbl stylesheet info pict object header footer headerl headerr footerl footerr listtable listoverridetable "
    b"revtbl rsidtbl filetbl xmlnstbl nonshppict themedata datastore fldinst".split()
)
_WORDS: Final[Mapping[bytes, str]] = {
    b"par": "\r\n", b"line": "\r\n", b"sect": "\r\n", b"row": "\r\n", b"tab": "\t", b"cell": "\t", b"lquote": "\u2018",
    b"rquote": "\u2019", b"ldblquote": "\u201c", b"rdblquote": "\u201d", b"bullet": "\u2022", b"endash": "\u2013",
    b"emdash": "\u2014", b"enspace": "\u2002", b"emspace": "\u2003", b"zwj": "\u200d", b"zwnj": "\u200c",
}  # fmt: skip
_SYMBOLS: Final[Mapping[bytes, str]] = {
    b"\\": "\\",
    b"{": "{",
    b"}": "}",
    b"~": "\u00a0",
    b"_": "\u2011",
    b"\n": "\r\n",
    b"\r": "\r\n",
}


@dataclass(frozen=True, slots=True)
class Words:
    """``text`` is a page when ``html``, else plain text."""

    text: str = field(repr=False)
    html: bool


@dataclass(frozen=True, slots=True)
class _Group:
    shown: bool = True
    tag: bool = False  # inside \*\htmltag: markup as it stands
    muted: bool = False  # between \htmlrtf and \htmlrtf0: only for readers of rich text
    codepage: int = 1252
    after: int = 1  # letters that stand in for one \u
    star: bool = False  # \* was the last token


def words(data: bytes, budget: Budget) -> Words:
    """The body in ``data``.  Raises Malformed for unbalanced groups, TooBig for groups nested too deep."""
    reader = _Reader(data, budget)
    reader.run()
    units = "".join(reader.out).encode("utf-16-le", "surrogatepass")  # joins the halves of a pair
    return Words(units.decode("utf-16-le", "replace"), reader.html)


class _Reader:
    def __init__(self, data: bytes, budget: Budget) -> None:
        self.data, self.budget = data, budget
        self.html = _WRAPPED.search(data, 0, _HEAD) is not None
        page = _PAGE.search(data, 0, _HEAD)
        self.codepage = int(page["page"]) if page else 1252
        self.fonts = {
            int(font["number"]): _CHARSETS.get(int(font["charset"]), self.codepage) for font in _FONT.finditer(data[: 1 << 16])
        }
        self.stack: list[_Group] = []
        self.group = _Group(codepage=self.codepage)
        self.out: list[str] = []
        self.octets = bytearray()  # letters of one code page that wait for their second half
        self.skip = 0  # letters that stand in for a \u

    def run(self) -> None:
        at, count = 0, 0
        while match := _TOKEN.match(self.data, at):
            at, count = match.end(), count + 1
            if count % _EVERY == 0:
                self.budget.tick()
            kind = match.lastgroup
            if match["word"] == b"bin":
                at += max(0, int(match["value"] or 0))
            elif match["word"] is not None:
                self._word(match["word"], match["value"])
            elif kind is not None:
                _KINDS[kind](self, match[kind])
            if match["brace"] == b"}" and not self.stack:
                break
        self._flush()
        if self.stack:
            raise Malformed("rich text without end")

    # ---- groups and words

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self.skip = 0
        if brace == b"{":
            if len(self.stack) > _DEEPEST:
                raise TooBig("groups inside groups")
            self.stack.append(self.group)
            self.group = replace(self.group, star=False)
        elif self.stack:
            self.group = replace(self.stack.pop(), muted=self.group.muted)
        else:
            raise Malformed("rich text begins with its end")

    def _word(self, word: bytes, value: bytes | None) -> None:
        number = int(value) if value else None
        group = self.group
        if group.star or word in _UNSHOWN:
            tag = group.star and word == b"htmltag" and self.html
            self.group = replace(group, star=False, tag=tag, shown=group.shown and (tag or word in _WORDS))
        elif word == b"htmlrtf":
            self._flush()
            self.group = replace(group, muted=number != 0)
        elif word == b"u" and number is not None:
            self._put(chr(number & 0xFFFF))  # one UTF-16 unit, negative above 7FFF
            self.skip = group.after
        elif word == b"uc" and number is not None:
            self.group = replace(group, after=min(max(number, 0), 16))
        elif word == b"f" and number is not None:
            self._flush()
            self.group = replace(group, codepage=self.fonts.get(number, self.codepage))
        elif word == b"plain":
            self._flush()
            self.group = replace(group, codepage=self.codepage)
        elif word in _WORDS:
            self._put(_WORDS[word])

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.group = replace(self.group, star=True)
        elif symbol in _SYMBOLS:
            self._put(_SYMBOLS[symbol])

    # ---- letters

    def _hex(self, digits: bytes) -> None:
        if self.skip:
            self.skip -= 1
        elif self._shown():
            self.octets += bytes.fromhex(digits.decode("ascii"))

    def _text(self, text: bytes) -> None:
        dropped = min(self.skip, len(text))
        self.skip -= dropped
        if self._shown():
            self.octets += text[dropped:]

    def _shown(self) -> bool:
        return self.group.shown and not self.group.muted

    def _put(self, letters: str) -> None:
        self._flush()
        if self._shown():
            self.out.append(letters)

    def _flush(self) -> None:
        if self.octets:
            letters = bytes(self.octets).decode(codec(self.group.codepage), "replace")
            self.octets.clear()
            if self.html and not self.group.tag:
                letters = letters.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
            self.out.append(letters)


_KINDS: Final[Mapping[str, Callable[[_Reader, bytes], None]]] = {
    "hex": _Reader._hex,
    "symbol": _Reader._symbol,
    "brace": _Reader._brace,
    "line": lambda reader, line: None,
    "text": _Reader._text,
}
