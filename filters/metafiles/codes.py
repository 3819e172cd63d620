"""What is found in metafiles."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DESCRIPTION, COMMENT, TRAILER = "metafile.description", "metafile.comment", "metafile.trailer"
HIDDEN = "metafile.hidden-image"
CODES: Final[Mapping[str, str]] = {
    DESCRIPTION: "The program and the title of the drawing stand in a metafile.",
    COMMENT: "A program's own data stand in a metafile's comments.",
    TRAILER: "Bytes behind the end of a metafile.",
    HIDDEN: "A picture stands in a metafile at a place that is not opened here.",
}
