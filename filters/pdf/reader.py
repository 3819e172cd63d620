"""The document as qpdf reads it.  Whatever the library raises becomes a FilterError; no text of its own goes further."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BytesIO
from itertools import accumulate
from typing import Any, Final

import pikepdf

from filters.budget import Budget
from filters.errors import Encrypted, Malformed, TooBig, Unsupported
from filters.pdf import rawscan, streams
from filters.sniffing import sealed

Id = tuple[int, int]
Object = Any  # pikepdf's objects are of one type for all kinds; what they are is asked where they are used

_REFERENCE = re.compile(rb"([0-9]{1,10}) ([0-9]{1,5}) R(?![A-Za-z])")
_HEADER_WITHIN: Final = 1024
_TABLES: Final = frozenset(("XRef", "ObjStm"))


@contextmanager
def guarded() -> Iterator[None]:
    """Turns every exception of the library, which damaged files can raise anywhere, into a FilterError."""
    try:
        yield
    except pikepdf.PasswordError:
        raise Encrypted("a password is needed") from None
    except (pikepdf.PdfError, pikepdf.ForeignObjectError, pikepdf.DeletedObjectError, pikepdf.DependencyError):
        raise Malformed("not readable as PDF") from None
    except (RuntimeError, ValueError, TypeError, AttributeError, LookupError, ArithmeticError, MemoryError):
        raise Malformed("damaged objects") from None


@dataclass(slots=True)
class Document:
    """One file: its bytes, qpdf's view of it, and each object's own text (``unparse``: references stay references)."""

    data: bytes = field(repr=False)
    pdf: Any
    raw: rawscan.Scan = field(repr=False)
    objects: dict[Id, Object] = field(default_factory=dict, repr=False)
    texts: dict[Id, bytes] = field(default_factory=dict, repr=False)
    streams: list[Id] = field(default_factory=list)
    tables: dict[Id, bytes] = field(default_factory=dict, repr=False)  # the file's own, which a fresh copy makes anew
    repaired: bool = False
    _reached: frozenset[Id] | None = None
    _offsets: frozenset[int] | None = None
    _blob: bytes = field(default=b"", repr=False)
    _places: list[int] = field(default_factory=list, repr=False)
    _idents: list[Id] = field(default_factory=list, repr=False)

    @property
    def trailer(self) -> bytes:
        """The trailer's own text."""
        return bytes(self.pdf.trailer.unparse())

    def offsets(self) -> frozenset[int]:
        """Where in the file the objects stand that the document's table knows."""
        if self._offsets is None:
            self._offsets = self._table()
        return self._offsets

    def _table(self) -> frozenset[int]:
        shift = max(0, self.data.find(b"%PDF-", 0, _HEADER_WITHIN))
        places = {entry.offset for entry in self.pdf.get_xref_table().values() if entry.type == 1}
        return frozenset(places | {place + shift for place in places})

    def mentioning(self, *words: bytes) -> list[Id]:
        """The objects in whose own text one of ``words`` stands, in order: all texts are searched as one."""
        if not self._places:
            idents = list(self.texts)
            self._places = list(accumulate((len(text) + 1 for text in self.texts.values()), initial=0))
            self._blob, self._idents = b"\n".join(self.texts.values()), idents
        found: set[int] = set()
        for word in words:
            at = self._blob.find(word)
            while at >= 0:
                index = bisect_right(self._places, at) - 1
                found.add(index)
                at = self._blob.find(word, self._places[index + 1])
        return [self._idents[index] for index in sorted(found)]

    def reachable(self) -> frozenset[Id]:
        """What the trailer leads to, whether it is there or not: what a fresh copy of the document consists of."""
        if self._reached is None:
            self._reached = self._reach()
        return self._reached

    def _reach(self) -> frozenset[Id]:
        waiting, seen = list(references(self.trailer)), set[Id]()
        while waiting:
            ident = waiting.pop()
            if ident in seen:
                continue
            seen.add(ident)
            waiting.extend(references(self.texts.get(ident) or self.tables.get(ident, b"")))
        return frozenset(seen)


