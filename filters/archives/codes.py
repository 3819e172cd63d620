"""What the archive readers report, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    "apple-double.resources": "A resource fork of a Macintosh file that may hold a picture.",
    "archive.hidden": "Bytes of a picture or document in an archive that belong to none of its files.",
    "archive.system-file": "Notes that macOS keeps beside files: where they came from, how the folder looks.",
    "bzip2.trailer": "Bytes behind the compressed file.",
    "gzip.comment": "A comment in the header.",
    "gzip.extra-field": "An extra field in the header.",
    "gzip.name": "The name that the file had before it was compressed.",
    "gzip.time": "The time at which the file was last changed.",
    "gzip.trailer": "Bytes behind the compressed file.",
    "tar.device": "A device file or named pipe of a computer.",
    "tar.notes": "Notes about the files (pax headers): times, attributes, comments.",
    "tar.owner": "The name or number of the files' owner.",
    "tar.padding": "Bytes behind a file, in the rest of its last block.",
    "tar.time": "The times at which the files were last changed.",
    "tar.trailer": "Bytes behind the end of the archive.",
    "xz.trailer": "Bytes behind the compressed file.",
    "zip.comment": "A comment of the archive or of one of its files.",
    "zip.extra-field": "Extra fields beside the files' names: times, user numbers, padding, private data.",
    "zip.gap": "Bytes between the files that no directory names.",
    "zip.prefix": "Bytes before the archive.",
    "zip.signed": "The archive is signed; any change breaks the signature.",
    "zip.time": "The times at which the files were last changed.",
    "zip.trailer": "Bytes behind the archive.",
}
