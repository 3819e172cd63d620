"""What the archive readers report, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    "zip.comment": "A comment of the archive or of one of its files.",
    "zip.extra-field": "Extra fields beside the files' names: times, user numbers, padding, private data.",
    "zip.gap": "Bytes between the files that no directory names.",
    "zip.prefix": "Bytes before the archive.",
    "zip.signed": "The archive is signed; any change breaks the signature.",
    "zip.time": "The times at which the files were last changed.",
    "zip.trailer": "Bytes behind the archive.",
}
