"""HL7 version 2 messages: files in base64 in encapsulated data (ED, HL7 2.5 chapter 2A.23) are members, replaced in place."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from filters.api import STRICT, Budget, Cleaning, Seen
from filters.markup import datauri
from filters.markup.html import Place, findings, masked, members, replaced

_FILE = re.compile(rb"(?i)\^base64\^(?P<payload>[a-z0-9+/=]++)(?=[|^~&\r\n]|\Z)")


class Hl7:
    """The opener for messages with files in them."""

    name = "hl7-image"
    native = False
    rebuilds = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every file; what else stands hidden in the message is Blocked."""
        places = list(_places(data))
        yield from members(places, budget)
        yield from findings(masked(data, [place.hidden for place in places]))

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The same message with other files.  Raises Malformed for a key that is not there."""
        return replaced(data, _places(data), changes) if changes else data


def _places(data: bytes) -> Iterator[Place]:
    for match in _FILE.finditer(data) if b"\0" not in data else ():
        decoded = datauri.unfolded(match["payload"])
        if decoded:
            span = match.span("payload")
            yield Place(f"file@{span[0]}", *span, "", False, span, datauri.DataUri(span[0], *span, "", True, decoded))


HL7 = Hl7()
