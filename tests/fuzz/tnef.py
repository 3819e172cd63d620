"""winmail.dat: attributes, properties, compressed and plain rich text."""

from __future__ import annotations

import contextlib

from filters.api import Budget, FilterError, Member
from filters.compound import lzfu, mapi, richtext
from filters.compound.tnef import TNEF, contents
from tests.support.samples import tnef as samples

_RICH = b"{\\rtf1\\ansi\\fromhtml1{\\fonttbl{\\f0 A;}}{\\*\\htmltag18 <html>}\\htmlrtf x\\htmlrtf0 a\\'e4\\u8364?}"


def seeds() -> list[bytes]:
    """One small sample of each variant, and each kind of text by itself."""
    whole = [make(b"\x89PNG\r\n\x1a\n", "png", lambda what: "c-" + what) for make in samples.CONTAINERS.values()]
    rich = samples.tnef(properties=[samples.prop(samples.BINARY, 0x1009, samples.lzfu(_RICH))])
    return [*whole, rich, samples.lzfu(_RICH), _RICH]


def one(data: bytes) -> None:
    """Only FilterError is raised; what is sent on instead was a member before."""
    with contextlib.suppress(FilterError):
        richtext.words(data, Budget())
    with contextlib.suppress(FilterError):
        lzfu.decompressed(data, Budget())
    with contextlib.suppress(FilterError):
        mapi.properties(data, Budget())
    try:
        members = [seen.data for seen in TNEF.open(data, Budget()) if isinstance(seen, Member)]
        sent = contents(data, Budget())
    except FilterError:
        return
    assert all(attachment.data in members for attachment in sent.attachments)
    assert not sent.body_html or sent.body_html in members
