"""A clinical image's own header block under neutral names (domain S4-10): no field of it repeats what the file was called.

Outlook writes the file name into Content-Description too, Apple's and web programs into parameters and fields of their own, and
Content-Disposition tells when the picture was made.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from gateway.mime.params import joined, structured
from gateway.mime.part import Edit, Field, Message, Part
from gateway.mime.words import decode_words

_NAMES: Final = {"content-type": "name", "content-disposition": "filename"}
# Parameters that say nothing of the file's past; all others of a renamed image go: names, dates, size, private ones.
_KEPT: Final = frozenset({"charset", "format", "delsp", "type", "x-unix-mode", "x-mac-type", "x-mac-creator"})
_STRUCTURE: Final = frozenset({b"content-type", b"content-disposition", b"content-transfer-encoding", b"content-id"})
_SHORTEST: Final = 4  # characters of an old name that are sought elsewhere
_FILE_NAME = re.compile(rb"^x-.*(?:file|original|image|attachment)-?_?name")
_UNQUOTED = re.compile(rb"[A-Za-z0-9!#$&+.^_`{|}~-]+")


def replace_name(message: Message, part: Part, name: str) -> list[Edit]:
    """Edits that make ``name`` (ASCII) the image's only one: table ``HEADER_EDITS``, rows for ``image``.

    A field that names nothing is left alone, byte for byte.
    """
    value = _quoted(name)
    old = _old_names(message, part)
    edits: list[Edit] = []
    mine = (b"content-",) if _is_message(part) else (b"content-", b"x-")
    for one in part.headers:
        if one.key in (b"content-type", b"content-disposition"):
            edits += _rename(message, one, value)
        elif one.key == b"content-description":
            edits.append(Edit(*one.value_span, b" " + value))
        elif one.key.startswith(mine) and one.key not in _STRUCTURE and _tells(message, one, old):
            edits.append(Edit(*one.span, b""))
    return edits


def _tells(message: Message, one: Field, old: frozenset[str]) -> bool:
    return _FILE_NAME.search(one.key) is not None or any(word in message.text(one).lower() for word in old)


def _is_message(part: Part) -> bool:
    """The image is a message's whole body: of its header only the Content-* fields are the image's own."""
    return any(one.key in (b"from", b"subject", b"date", b"message-id") for one in part.headers)


def _old_names(message: Message, part: Part) -> frozenset[str]:
    """What the file is called in any form, without its ending, lower case."""
    given = {text for field_name in _NAMES for one in message.fields(field_name, part) for text in _texts(message, one)}
    stems = {name.lower().replace("\\", "/").rpartition("/")[2].rpartition(".")[0] or name.lower() for name in given}
    return frozenset(stem for stem in stems if len(stem) >= _SHORTEST)


def _texts(message: Message, one: Field) -> Iterator[str]:
    params = joined(structured(message.value(one)).params)
    for key, text in params.values.items():
        if key not in _KEPT and key != "boundary":
            yield decode_words(text)


def _quoted(name: str) -> bytes:
    flat = name.encode("ascii", "replace").replace(b"?", b"_")
    flat = re.sub(rb'[\x00-\x1f\x7f"\\/]', b"_", flat)[:200] or b"file"
    return flat if _UNQUOTED.fullmatch(flat) else b'"' + flat + b'"'


def _rename(message: Message, one: Field, value: bytes) -> list[Edit]:
    """The field anew: its first word, the neutral name where it had one, the parameters that stay."""
    told = structured(message.value(one))
    going = [param for param in told.params if param.key.partition("*")[0] not in _KEPT]
    if not going and not told.comment:
        return []
    words = [b" " + told.word]
    words += [
        message.raw[one.value_span[0] + param.span[0] : one.value_span[0] + param.span[1]].rstrip()
        for param in told.params
        if param not in going and param.clean and not told.comment
    ]
    if any(param.key.partition("*")[0] in ("name", "filename") for param in going):
        words.append(b" " + _NAMES[one.key.decode()].encode() + b"=" + value)
    return [Edit(*one.value_span, b";".join(words))]
