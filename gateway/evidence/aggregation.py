"""Several emails with pictures of one patient to one recipient outside: pieced together they may tell who it is (S3-29, S4-3).

A mail counts when it brings a picture that this recipient did not have; a retry, a duplicate or a reply that shows the same
pictures again adds nothing.  One message to two people counts once for each of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from policies.counsel import AGGREGATE, AGGREGATE_UNKNOWN
from policies.files.sidesettings import Aggregation
from policies.model import RecipientClass

_DAY: Final = 86400.0
_INSIDE: Final = (RecipientClass.OWN, RecipientClass.ARCHIVE, RecipientClass.DENIED)

# (patient identifiers, recipient, since) -> (SHA-256 of a picture, message that brought it first) of each; None = unknown
Gone = Callable[[Sequence[str], str, float], Sequence[tuple[str, str]] | None]


# (likeness, recipient, since) -> (SHA-256, message that brought it, the very picture) of each that looks nearly the same
Alike = Callable[[bytes, str, float], Sequence[tuple[str, str, bool]] | None]


def resembling(
    alike: Alike, terms: Aggregation, likenesses: Sequence[bytes], recipient: str, cls: RecipientClass, now: float
) -> frozenset[str]:
    """The same for a mail that names no patient: by pictures that look nearly like those that went before.

    ``likenesses`` are those of its clinical pictures.  A picture that the recipient has already adds nothing.
    """
    if cls in _INSIDE:
        return frozenset()
    mails: set[str] = set()
    for likeness in likenesses:
        before = alike(likeness, recipient, now - terms.days * _DAY) or ()
        if not any(same for _, _, same in before):
            mails |= {message for _, message, _ in before}
    return frozenset({AGGREGATE}) if len(mails) + 1 >= terms.mails else frozenset()


def aggregated(
    gone: Gone, terms: Aggregation, numbers: Sequence[str], images: Sequence[str], recipient: str, cls: RecipientClass, now: float
) -> frozenset[str]:
    """The codes for one recipient of a mail that names the patients ``numbers`` and has the clinical pictures ``images``."""
    if not numbers or not images or cls in _INSIDE:
        return frozenset()
    before = gone(numbers, recipient, now - terms.days * _DAY)
    if before is None:
        return frozenset({AGGREGATE_UNKNOWN})
    if {image for image, _ in before}.issuperset(images):
        return frozenset()
    mails = len({message for _, message in before}) + 1
    return frozenset({AGGREGATE}) if mails >= terms.mails else frozenset()
