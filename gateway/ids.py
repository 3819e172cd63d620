"""Ids of what we write: the same for every try of one message, never the same for two messages."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from gateway.outcomes.ledger import Claim

ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O 1 I L U: references are read out on the telephone


def object_id(claim: Claim, labels: Iterable[str], purpose: str) -> str:
    """32 hex digits from message, generation, recipients and purpose ("ASK", "OUTCOME" ...)."""
    parts = (claim.key, claim.digest, str(claim.generation), repr(claim.born), *sorted(labels), purpose)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def note_id(key: str, digest: str) -> str:
    """32 hex digits for what is told of a message that left no claim: the same for every try of it."""
    return hashlib.sha256("\0".join((key, digest, "NOTE")).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def reference(identity: str) -> str:
    """The short reference of an object for people: "H7Q2-93KD"."""
    number = int(identity, 16)
    letters = []
    for _ in range(8):
        number, digit = divmod(number, len(ALPHABET))
        letters.append(ALPHABET[digit])
    return "".join(letters[:4]) + "-" + "".join(letters[4:])
