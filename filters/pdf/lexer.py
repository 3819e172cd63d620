"""PDF's own syntax (ISO 32000-2, 7.2 and 7.3), for the dictionaries of inline pictures and of objects outside the table."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, NamedTuple

from filters.api import Malformed

WHITE: Final = rb"\0\t\n\f\r "
_PLAIN: Final = rb"[^\0\t\n\f\r ()<>\[\]{}/%]"
_SKIP = re.compile(rb"[" + WHITE + rb"]*+(?:%[^\r\n]*+[" + WHITE + rb"]*+)*+")
_TOKEN = re.compile(rb"<<|>>|[\[\]{}(]|/" + _PLAIN + rb"*+|<[0-9A-Fa-f" + WHITE + rb"]*+>|" + _PLAIN + rb"++")
_ESCAPE = re.compile(rb"#([0-9A-Fa-f]{2})")
_INTEGER = re.compile(rb"[+-]?[0-9]{1,18}")
_NUMBER = re.compile(rb"[+-]?(?:[0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})")
_STRING = re.compile(rb"[()\\]")
_DEPTH: Final = 32
_MOST: Final = 20_000  # values of one dictionary


class Name(NamedTuple):
    """/Name, with its #-escapes undone."""

    text: str


class Ref(NamedTuple):
    """A reference, as in ``12 0 R``."""

    number: int
    generation: int


class Word(NamedTuple):
    """A bare word: true, null, ID, an operator."""

    text: bytes


Value = Name | Ref | Word | int | float | bytes | list["Value"] | dict[str, "Value"]


@dataclass(slots=True)
class _Open:
    """An array or dictionary whose end has not come yet."""

    closing: bytes
    items: list[Value]


class Lexer:
    """Values one after the other from ``at`` on; ``at`` then stands behind the last one."""

    def __init__(self, data: bytes, at: int = 0) -> None:
        self.data, self.at = data, at

    def value(self) -> Value:
        """The next value; references are put together inside arrays and dictionaries only.  Raises Malformed."""
        stack: list[_Open] = []
        for _ in range(_MOST):
            token = self._token()
            if token in (b"<<", b"["):
                if len(stack) >= _DEPTH:
                    raise Malformed("values too deep")
                stack.append(_Open(b">>" if token == b"<<" else b"]", []))
                continue
            value = _closed(stack.pop()) if stack and token == stack[-1].closing else self._simple(token)
            if not stack:
                return value
            _push(stack[-1].items, value)
        raise Malformed("too many values")

    def _token(self) -> bytes:
        skipped = _SKIP.match(self.data, self.at)
        start = skipped.end() if skipped else self.at
        found = _TOKEN.match(self.data, start)
        if found is None:
            raise Malformed("no value")
        self.at = found.end()
        return found[0]

    def _simple(self, token: bytes) -> Value:
        if token[:1] == b"/":
            return Name(name_text(token[1:]))
        if token == b"(":
            return self._string()
        if token[:1] == b"<" and token != b"<<":
            digits = bytes(char for char in token[1:-1] if char not in WHITE)
            return bytes.fromhex((digits + b"0" * (len(digits) % 2)).decode("ascii"))
        if _INTEGER.fullmatch(token):
            return int(token)
        if _NUMBER.fullmatch(token):
            return float(token)
        return Word(token)

    def _string(self) -> bytes:
        """A string in parentheses; its escapes are left as they are."""
        start, depth = self.at, 1
        while depth:
            found = _STRING.search(self.data, self.at)
            if found is None:
                raise Malformed("string without end")
            self.at = found.end()
            if found[0] == b"\\":
                self.at += 1
            else:
                depth += 1 if found[0] == b"(" else -1
        return self.data[start : self.at - 1]


def _push(items: list[Value], value: Value) -> None:
    if value == Word(b"R") and len(items) >= 2:
        number, generation = items[-2:]
        if isinstance(number, int) and isinstance(generation, int):
            items[-2:] = [Ref(number, generation)]
            return
    items.append(value)


def _closed(opened: _Open) -> Value:
    if opened.closing == b"]":
        return opened.items
    made: dict[str, Value] = {}
    for key, value in zip(opened.items[::2], opened.items[1::2], strict=False):
        if isinstance(key, Name):
            made.setdefault(key.text, value)
    return made


def name_text(raw: bytes) -> str:
    """The characters of a name."""
    return _ESCAPE.sub(lambda found: bytes((int(found[1], 16),)), raw).decode("latin-1")


def dictionary(data: bytes, at: int) -> Mapping[str, Value]:
    """The dictionary that begins at ``at``.  Raises Malformed."""
    value = Lexer(data, at).value()
    if not isinstance(value, dict):
        raise Malformed("no dictionary")
    return value


def names(value: Value | None) -> tuple[str, ...]:
    """One name or an array of names, as /Filter has them."""
    if isinstance(value, Name):
        return (value.text,)
    return tuple(one.text for one in value if isinstance(one, Name)) if isinstance(value, list) else ()


def integer(value: Value | None, otherwise: int = 0) -> int:
    """A number that should be whole."""
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else otherwise
