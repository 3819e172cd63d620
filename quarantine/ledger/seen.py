"""What the gateway asks of pictures that went before, by what they show; answers come from rows of the snapshot.

Three questions of different strictness.  *The same picture again* lets a mail go without a question, so it is the strictest.
*Alike* and *spoken of* can only hold a mail.  Measured: docs/matching.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from quarantine.ledger import matching
from quarantine.ledger.fingerprint import Fingerprint, NotAFingerprint, apart, read
from quarantine.ledger.fingerprintkey import FingerprintKey, OtherKey

NEWEST: Final = 2000  # pictures of one recipient that are compared: 30 ms when they are read, 4 ms then
_CLOSEST: Final = 20  # pictures spoken of that are laid over the one at hand
_SURE: Final = (matching.How.PICTURE, matching.How.VERY_LIKELY)


@dataclass(frozen=True, slots=True)
class Gone:
    """One picture that went to a recipient: ``message`` brought it at ``at``; its consent covers it until ``covered_until``."""

    image: str
    message: str
    at: float
    covered_until: float
    shape: Fingerprint = field(repr=False)


def gone(key: FingerprintKey, rows: Iterable[Sequence[Any]]) -> Iterator[Gone]:
    """Rows of the snapshot's table ``pictures``; what is kept under another key is left out."""
    for image, message, at, covered_until, shape in rows:
        found = opened(key, str(image), bytes(shape))
        if found is not None:
            yield Gone(str(image), str(message), float(at), float(covered_until), found)


def opened(key: FingerprintKey, image: str, kept: bytes) -> Fingerprint | None:
    """None for what cannot be read."""
    try:
        return read(key.open(image, kept))
    except (OtherKey, NotAFingerprint):
        return None


def again(picture: Fingerprint, before: Iterable[Gone], now: float) -> bool:
    """Is it one of these saved anew or made smaller, and nothing else, under consent that is still live?"""
    return any(one.covered_until > now and apart(picture, one.shape) <= matching.RESAVED for one in before)


def alike(picture: Fingerprint, before: Iterable[Gone], since: float) -> list[tuple[str, str, bool]]:
    """(picture, message that brought it, the very picture) of those after ``since`` that look nearly the same as a whole."""
    far = ((one, apart(picture, one.shape)) for one in before if one.at > since)
    return [(one.image, one.message, away <= matching.RESAVED) for one, away in far if away <= matching.NEAR]


def spoken_of(picture: Fingerprint, marked: Sequence[tuple[str, Fingerprint]]) -> list[str]:
    """Those of ``marked`` that are very likely this picture, a part of it, or were taken at the same moment."""
    ranks = matching.ranks([picture], [one for _, one in marked])
    closest = sorted(zip(ranks, marked, strict=True), key=lambda pair: -pair[0])[:_CLOSEST]
    judged = ((image, matching.judged([picture], one)) for _, (image, one) in closest)
    return [image for image, (how, _, whole) in judged if how in _SURE or whole <= matching.NEAR]
