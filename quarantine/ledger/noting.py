"""Fingerprints of an outcome's pictures become rows.  What cannot be read is left out: the disclosure stands all the same."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import structlog

from quarantine.keyedhash import KeyedHash
from quarantine.ledger.fingerprint import NotAFingerprint, shape
from quarantine.ledger.fingerprintkey import FingerprintKey, OtherKey
from quarantine.records.fingerprints import FingerprintRecords

log = structlog.get_logger()


def note_fingerprints(records: FingerprintRecords, hashes: KeyedHash, meta: Mapping[str, Any], at: float) -> int:
    """Keep what ``meta`` of an OUTCOME says under ``fingerprints``; how many were left out."""
    told = meta.get("fingerprints")
    if not isinstance(told, Mapping) or not told:
        return 0
    key, missed = FingerprintKey(hashes), 0
    for image, text in told.items():
        try:
            data = key.from_text(str(image), str(text))
            records.add_fingerprint(str(image), key.id, key.close(str(image), shape(data)), key.close(str(image), data), at)
        except (OtherKey, NotAFingerprint):
            missed += 1
    if missed:
        log.warning("fingerprints.left-out", count=missed)
    return missed