def load(data: bytes, budget: Budget) -> Document:
    """Raises Encrypted when a password is needed, Malformed, TooBig."""
    raw = rawscan.scan(data, budget)
    rawscan.weigh(data, raw, budget)
    with guarded():
        pdf = _opened(data)
        document = Document(data, pdf, raw)
        for count, one in enumerate(pdf.objects):
            if count % 256 == 0:
                budget.tick()
            if count >= rawscan.MAX_OBJECTS:
                raise TooBig("limit of objects")
            _add(document, one)
        document.repaired = bool(pdf.get_warnings())
        return document


def _opened(data: bytes) -> Any:
    try:
        return pikepdf.open(BytesIO(data), inherit_page_attributes=False, suppress_warnings=True)
    except pikepdf.PasswordError:
        raise
    except (pikepdf.PdfError, RuntimeError):
        if sealed.encrypted("pdf", data):
            raise Encrypted("encrypted in a way that is not known") from None
        raise


def reopened(data: bytes) -> bytes:
    """``data`` itself when it can be read again: a damaged document can be written and still be none.  Raises FilterError."""
    with guarded(), pikepdf.open(BytesIO(data), inherit_page_attributes=False, suppress_warnings=True) as pdf:
        if not isinstance(pdf.Root, pikepdf.Dictionary):
            raise Malformed("no catalogue")
    return data


def _add(document: Document, one: Object) -> None:
    if isinstance(one, pikepdf.Stream):
        text = one.stream_dict.unparse(resolved=True)
        if name(one.get("/Type")) in _TABLES:
            document.tables[one.objgen] = bytes(text)
            return
        document.streams.append(one.objgen)
    elif isinstance(one, pikepdf.Dictionary | pikepdf.Array):
        text = one.unparse(resolved=True)
    else:
        return
    document.objects[one.objgen] = one
    document.texts[one.objgen] = bytes(text)


def references(text: bytes) -> list[Id]:
    """Every "12 0 R" in an object's text; words of a string that look like one count too."""
    return [(int(found[1]), int(found[2])) for found in _REFERENCE.finditer(text)]


def entry(holder: Object, key: str) -> Object:
    """The value of ``key``, None when there is none or ``holder`` has no entries."""
    return holder.get(key) if isinstance(holder, pikepdf.Dictionary | pikepdf.Stream) else None


def whole(value: Object, otherwise: int = 0) -> int:
    """A number, cut to an integer."""
    if isinstance(value, bool):
        return otherwise
    try:
        return int(value)
    except (ValueError, TypeError, ArithmeticError):
        return otherwise


def name(value: Object) -> str:
    """A name without its slash, "" for anything else."""
    return str(value)[1:] if isinstance(value, pikepdf.Name) else ""


def filters(stream: Object) -> tuple[str, ...]:
    """The stream's filters by their long names."""
    value = entry(stream, "/Filter")
    if isinstance(value, pikepdf.Name):
        return streams.full((name(value),))
    return streams.full([name(one) for one in value]) if isinstance(value, pikepdf.Array) else ()


def last_parameters(stream: Object) -> Object:
    """The decode parameters of the last filter, None when it has none."""
    value = entry(stream, "/DecodeParms")
    if isinstance(value, pikepdf.Array):
        value = value[-1] if len(value) else None
    return value if isinstance(value, pikepdf.Dictionary) else None


def content(stream: Object, budget: Budget) -> bytes:
    """The decoded bytes of a stream that is no picture.  Raises FilterError."""
    names = filters(stream)
    raw = bytes(stream.read_raw_bytes())
    plain = streams.unwrap(raw, names, budget)
    if not _predicted(stream):
        return plain
    budget.grow(len(plain))
    try:
        return bytes(stream.read_bytes())
    except pikepdf.PdfError:
        raise Unsupported("stream with parameters") from None


def _predicted(stream: Object) -> bool:
    """Whether a filter has parameters that ``streams`` does not know: both count as 1 when they are not there."""
    value = entry(stream, "/DecodeParms")
    each = list(value) if isinstance(value, pikepdf.Array) else [value]
    return any(whole(entry(one, key), 1) != 1 for one in each for key in ("/Predictor", "/EarlyChange"))
