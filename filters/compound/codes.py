"""What the readers of this folder report, one sentence each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

CODES: Final[Mapping[str, str]] = {
    "ole.properties": "Title, author and other properties stand in an old Office file or Outlook message.",
    "ole.hidden-image": "A picture stands in an old Office file at a place that is not opened here.",
    "tnef.checksum": "A checksum in the winmail.dat is wrong: programs differ in what they show of it.",
    "tnef.trailer": "Bytes behind the last attribute of the winmail.dat.",
    "tnef.two-readings": "An attachment of the winmail.dat stands there twice with different content.",
}
