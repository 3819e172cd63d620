"""Entries of the register that were read and found right before, by the text they were made of.

A register of a hundred thousand domains is read in the time of its changes: ``load_policy(files, known=old.register.known)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from policies.model import DomainEntry


class Compiled(NamedTuple):
    """One entry without a fault."""

    content: bytes  # SHA-256 of what it says, whatever the layout
    name: str
    single: bool  # an address, not a domain
    entry: DomainEntry


@dataclass(frozen=True, slots=True)
class Known:
    """SHA-256 of an entry's text -> the entry.  ``context`` names what it was checked against."""

    context: str
    entries: Mapping[bytes, Compiled]


def key(block: str) -> bytes:
    """What an entry's text is known by."""
    return sha256(block.encode()).digest()
