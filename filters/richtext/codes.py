"""What is found in rich text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PROPERTIES, AUTHORS, REVISIONS, DATA = "rtf.properties", "rtf.authors", "rtf.revisions", "rtf.data"
UNKNOWN, TRAILER = "rtf.unknown-object", "rtf.trailer"
CODES: Final[Mapping[str, str]] = {
    PROPERTIES: "Title, author, program or template stand in a rich text document.",
    AUTHORS: "Names on comments or tracked changes stand in a rich text document.",
    REVISIONS: "Revision identifiers stand in a rich text document.",
    DATA: "A program's own data stand in a rich text document.",
    UNKNOWN: "An embedded object of a rich text document cannot be opened.",
    TRAILER: "Bytes behind the end of a rich text document.",
}
