"""The list of places where people share files with anybody who has the link (S2-1, S3-1): text in, answers out.

A line is a host, perhaps with the start of a path, then the name under which it is counted: ``icloud.com/photos  icloud``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

from policies.register import a_label

_KEY: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")
_MOST: Final = 20_000  # lines; a published list of such services has hundreds


@dataclass(frozen=True, slots=True)
class Shares:
    """Host -> (start of the path, name) of each line about it; ``endings``: the top-level domains of all of them."""

    hosts: Mapping[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    endings: frozenset[str] = frozenset()

    def lists(self, host: str) -> bool:
        """True if anything is listed about this host or a domain above it."""
        labels = host.split(".")
        return any(".".join(labels[at:]) in self.hosts for at in range(max(0, len(labels) - 6), len(labels) - 1))

    def name(self, host: str, path: str, allowed: Iterable[str] = ()) -> str | None:
        """The name of the service that a link leads to; None for every other place, and below an ``allowed`` host or path."""
        for one in allowed:
            own, _, start = one.partition("/")
            if (host == own or host.endswith(f".{own}")) and _begins(path, start and f"/{start}"):
                return None
        labels = host.split(".")
        for at in range(max(0, len(labels) - 6), len(labels) - 1):
            for start, name in self.hosts.get(".".join(labels[at:]), ()):
                if _begins(path, start):
                    return name
        return None


def _begins(path: str, start: str) -> bool:
    """``/p`` begins ``/p/abc`` and ``/p``, not ``/page``."""
    return not start or (path.lower().startswith(start) and path[len(start) : len(start) + 1] in ("", "/", "?", "#"))


@lru_cache(maxsize=8)
def read_shares(text: bytes, file: str) -> tuple[Shares, tuple[str, ...]]:
    """The list, and what is wrong with it as printable lines.  # begins a comment."""
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return Shares(), (f"{file}:1: not UTF-8 text",)
    hosts: dict[str, list[tuple[str, str]]] = {}
    problems = [f"{file}:{_MOST + 1}: more than {_MOST} lines"] if len(lines) > _MOST else []
    for number, line in enumerate(lines[:_MOST], 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        found = share(words)
        if found is None:
            shown = " ".join(words)[:60]
            problems.append(f'{file}:{number}: "{shown}" is not a host, then a name, like "photos.example.com  example-photos"')
            continue
        host, start, name = found
        hosts.setdefault(host, []).append((start, name))
    endings = frozenset(host.rpartition(".")[2] for host in hosts)
    return Shares({host: tuple(starts) for host, starts in hosts.items()}, endings), tuple(problems)


def share(words: list[str]) -> tuple[str, str, str] | None:
    """(host, start of the path, name) of one line's words; without a name the host's own word is it.  None: no such line."""
    host, slash, start = words[0].lower().removeprefix("https://").removeprefix("http://").partition("/")
    label = a_label(host.removeprefix("*.").removeprefix("www."))
    if label is None or "." not in label or len(words) > 2:
        return None
    name = words[1].lower() if len(words) == 2 else label.split(".")[-2]
    if _KEY.fullmatch(name) is None:
        return None
    return label, f"/{start.rstrip('/')}" if slash and start.rstrip("/") else "", name


def shares_line(words: list[str]) -> str | None:
    """One line of a published list as it stands in ours."""
    found = share(words)
    return None if found is None else f"{found[0]}{found[1]}  {found[2]}"
