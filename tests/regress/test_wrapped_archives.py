"""Archives inside files that other programs made.

Symptom: a winmail.dat, a drawing or rich text with an ordinary ZIP, Word or PDF file in it was held as a polyglot.
Cause: the test for a second nature looks from the end of the file, where the archive in the last member also ends.
Analysis: these openers account for every byte themselves; for rich text that was not true of what stands behind the document.
"""

from __future__ import annotations

import pytest

from filters.api import Budget, OpaqueReason
from filters.registry import OPENERS
from filters.tree import Tools, examine
from gateway.opening import attached
from tests.support.canary_images import photo_jpeg
from tests.support.samples import archives, metafiles, richtext, tnef
from tests.support.zipforge import Piece, forge

pytestmark = pytest.mark.unit
TOOLS = Tools(openers={**OPENERS, **attached.OPENERS})


def word(what: str) -> str:
    return "c-" + what.replace(" ", "-")


@pytest.mark.parametrize(("samples", "kind"), [(tnef, "tnef"), (metafiles, "emf-plus"), (richtext, "rtf-binary")])
def test_an_archive_in_them_is_opened(samples: object, kind: str) -> None:
    inner = archives.CONTAINERS["zip"](photo_jpeg(1, (16, 12)), "jpg", word)
    node = examine(samples.CONTAINERS[kind](inner, "zip", word), TOOLS, Budget())  # type: ignore[attr-defined]  # a module
    assert (None, "jpeg") in [(one.opaque, one.sniffed.format) for one in node.walk()]
    assert node.opaque is None


def test_an_archive_behind_rich_text_is_seen() -> None:
    """A program that looks from the end opens it."""
    data = richtext.document() + b"\r\n" + forge([Piece(b"a.jpg", photo_jpeg(1, (16, 12)))])
    assert examine(data, TOOLS, Budget()).opaque in (OpaqueReason.CORRUPT, OpaqueReason.NOT_SUPPORTED)
    assert examine(richtext.document() + b"\r\n\0", TOOLS, Budget()).opaque is None


def test_a_mailbox_without_its_first_line_is_damaged() -> None:
    """Symptom: ValueError.  Cause: no line in front of a message was found, and one end was."""
    for data in (b"From nurse@clinic.example", b"x\nFrom a\nFrom: a@b.example\n\n"):
        with pytest.raises(Exception, match="no line in front") as caught:
            list(attached.OPENERS["mbox"].open(data, Budget()))
        assert type(caught.value).__name__ == "Malformed"


def test_a_group_of_properties_alone_is_no_rich_text() -> None:
    """Symptom: the rebuilt file was empty.  Cause: the outermost group was one that goes."""
    with pytest.raises(Exception, match="no rich text") as caught:
        list(OPENERS["rtf"].open(b"{\\info{\\title x}}", Budget()))
    assert type(caught.value).__name__ == "Malformed"
