"""A long YAML list cut into the texts of its entries, so that entries that have not changed need not be read again.

``cut`` only proposes where entries begin; ``read`` holds each proposal against what the YAML reader itself says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from policies.domains.plainentry import PlainReader
from policies.files.yamlmap import YamlError, parse

_BATCH: Final = 250  # entries read at once: large trees of nodes cost more than they save
_TOGETHER: Final = re.compile(r"[&*!]")  # what could reach from one entry into another is read alone


class Cut(NamedTuple):
    """``before`` + ``blocks`` + ``after`` is the text; each block is one entry with the lines that follow it."""

    before: str
    blocks: list[str]
    after: str


def cut(text: str, key: str) -> Cut | None:
    """The entries of the list under the top-level ``key``; None where it is not written one entry a dash."""
    heads = list(re.finditer(rf"^{key}:[ \t]*(?:#[^\n]*)?\n", text, re.M))
    if len(heads) != 1 or "\r" in text:
        return None
    start = heads[0].end()
    first = re.compile(r"(?:[ ]*(?:#[^\n]*)?\n)*(?P<indent> *)- ").match(text, start)
    if first is None:
        return None
    begin = first.start("indent")
    over = re.compile(r"^[^\s#-]", re.M).search(text, begin)
    end = over.start() if over else len(text)
    dash = f"{first['indent']}- "
    pieces = text[begin:end].split(f"\n{dash}")
    blocks = [pieces[0] + "\n", *(f"{dash}{piece}\n" for piece in pieces[1:])]
    blocks[-1] = blocks[-1][:-1]
    return Cut(text[:begin], blocks, text[end:])


def read(blocks: Sequence[str], file: str) -> list[Any] | None:
    """The value of each block, or None where the YAML reader sees other entries than ``cut`` did."""
    plain = PlainReader()
    found: list[Any] = [plain.read(block) for block in blocks]
    places = iter([at for at, value in enumerate(found) if value is None])
    for batch in _batches([block for block, value in zip(blocks, found, strict=True) if value is None]):
        values = _entries(batch, file)
        if values is None:
            return None
        for value in values:
            found[next(places)] = value
    return found


def _batches(blocks: Iterable[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    for block in blocks:
        if _TOGETHER.search(block):
            if batch:
                yield batch
            yield [block]
            batch = []
            continue
        batch.append(block)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _entries(batch: list[str], file: str) -> list[Any] | None:
    try:
        data, lines = parse("".join(batch).encode(), file)
    except YamlError:
        return None
    if not isinstance(data, list) or len(data) != len(batch):
        return None
    line = 1
    for at, block in enumerate(batch):
        if lines.get((at,)) != line:
            return None
        line += block.count("\n")
    return data
