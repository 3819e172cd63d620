"""Domains as rules name them: one exact domain, or ``*.trust.example`` for that domain and everything below it.

Both sides are compared in lower-case A-label form (RFC 5890).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from policies.register import a_label, parents

BELOW: Final = "*."


def pattern(word: str) -> str | None:
    """The normal form of what a rule names, ``*.`` kept; None if it is no domain name."""
    word = word.strip()
    below = word.startswith(BELOW)
    label = a_label(word[len(BELOW) :] if below else word)
    if label is None or "." not in label:
        return None
    return BELOW + label if below else label


def patterns(value: object) -> frozenset[str]:
    """Those of a condition: one word or a list; words that are none (the loading of a policy refuses them) are left out."""
    items: Iterable[object] = value if isinstance(value, list | tuple | set | frozenset) else (value,)
    found = (pattern(item) for item in items if isinstance(item, str))
    return frozenset(one for one in found if one is not None)


@lru_cache(maxsize=4096)  # called for every picture; mail goes to few domains
def naming(domain: str) -> frozenset[str]:
    """Every pattern that names ``domain``: itself, and ``*.`` before itself and each domain above it; none if it is no domain."""
    label = a_label(domain)
    if label is None:
        return frozenset()
    return frozenset({label, BELOW + label, *(BELOW + above for above in parents(label))})


def overlap(some: Iterable[str], others: Iterable[str]) -> bool:
    """True if one domain can be named by both."""
    second = [*others]
    return any(b in naming(a.removeprefix(BELOW)) or a in naming(b.removeprefix(BELOW)) for a in some for b in second)
