"""The lists of names beside the register: freemail, denied destinations, public endings.  Text in, text out.

Each file has two parts: names kept by hand, then, below a marker, names taken from a published list, with its source and date.
``renewed`` puts another published list below the marker and leaves the part above as it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from datetime import date
from functools import lru_cache
from hashlib import sha256
from typing import Final

from policies.register import a_label, plain_local, public_suffix, split_address

MARKER: Final = "# ---- below: taken from a published list by `clinigate lists update`; write your own names above ----"
ENDINGS: Final = "suffixes.txt"
# Under these nobody but an authority, a school or a health service has a name: a list of consumer mail that has one is wrong.
_PUBLIC_BODIES: Final = re.compile(r"(^|\.)(gov|gob|gouv|govt|mil|edu|ac|nhs|police|health)(\.[a-z]{2,3})?$")


class ListError(ValueError):
    """The file is no list that can be used; the text says why."""


def list_name(word: str, endings: bool) -> str | None:
    """A line as the register compares it: A-label domain or address; of endings also ``*.ck`` and ``!www.ck``."""
    mark = re.match(r"(\*\.|!)?", word)[0] if endings else ""  # type: ignore[index]  # an optional group always matches
    local, domain = split_address(word[len(mark) :])
    label = a_label(domain)
    if label is None or (endings and local):
        return None
    return f"{plain_local(local)}@{label}" if local else mark + label


@lru_cache(maxsize=16)  # the lists are long and change twice a year
def read_list(text: bytes, file: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """The names of one file of ours, one a line (# begins a comment), and what is wrong with it as printable lines."""
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return frozenset(), (f"{file}:1: not UTF-8 text",)
    found, problems = set(), []
    for number, line in enumerate(lines, 1):
        word = line.partition("#")[0].strip().lower()
        if not word:
            continue
        name = list_name(word, file == ENDINGS)
        if name is None:
            problems.append(f'{file}:{number}: "{word[:60]}" is neither a domain nor an address')
        else:
            found.add(name)
    if not found and not problems:
        problems.append(f"{file}:1: the list is empty; copy it from the defaults")
    return frozenset(found), tuple(problems)


@lru_cache(maxsize=16)
def digest(names: frozenset[str]) -> str:
    """SHA-256 that names the content of a list."""
    return sha256("\n".join(sorted(names)).encode()).hexdigest()


def published(text: str, name: str) -> list[str]:
    """The names of a published list: the public suffix list, or domains as lines or as a JSON list.  Raises ListError."""
    words = _words(text)
    if not words:
        raise ListError("there is no name in it")
    found = {word: list_name(word.lower(), name == ENDINGS) for word in words}
    wrong = [word for word, known in found.items() if known is None]
    if len(wrong) * 100 > len(found):  # a few slips are in every published list; more, and it is another kind of file
        raise ListError(f'"{wrong[0][:60]}" is neither a domain nor an address')
    return sorted({known for known in found.values() if known is not None})


def published_lines(text: str, read: Callable[[list[str]], str | None]) -> list[str]:
    """The lines of a published list of places, words or devices, each as ``read`` makes of its words one of ours.

    Raises ListError: one line that is none is another kind of file, for these lists are short and read by people.
    """
    found: dict[str, None] = {}
    for number, line in enumerate(text.lstrip("\ufeff").splitlines(), 1):
        words = line.partition("#")[0].split()
        made = read(words) if words else ""
        if made is None:
            raise ListError(f'line {number}: "{" ".join(words)[:60]}" is not what this list is made of')
        if made:
            found[made] = None
    if not found:
        raise ListError("there is nothing in it")
    return sorted(found)


def _words(text: str) -> list[str]:
    if text.lstrip().startswith("["):
        try:
            told = json.loads(text)
        except ValueError:
            raise ListError("it begins like JSON and is none") from None
        if not all(isinstance(word, str) for word in told):
            raise ListError("it is a JSON list of something else than names")
        return [word.strip() for word in told if word.strip()]
    lines = (re.split(r"//|#", line, maxsplit=1)[0].split() for line in text.lstrip("\ufeff").splitlines())
    return [words[0] for words in lines if words]


def consumer(names: Iterable[str], suffixes: frozenset[str]) -> list[str]:
    """Of a published freemail list what may be believed: no public ending as a whole, and nobody under a public body's ending."""
    return [name for name in names if public_suffix(name, suffixes) != name and not _PUBLIC_BODIES.search(name)]


def renewed(text: str, names: Iterable[str], source: str, day: date) -> str:
    """``text`` with ``names`` below its marker; what stands above it is not repeated."""
    above = text.partition(MARKER)[0].rstrip("\n")
    own = {" ".join(line.partition("#")[0].lower().split()) for line in above.splitlines()}
    below = [name for name in names if " ".join(name.split()) not in own]
    return "\n".join([above, "", MARKER, f"# source: {source}", f"# taken: {day.isoformat()}, {len(below)} names", *below, ""])
