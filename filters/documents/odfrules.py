"""What goes from the XML of OpenDocument files (ODF 1.3 part 3), packed or flat, by what a policy may choose."""

from __future__ import annotations

from typing import Final

from filters.api import Cleaning
from filters.documents import names
from filters.documents.markup import Spaces
from filters.documents.rules import Add, Element, On, Rule

_ODF: Final = "urn:oasis:names:tc:opendocument:xmlns:"


def _odf(name: str) -> frozenset[str]:
    return frozenset((f"{_ODF}{name}:1.0", f"http://openoffice.org/2000/{name}", f"http://openoffice.org/2001/{name}"))


SPACES: Final[Spaces] = {
    "office": _odf("office"),
    "meta": _odf("meta"),
    "text": _odf("text"),
    "config": _odf("config"),
    "draw": frozenset((f"{_ODF}drawing:1.0", "http://openoffice.org/2000/drawing")),
    "svg": frozenset((f"{_ODF}svg-compatible:1.0", "http://www.w3.org/2000/svg")),
    "dc": frozenset(("http://purl.org/dc/elements/1.1/",)),
    "xlink": frozenset(("http://www.w3.org/1999/xlink",)),
    "officeooo": frozenset(("http://openoffice.org/2009/office",)),
    "loext": frozenset(("urn:org:documentfoundation:names:experimental:office:xmlns:loext:1.0",)),
}


def _link(old: bytes) -> bytes | None:
    """A link into somebody's computer leads nowhere afterwards; to file servers, where colleagues may follow, it stays."""
    target = old.decode("utf-8", "replace")
    return b"#removed" if names.local(target) and not names.network(target) else old


_AUTHORS: Final[tuple[Rule, ...]] = (
    Element("odf.authors", "dc", ("creator",), b"Author"),
    Element("odf.authors", "dc", ("date",), b"1970-01-01T00:00:00"),
    Element("odf.authors", "meta", ("creator-initials",), b"A"),
    Element("odf.authors", "loext", ("sender-initials",), b"A"),
    Element("odf.authors", "meta", ("date-string",)),
)
_REVISIONS: Final[tuple[Rule, ...]] = (
    On("odf.revisions", "officeooo", ("rsid", "paragraph-rsid")),
    Element("odf.revisions", "config", ("config-item",), having=(b"name", b"Rsid")),  # and RsidRoot
)
# Fields that show a property of the document keep what they show (ODF 1.3 part 3 7.5): programs would read the empty property.
_FIELDS: Final = (
    "title", "subject", "keywords", "description", "creator", "initial-creator", "creation-date", "creation-time",
    "modification-date", "modification-time", "print-date", "print-time", "printed-by", "editing-cycles", "editing-duration",
    "user-defined", "author-name", "author-initials",
)  # fmt: skip
FIXED: Final[tuple[Rule, ...]] = (Add("odf.properties", "text", _FIELDS, "fixed", b"true"),)
_FRAMES: Final = ("frame", "image", "custom-shape", "rect", "plugin")
_PROPERTIES: Final[tuple[Rule, ...]] = (
    *[
        Element("odf.printer", "config", ("config-item",), b"", having=(b"name", name))
        for name in (b"PrinterName", b"PrinterSetup", b"PrintFaxName")
    ],
    On("odf.picture-name", "draw", ("name",), names.unnamed, names=_FRAMES, attribute_space="draw"),
    Element("odf.picture-name", "svg", ("title", "desc"), b"", when=names.filed),
    On("odf.local-path", "xlink", ("href",), _link),
)


def rules(cleaning: Cleaning, fields: bool) -> tuple[Rule, ...]:
    """``fields``: the document has properties that a field might show."""
    return (
        *(_AUTHORS if cleaning.authors else ()),
        *(_REVISIONS if cleaning.revisions else ()),
        *(_PROPERTIES if cleaning.properties else ()),
        *(FIXED if cleaning.properties and fields else ()),
    )
