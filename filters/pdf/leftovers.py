"""What stands in the bytes beside the document: earlier revisions, objects of no table, bytes between, before and behind."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from hashlib import sha256
from typing import Final

from filters.api import Blocked, Budget, Fate, FilterError, Finding, Member, Seen, TooBig
from filters.errors import OpaqueReason
from filters.pdf import inline, lexer, pictures, streams
from filters.pdf.lexer import Value, Word
from filters.pdf.rawscan import RawObject
from filters.pdf.reader import Document
from filters.sniffing.jpegstart import is_jpeg
from filters.text import embedded

_STARTXREF = re.compile(rb"startxref[\0\t\n\f\r ]+[0-9]+[\0\t\n\f\r ]+%%EOF")
_STRUCTURE = re.compile(
    rb"%PDF-[0-9.]{1,24}|%[\x80-\xff]{1,12}(?=[\r\n])|%%EOF|startxref[\0\t\n\f\r ]+[0-9]+|xref[\0\t\n\f\r ]+[0-9 \0\t\n\f\rnf]*"
)
_TRAILER = re.compile(rb"trailer[\0\t\n\f\r ]*(?=<<)")
_SPACE: Final = b"\0\t\n\f\r \xff"
_LOOKED: Final = 500  # gaps looked at closely

# Signatures of pictures with a header of their own; a JPEG is told by its segments.
_SIGNATURES: Final = (
    b"\x89PNG\r\n\x1a\n", b"\0\0\0\x0cjP  \r\n", b"\xff\x4f\xff\x51\0", b"\0\0\0\x0cJXL \r\n", b"ftypheic", b"ftypmif1",
    b"ftypavif", b"WEBPVP8", b"\0\0\0\0DICM\2\0",
)  # fmt: skip
_CANDIDATES: Final = 2000
_HEX: Final = "text.hex-image"  # between objects also a stream that only a repair finds: it is looked at as one
# What a text outside of streams may hide; signatures and links to pages stand there too, and binary strings of signatures.
_WRITTEN: Final = frozenset(
    ("text.base64-image", "text.base64-container", "text.data-uri-image", _HEX, "text.uuencode", "text.yenc",
     "text.xxencode", "text.raw-image")
)  # fmt: skip

# Files that stand in streams of no known kind, as the document from which an office program made this one.
_FILES: Final = (
    b"PK\x03\x04", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", b"%PDF-", b"\x1f\x8b\x08", b"7z\xbc\xaf", b"Rar!",
    b"\xff\xd8\xff", b"\x89PNG\r\n", b"GIF8", b"II*\0", b"MM\0*", b"\0\0\0\x0cjP",
)  # fmt: skip


def picture_at(data: bytes, start: int = 0, end: int | None = None) -> int | None:
    """Where a picture's own signature stands first, None when there is none."""
    stop = len(data) if end is None else end
    places = [at for word in _SIGNATURES if (at := data.find(word, start, stop)) >= 0]
    at = data.find(b"\xff\xd8\xff", start, stop)
    for count in range(_CANDIDATES + 1):
        if at < 0:
            break
        if count == _CANDIDATES or is_jpeg(data, at):
            places.append(at)
            break
        at = data.find(b"\xff\xd8\xff", at + 1, stop)
    return min(places, default=None)


def ends(document: Document) -> list[int]:
    """Where each state of the document ends, outside of streams; a linearized one has two ends (ISO 32000-2, annex F)."""
    found = [one.end() for a, b in document.raw.gaps for one in _STARTXREF.finditer(document.data, a, b)]
    return found[1:] if b"/Linearized" in document.data[:1024] and len(found) > 1 else found


def hidden(document: Document) -> list[RawObject]:
    """Objects with streams that the document's table does not know."""
    current = document.offsets()
    beside = [one for one in document.raw.objects if one.start not in current and one.stream is not None]
    return [one for one in beside if not _structural(document, one)]


def seen(document: Document, beside: Sequence[RawObject], known: set[bytes], budget: Budget) -> Iterator[Seen]:
    """What stands in the objects ``beside`` the table.  ``known``: hashes of what was yielded already."""
    for one in beside:
        yield from _hidden(document.data, one, known, budget)


def _structural(document: Document, one: RawObject) -> bool:
    """Streams of objects and tables hold no streams; those of the current state are in no table either."""
    assert one.stream is not None
    head = document.data[one.body : min(one.stream[0], one.body + 4096)]
    return re.search(rb"/Type[\0\t\n\f\r ]*/(?:ObjStm|XRef)\b", head) is not None


def _hidden(data: bytes, one: RawObject, known: set[bytes], budget: Budget) -> Iterator[Seen]:
    """A picture as a member; anything else is searched for inline pictures and signatures."""
    assert one.stream is not None
    raw = data[one.stream[0] : one.stream[1]]
    digest = sha256(raw).digest()
    if digest in known:
        return
    known.add(digest)
    budget.tick()
    key = f"hidden@{one.start}"
    try:
        entries = dict(lexer.dictionary(data, one.body))
    except FilterError:
        entries = {}
    names = streams.full(lexer.names(entries.get("Filter", entries.get("F"))))
    try:
        if _picture(entries, names):
            budget.member()
            yield pictures.member(pictures.Picture(key, names, _shape(entries, names), raw), frozenset(), budget)
            return
        if not streams.general(names):
            yield Blocked("pdf.hidden-image", OpaqueReason.NOT_SUPPORTED)
            return
        content = streams.unwrap(raw, names, budget)
        if entries.get("Type") == lexer.Name("EmbeddedFile"):
            budget.member()
            yield Member(key, content)
        else:
            yield from inside(content, key, budget)
    except TooBig:
        raise
    except FilterError as error:
        yield Blocked("pdf.hidden-image", error.reason)


