"""Entries written in the simplest YAML, one ``key: value`` a line, read thirty times as fast as by the YAML reader.

Only what means the same whatever the reader: plain words, dates, numbers, and flat or nested [lists] and {tables} of them on one
line.  Anything else is left to the YAML reader; tests hold the two against each other.
"""

from __future__ import annotations

import re
from typing import Any, Final

from policies.files.yamlmap import YamlError, parse

_KEY: Final = re.compile(r"[a-z_]{1,30}")
_PLAIN: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._/@+()'-]*")
# A letter and a dot or a blank, and no YAML word or number looks like that: text, without asking the reader.
_TEXT: Final = re.compile(r"[A-Za-z][A-Za-z0-9@'()/-]*[. ][A-Za-z0-9 ._/@+()'-]*")
_PIECE: Final = re.compile(r"[{}\[\],]|[^{}\[\],]+")
_DEEPEST: Final = 4
_MOST_REMEMBERED: Final = 20_000


class Unusual(Exception):
    """The YAML reader must read this."""


class PlainReader:
    """Reads entries of one file.  What a word means is asked of the YAML reader once."""

    def __init__(self) -> None:
        self._scalars: dict[str, Any] = {}
        self._flows: dict[str, Any] = {}

    def read(self, block: str) -> dict[str, Any] | None:
        """The entry, or None where it is not written plainly.  ``block`` begins with its dash."""
        indent = block.find("- ")
        pad = " " * (indent + 2)
        found: dict[str, Any] = {}
        line = pad + block[indent + 2 :]
        try:
            for text in line.split("\n"):
                if not text or text.isspace() or text.lstrip(" ").startswith("#"):
                    continue
                name, colon, value = text[len(pad) :].partition(": ")
                if not colon or not text.startswith(pad) or name in found or not _KEY.fullmatch(name):
                    return None
                found[name] = self._value(value.strip(" "))
        except Unusual:
            return None
        return found

    def _value(self, text: str) -> Any:
        if text[:1] not in ("[", "{"):
            return self._scalar(text)
        if text in self._flows:
            return self._flows[text]
        pieces = _PIECE.findall(text)
        value, at = self._flow(pieces, 0, 1)
        if at != len(pieces):
            raise Unusual
        if len(self._flows) < _MOST_REMEMBERED:
            self._flows[text] = value
        return value

    def _scalar(self, text: str) -> Any:
        if text in self._scalars:
            return self._scalars[text]
        if _TEXT.fullmatch(text):
            return text
        if not _PLAIN.fullmatch(text):
            raise Unusual
        try:
            value, _ = parse(text.encode(), "")
        except YamlError:
            raise Unusual from None
        if len(self._scalars) < _MOST_REMEMBERED:
            self._scalars[text] = value
        return value

    def _flow(self, pieces: list[str], at: int, depth: int) -> tuple[Any, int]:
        """(value, place behind it) of the list or table that begins at ``at``."""
        if depth > _DEEPEST:
            raise Unusual
        close = "}" if pieces[at] == "{" else "]"
        made: dict[str, Any] = {}
        items: list[Any] = []
        at += 1
        while at < len(pieces):
            piece = pieces[at]
            if piece == close:
                return (made if close == "}" else items), at + 1
            name, value, at = self._item(pieces, at, close == "}", depth)
            if name in made:
                raise Unusual
            made[name] = value
            items.append(value)
            if close == "]":
                made.clear()
            if at < len(pieces) and pieces[at] == ",":
                at += 1
                if at < len(pieces) and not pieces[at].strip(" "):
                    raise Unusual
            elif at >= len(pieces) or pieces[at] != close:
                raise Unusual
        raise Unusual

    def _item(self, pieces: list[str], at: int, table: bool, depth: int) -> tuple[str, Any, int]:
        """(name, value, place behind it); the name is "" in a list."""
        piece, name = pieces[at], ""
        if piece in "{}[],":
            if table or piece not in "{[":
                raise Unusual
            value, at = self._flow(pieces, at, depth + 1)
            return name, value, at
        text = piece.strip(" ")
        if table:
            name, colon, text = text.partition(":")
            if not colon or not _KEY.fullmatch(name) or (text and text[0] != " "):
                raise Unusual
            text = text.strip(" ")
        if text:
            return name, self._scalar(text), at + 1
        if at + 1 >= len(pieces) or pieces[at + 1] not in "{[":
            raise Unusual
        value, at = self._flow(pieces, at + 1, depth + 1)
        return name, value, at
