"""Entities of a drawing's internal document type: expanded within limits, so that the declaration can go (XML 1.0 4.1 to 4.6).

Old drawing programs write their namespaces as entities.  Parameter entities, default attributes and entities of other files,
which only some programs read, are ``Unsupported`` or ``Malformed``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from filters.api import Malformed, TooBig, Unsupported

_DECLARATION = re.compile(
    rb"<!--(?s:.)*?-->|<\?(?s:.)*?\?>|<!ENTITY\s+(?P<name>[^\s%\"'<>&]+)\s+(?:\"(?P<double>[^\"]*+)\"|'(?P<single>[^']*+)')\s*>"
    rb"|(?P<parameter><!ENTITY\s+%|%[^\s;%]+;)"
    rb"|<!ATTLIST\s+\S+\s+(?P<space>xmlns(?::\w+)?)\s+CDATA\s+(?:\#FIXED\s+)?[\"']http://www\.w3\.org/[^\"'>]*+[\"']\s*>"
    rb"|(?P<default><!ATTLIST[^>\"']*+[\"'])"
)
_USE = re.compile(rb"<!\[CDATA\[(?s:.)*?(?:\]\]>|\Z)|<!--(?s:.)*?(?:-->|\Z)|&(?P<name>[^\s;&#<>\"']{1,100});")
_CHARACTER = re.compile(rb"&#(?:x([0-9A-Fa-f]{1,6})|([0-9]{1,7}));")
_ROUNDS: Final = 4  # entities inside entities
_LARGEST: Final = 64 << 20  # bytes after expansion
_GROWTH: Final = 64  # times the size of the file; more is a bomb


def declared(subset: bytes, body: bytes) -> Mapping[bytes, bytes]:
    """Name -> replacement text.  The first declaration of a name counts.

    A namespace given by default is let pass where ``body`` declares it itself.  Raises Unsupported.
    """
    found: dict[bytes, bytes] = {}
    for match in _DECLARATION.finditer(subset):
        spaced = match["space"] and not re.search(rb"\s%s\s*=" % match["space"], body)
        if match["parameter"] or match["default"] or spaced:
            raise Unsupported("document type with parameters")
        if match["name"]:
            value = match["double"] if match["double"] is not None else match["single"]
            if b"%" in value and re.search(rb"%[^\s;%]+;", value):
                raise Unsupported("document type with parameters")
            found.setdefault(match["name"], _CHARACTER.sub(_character, value))
    return found


def expanded(text: bytes, entities: Mapping[bytes, bytes]) -> bytes:
    """``text`` with its entities written out.  Raises TooBig for bombs, Malformed for entities that never end."""
    for _ in range(_ROUNDS):
        used = [match["name"] for match in _USE.finditer(text) if match["name"] in entities]
        if not used:
            return text
        size = len(text) + sum(len(entities[name]) for name in used)
        if size > min(_LARGEST, _GROWTH * len(text) + 4096):
            raise TooBig("entities")
        text = _USE.sub(lambda match: entities.get(match["name"], match[0]) if match["name"] else match[0], text)
    raise Malformed("entities inside entities")


_BARE = re.compile(rb"&(?P<name>#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6}|amp|lt|gt|quot|apos);|&")


def resolved(value: bytes) -> bytes:
    """Text or an attribute's value as a program reads it.  Raises Malformed for a reference that nobody declared."""
    if b"&" not in value:
        return value
    return _BARE.sub(_reference, value)


_LETTERS: Final = {b"amp": b"&", b"lt": b"<", b"gt": b">", b"quot": b'"', b"apos": b"'"}


def _reference(match: re.Match[bytes]) -> bytes:
    name = match["name"]
    if name is None:
        raise Malformed("undeclared entity")
    if name in _LETTERS:
        return _LETTERS[name]
    return _point(int(name[2:], 16) if name[1:2] == b"x" else int(name[1:]))


def _character(match: re.Match[bytes]) -> bytes:
    """A character reference inside an entity's value; markup characters stay references, as they would be read again."""
    code = int(match[1], 16) if match[1] else int(match[2])
    return match[0] if code in b"&<" else _point(code)


def _point(code: int) -> bytes:
    if not (code in (9, 10, 13) or 0x20 <= code < 0xD800 or 0xE000 <= code < 0x110000):
        raise Malformed("reference to no character")
    return chr(code).encode("utf-8")
