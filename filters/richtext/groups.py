"""Rich text by offset: groups, control words and the text between them, in one walk without recursion."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from dataclasses import dataclass, field
from typing import Final

from filters.api import Budget, Malformed

_TOKEN = re.compile(
    rb"(?P<open>\{)|(?P<close>\})|\\(?P<word>[a-zA-Z]{1,32})(?P<number>-?[0-9]{1,10})? ?|\\(?P<symbol>[^a-zA-Z])"
    rb"|(?P<text>[^\\{}]+)",
    re.S,
)
_DEEPEST: Final = 1000  # groups inside one another


@dataclass(slots=True)
class Group:
    """One group.  ``destination``: its first control word, b"*" before it removed; ``texts``: spans of its own text."""

    start: int
    end: int = 0
    destination: bytes = b""
    words: dict[bytes, int | None] = field(default_factory=dict)
    texts: list[tuple[int, int]] = field(default_factory=list)
    binaries: list[tuple[int, int, int]] = field(default_factory=list)  # where \\bin begins, its data begin, they end
    parent: Group | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A control word outside any closed group so far, with its span."""

    word: bytes
    start: int
    end: int


def walk(data: bytes, budget: Budget) -> Iterator[Group | Word]:
    """Every group when it closes, every control word when it comes.  Raises Malformed, TooBig."""
    stack: list[Group] = []
    at, count = 0, 0
    while at < len(data):
        count += 1
        if count % 4096 == 0:
            budget.tick()
        match = _TOKEN.match(data, at)
        if match is None:
            raise Malformed("rich text")
        at = match.end()
        kind = match.lastgroup
        if kind == "open":
            if len(stack) >= _DEEPEST:
                raise Malformed("groups too deep")
            stack.append(Group(match.start(), parent=stack[-1] if stack else None))
        elif kind == "close":
            if not stack:
                return  # what stands behind the document is nobody's text; the caller looks at it
            group = stack.pop()
            group.end = at
            yield group
            if not stack:
                return
        elif stack:
            at = yield from _content(data, match, stack[-1], at)
        elif kind != "text" or match[0].strip():
            raise Malformed("text outside the document")
    raise Malformed("group without end")


def _content(data: bytes, match: re.Match[bytes], group: Group, at: int) -> Generator[Word, None, int]:
    """Words, symbols and text of the innermost group; returns where to go on."""
    word = match["word"]
    if word == b"bin":
        end = at + max(0, int(match["number"] or 0))
        if end > len(data):
            raise Malformed("binary data")
        group.binaries.append((match.start(), at, end))
        return end
    if word is not None:
        if not group.destination:
            group.destination = word
        if len(group.words) < 500:
            group.words[word] = int(match["number"]) if match["number"] else None
        yield Word(word, match.start(), match.end())
    elif match["text"] is not None:
        if not group.destination:
            group.destination = b" "
        group.texts.append(match.span())
    return at