def _picture(entries: dict[str, Value], names: tuple[str, ...]) -> bool:
    coded = any(name in streams.PICTURES for name in names)
    return coded or lexer.names(entries.get("Subtype")) == ("Image",) or ("Width" in entries and "Height" in entries)


def _shape(entries: dict[str, Value], names: tuple[str, ...]) -> pictures.Shape:
    mask = entries.get("ImageMask") == Word(b"true") or names[-1:] in ((streams.CCITT,), (streams.JBIG2,))
    bits = 1 if mask else max(0, lexer.integer(entries.get("BitsPerComponent"), 8))
    width, height = (max(0, lexer.integer(entries.get(key))) for key in ("Width", "Height"))
    return pictures.Shape(width, height, bits, 2 if bits == 1 else 0)


def inside(content: bytes, key: str, budget: Budget) -> Iterator[Seen]:
    """Pictures in the decoded bytes of a stream that is none: a file that stands there whole, inline, or by signature."""
    if content.startswith(_FILES):
        budget.member()
        yield Member(f"{key} file", content)
        return
    stencils: list[pictures.Stencil] = []
    for number, one in enumerate(inline.find(content, budget)):
        if inline.is_stencil(one):
            stencils.append(inline.stencil(content, one))
            continue
        budget.member()
        yield inline.member(content, one, f"{key} inline {number}", budget)
    yield from pictures.mosaic(stencils, f"{key} stencils", budget)
    at = picture_at(content)
    if at is not None and not any(one.first <= at < one.last for one in inline.find(content, budget)):
        yield Blocked("pdf.hidden-image")


def written(document: Document, budget: Budget) -> Iterator[Blocked]:
    """Pictures written in letters: in strings, comments and addresses of links, before, between and behind the objects."""
    stored = {one.stream for one in document.raw.objects if one.stream is not None}
    at, plain = 0, list[bytes]()
    for start, end in sorted(stored):
        plain.append(document.data[at:start])
        at = max(at, end)
    plain.append(document.data[at:])
    budget.tick()
    for text, hides in ((b"\n".join(plain), _WRITTEN - {_HEX}), (b"\n".join(document.texts.values()), _WRITTEN)):
        for one in embedded(text, html=False):
            if one.opaque and one.code in hides:
                yield Blocked("pdf.hidden-image", OpaqueReason(one.opaque))
                return


def gaps(document: Document, budget: Budget) -> Iterator[Seen]:
    """Pictures between, before and behind the objects, and what else stands there."""
    data, codes = document.data, dict[str, int]()
    before = {one.end: one for one in document.raw.objects}
    for count, (start, end) in enumerate(document.raw.gaps):
        if count % 256 == 0:
            budget.tick()
        at = picture_at(data, start, end) if end - start > 8 else None
        if at is not None:
            budget.member()
            yield Member(f"gap@{at}", data[at:end])
        if len(codes) < 3 and end - start > 1 and (code := _code(data, start, end)) and _between(document, before.get(start)):
            codes.setdefault(code, start)
    for code, start in codes.items():
        yield Finding(code, f"gap@{start}", Fate.REMOVED)


def _between(document: Document, before: RawObject | None) -> bool:
    """Whether the object ``before`` truly ends where the gap begins: a string may hold the words of an object's end or start."""
    if before is None or before.stream is not None:
        return True
    reader = lexer.Lexer(document.data, before.body)
    try:
        reader.value()
    except FilterError:
        return False
    return before.start in document.offsets() and document.data[reader.at : before.end].strip() == b"endobj"


def _code(data: bytes, start: int, end: int) -> str:
    """What the bytes between two objects are, "" when they are only structure."""
    gap = data[start:end]
    if not gap.strip(_SPACE):
        return ""
    if start == 0:
        at = gap.find(b"%PDF-")
        if at > 0 and gap[:at].strip(_SPACE):
            return "pdf.leader"
        gap = gap[max(at, 0) :]
    if end == len(data):
        at = gap.rfind(b"%%EOF")
        if at >= 0 and gap[at + 5 :].strip(_SPACE):
            return "pdf.trailer"
    return "pdf.comment" if _remains(gap).strip(_SPACE) else ""


def _remains(gap: bytes) -> bytes:
    """The gap without tables, trailers, header and end marks."""
    rest = _STRUCTURE.sub(b" ", gap)
    parts: list[bytes] = []
    at = 0
    for _ in range(_LOOKED):
        found = _TRAILER.search(rest, at)
        if found is None:
            break
        parts.append(rest[at : found.start()])
        reader = lexer.Lexer(rest, found.end())
        try:
            reader.value()
        except FilterError:
            return b"".join(parts)  # a string of the trailer holds what looks like an object
        at = reader.at
    return b"".join([*parts, rest[at:]])
