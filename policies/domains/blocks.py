"""A long YAML list cut into the texts of its entries, so that entries that have not changed need not be read again.

``cut`` only proposes where entries begin; ``read`` holds each proposal against what the YAML reader itself says.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from policies.domains.plainentry import PlainReader
from policies.files.yamlmap import YamlError, parse

_BATCH: Final = 250  # entries read at once: large trees of nodes cost more than they save
_TOGETHER: Final = re.compile(r"[&*!]")  # what could reach from one entry into another is read alone
_HEAD: Final = re.compile(r":[ \t]*(?:#[^\n]*)?\n")
_FIRST: Final = re.compile(r"(?:[ ]*(?:#[^\n]*)?\n)*(?P<indent> *)- ")
_OVER: Final = re.compile(r"\n[^\s#-]")  # the list is over: begins with a line end, which is found many times as fast as ^


class Cut(NamedTuple):
    """``before`` + ``blocks`` + ``after`` is the text; each block is one entry with the lines that follow it."""

    before: str
    blocks: list[str]
    after: str


def cut(text: str, key: str) -> Cut | None:
    """The entries of the list under the top-level ``key``; None where it is not written one entry a dash."""
    heads = [head for at in _places(text, f"{key}:") if (head := _HEAD.match(text, at + len(key)))]
    if len(heads) != 1 or "\r" in text:
        return None
    start = heads[0].end()
    first = _FIRST.match(text, start)
    if first is None:
        return None
    begin = first.start("indent")
    over = _OVER.search(text, begin)
    end = over.start() + 1 if over else len(text)
    dash = f"{first['indent']}- "
    pieces = text[begin:end].split(f"\n{dash}")
    blocks = [pieces[0] + "\n", *(f"{dash}{piece}\n" for piece in pieces[1:])]
    blocks[-1] = blocks[-1][:-1]
    return Cut(text[:begin], blocks, text[end:])


def _places(text: str, start: str) -> Iterator[int]:
    """Where a line begins with ``start``."""
    if text.startswith(start):
        yield 0
    at = text.find(f"\n{start}")
    while at >= 0:
        yield at + 1
        at = text.find(f"\n{start}", at + 1)


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
