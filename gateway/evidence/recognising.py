"""What is recorded so that a picture can be found again by itself: encrypted fingerprints, and how many there are.

They go into the sealed outcome and from there into the records; the journal has the numbers only.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from quarantine.keyedhash import KeyedHash
from quarantine.ledger.fingerprintkey import FingerprintKey

if TYPE_CHECKING:
    from gateway.facts import Opened

FINGERPRINTS = "fingerprints"


def recognised(hashes: KeyedHash, opened: Opened) -> dict[str, Any]:
    """``fingerprints``: SHA-256 as received -> encrypted fingerprint; ``recognised``: pictures with one, and without."""
    pictures = {picture.node.sha256: picture.node.likeness for picture in opened.recorded if picture.node.clinical}
    if not pictures:
        return {}
    key = FingerprintKey(hashes)
    made = {sha256: key.to_text(sha256, likeness) for sha256, likeness in sorted(pictures.items()) if likeness}
    return {FINGERPRINTS: made, "recognised": {"made": len(made), "none": len(pictures) - len(made)}}


def journalled(record: Mapping[str, Any]) -> dict[str, Any]:
    """What the journal keeps of a record."""
    return {name: value for name, value in record.items() if name != FINGERPRINTS}
