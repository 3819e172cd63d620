"""Clean one file, whatever it is called: sniff, then scrub."""

from __future__ import annotations

from filters.api import Encrypted, FilterError, OpaqueReason, Scrubbed, TooBig, Unsupported
from filters.registry import SCRUBBERS
from filters.sniff import sniff


class Unknown(FilterError):
    """No format that we know."""

    reason = OpaqueReason.UNKNOWN


_ERRORS: dict[OpaqueReason, type[FilterError]] = {
    OpaqueReason.ENCRYPTED: Encrypted,
    OpaqueReason.UNKNOWN: Unknown,
    OpaqueReason.LIMIT: TooBig,
}


def clean(data: bytes) -> Scrubbed:
    """The file without metadata; the very same bytes object when there was none.

    Raises a FilterError for whatever cannot be cleaned: its text is the format's name, ``reason`` says why.  Formats that hold
    no picture (text, sound) are ``Unsupported`` too: nobody has cleaned them.
    """
    found = sniff(data)
    if found.format in SCRUBBERS:
        return SCRUBBERS[found.format].scrub(data)
    raise _ERRORS.get(found.opaque or OpaqueReason.NOT_SUPPORTED, Unsupported)(found.format or "unknown format")
