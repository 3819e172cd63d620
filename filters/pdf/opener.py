"""The opener for PDF.  ``rebuild`` writes a fresh copy of what the document refers to: nothing else comes along.

Streams are copied as they are stored, but for the pictures, files and colour profiles that change.
"""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from hashlib import sha256
from io import BytesIO
from typing import Final

import pikepdf

from filters.api import STRICT, Blocked, Budget, Cleaning, Fate, Finding, Malformed, Member, Seen, Unsupported
from filters.errors import FilterError, TooBig
from filters.pdf import colours, files, inline, leftovers, metadata, pictures, placement, reader, revisions, samples, signatures
from filters.pdf.files import Embedded
from filters.pdf.pictures import Picture
from filters.pdf.reader import Document, Id

_SCRIPTS, _FORM = "scripts", "form data"
_VANISHES: Final = ("hidden@", "gap@", "revision ")  # keys of members that a fresh copy does not have


class Pdf:
    """PDF 1.0 to 2.0, also encrypted with an empty user password."""

    name = "pdf"
    native = True
    rebuilds = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Pictures, files, text that may hold some, and what the document says of itself.  Raises FilterError."""
        with reader.guarded():
            document = reader.load(data, budget)
            yield from _once(_facts(document, cleaning, budget))
            yield from _once(_members(document, budget))

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """A fresh copy with the members ``changes`` replaced; the same bytes every time, but for AES in an encrypted file.

        Raises Unsupported for a signed document.
        """
        with reader.guarded():
            document = reader.load(data, budget)
            if signatures.signed(document):
                raise Unsupported("signed")
            _replace(document, changes, budget, cleaning)
            _rename(document, names)
            _strip(document, cleaning, budget)
            done = _saved(document)
            return _settled(done, cleaning, budget) if document.repaired else done


# ---- looking


def _once(each: Iterable[Seen]) -> Iterator[Seen]:
    """Members, and every other thing one time only."""
    told: set[Seen] = set()
    for one in each:
        if isinstance(one, Member):
            yield one
        elif one not in told:
            told.add(one)
            yield one


def _facts(document: Document, cleaning: Cleaning, budget: Budget) -> Iterator[Finding]:
    if signatures.signed(document):
        yield Finding("pdf.signed", "file", Fate.KEPT)
    if document.repaired:
        yield Finding("pdf.repaired", "file", Fate.KEPT)
    if document.pdf.is_encrypted:
        yield Finding("pdf.encrypted", "file", Fate.KEPT)
    if cleaning.properties and metadata.info(document):
        yield Finding("pdf.info", "trailer", Fate.REMOVED)
    if "/DocChecksum" in document.pdf.trailer:
        yield Finding("pdf.id", "checksum", Fate.REMOVED)
    joined = metadata.joined(document)
    if joined is not None:
        kept = document.pdf.is_encrypted or not joined
        yield Finding("pdf.id", "trailer", Fate.KEPT if kept else Fate.REMOVED)
    yield from (removal.finding for removal in metadata.removals(document, cleaning))
    yield from colours.findings(document, budget)
    if len(leftovers.ends(document)) > 1:
        yield Finding("pdf.earlier-revision", "file", Fate.REMOVED)
    lost = document.objects.keys() - document.reachable()
    if lost:
        yield Finding("pdf.unreferenced", f"obj@{min(lost)[0]}", Fate.REMOVED)


def _members(document: Document, budget: Budget) -> Iterator[Seen]:
    attached = files.collect(document)
    found = pictures.collect(document, budget)
    yield from _pictures(document, found, budget)
    for one in attached.values():
        budget.member()
        yield files.member(document, one, budget)
    done = {ident for picture in found for ident in picture.owners} | {one.ident for one in attached.values()}
    yield from _other(document, done | pictures.masks(document), budget)
    yield from _texts(document, budget)
    if beside := leftovers.hidden(document):
        yield Finding("pdf.hidden-stream", f"obj@{beside[0].number}", Fate.REMOVED)
        known = {sha256(bytes(document.objects[ident].read_raw_bytes())).digest() for ident in document.streams}
        search = revisions.seen if document.pdf.is_encrypted else leftovers.seen
        yield from search(document, beside, known, budget)
    yield from leftovers.gaps(document, budget)
    yield from leftovers.written(document, budget)


def _pictures(document: Document, found: Sequence[Picture], budget: Budget) -> Iterator[Seen]:
    stencils: list[pictures.Stencil] = []
    for picture, codes in pictures.everywhere(found, placement.uses(document, budget)):
        if pictures.small_bilevel(picture.shape) and not picture.coded:
            if leftovers.picture_at(picture.raw) is not None:
                yield Blocked("pdf.hidden-image")
            stencils.append(pictures.Stencil(picture.shape, picture.raw))
            continue
        budget.member()
        owners = [] if picture.coded else [document.objects[ident] for ident in picture.owners]
        yield pictures.member(picture, codes | samples.codes(owners, budget), budget)
    yield from pictures.mosaic(stencils, "stencils", budget)


def _other(document: Document, done: Collection[Id], budget: Budget) -> Iterator[Seen]:
    """Streams that are neither pictures nor files: pages, forms, patterns, glyphs, fonts, whatever a program put there."""
    starts: set[Id] = set()
    for ident in document.streams:
        if ident in done:
            continue
        stream = document.objects[ident]
        if reader.filters(stream) and leftovers.picture_at(bytes(stream.read_raw_bytes())) is not None:
            yield Blocked("pdf.hidden-image")  # as it is stored: its filters lie, or it is coded twice
            continue
        try:
            content = reader.content(stream, budget)
        except TooBig:
            raise
        except FilterError as error:
            yield Blocked("pdf.hidden-image", error.reason)
            continue
        yield from leftovers.inside(content, f"obj {ident[0]} {ident[1]}", budget)
        if inline.begins(content):
            starts.add(ident)
    if starts and _torn(document, starts, budget):
        yield Blocked("pdf.inline-unreadable")


def _torn(document: Document, starts: Collection[Id], budget: Budget) -> bool:
    """Whether an inline picture begins in one part of a page's content and goes on in the next."""
    for ident in document.mentioning(b"/Contents ["):
        parts = reader.entry(document.objects[ident], "/Contents")
        streams = [one for one in list(parts) if isinstance(one, pikepdf.Stream)] if isinstance(parts, pikepdf.Array) else []
        if len(streams) < 2 or not any(one.objgen in starts for one in streams):
            continue
        contents = [reader.content(one, budget) for one in streams]
        apart = sum(inline.count(content, budget) for content in contents)
        if inline.count(b"\n".join(contents), budget) != apart:
            return True
    return False


def _texts(document: Document, budget: Budget) -> Iterator[Member]:
    yield from files.packet_previews(document, budget)
    for key, text, media_type in (
        (_SCRIPTS, files.scripts(document, budget), "text/javascript"),
        (_FORM, files.form_data(document, budget), "text/xml"),
    ):
        if text:
            budget.member()
            yield Member(key, text, media_type=media_type)


# ---- changing


def _replace(document: Document, changes: Mapping[str, bytes], budget: Budget, cleaning: Cleaning) -> None:
    left = {key: data for key, data in changes.items() if not key.startswith(_VANISHES)}
    if cleaning.properties or cleaning.previews:
        left = {key: data for key, data in left.items() if not key.startswith("packet ")}
    _replace_pictures(document, left, budget)
    attached = files.collect(document) if left else dict[str, Embedded]()
    for key in [key for key in left if key in attached]:
        files.put(document, attached[key], left.pop(key))
    for key in [key for key in left if _numbers(key) in document.streams]:
        files.put(document, Embedded(_numbers(key)), left.pop(key))
    _replace_inline(document, left, budget)
    if left:
        raise Malformed("no such member")


def _replace_pictures(document: Document, left: dict[str, bytes], budget: Budget) -> None:
    if not left:
        return
    for picture in pictures.collect(document, budget):
        if picture.key in left:
            pictures.put(document, picture, left.pop(picture.key))


def _numbers(key: str) -> Id:
    """``obj 12 0 file`` -> (12, 0); (0, 0), which no object has, for any other key."""
    words = key.split()
    if len(words) != 4 or words[3] != "file" or not all(one.isdecimal() and len(one) < 12 for one in words[1:3]):
        return 0, 0
    return int(words[1]), int(words[2])


def _replace_inline(document: Document, left: dict[str, bytes], budget: Budget) -> None:
    """Content streams whose inline pictures change ("obj 12 0 inline 3")."""
    wanted: dict[Id, dict[int, bytes]] = {}
    for key in [key for key in left if " inline " in key]:
        words = key.split()
        if len(words) == 5 and words[0] == "obj" and all(word.isdecimal() for word in (*words[1:3], words[4])):
            wanted.setdefault((int(words[1]), int(words[2])), {})[int(words[4])] = left.pop(key)
    for ident, numbers in wanted.items():
        if ident not in document.streams:
            raise Malformed("no such member")
        stream = document.objects[ident]
        content = inline.replaced(reader.content(stream, budget), numbers, budget)
        stream.write(zlib.compress(content, 9), filter=pikepdf.Name.FlateDecode)


def _rename(document: Document, names: Mapping[str, str]) -> None:
    attached = files.collect(document) if names else dict[str, Embedded]()
    for key, name in names.items():
        if key in attached:
            files.rename(document, attached[key], name)


def _strip(document: Document, cleaning: Cleaning, budget: Budget) -> None:
    for removal in list(metadata.removals(document, cleaning)):
        removal.apply()
    colours.clean(document, budget)
    trailer = document.pdf.trailer
    if cleaning.properties and "/Info" in trailer:
        del trailer["/Info"]
    if "/ID" in trailer and not document.pdf.is_encrypted:
        del trailer["/ID"]  # both halves are made anew from the content
    if "/DocChecksum" in trailer:
        del trailer["/DocChecksum"]


def _settled(data: bytes, cleaning: Cleaning, budget: Budget) -> bytes:
    """What was repaired, written once more: the first copy may hold objects that only the damage kept."""
    document = reader.load(data, budget)
    _strip(document, cleaning, budget)
    return _saved(document)


def _saved(document: Document) -> bytes:
    out = BytesIO()
    sealed = document.pdf.is_encrypted
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", pikepdf.PageCopyWarning)  # said of fields that no form lists, which stay so
        document.pdf.save(
            out,
            preserve_pdfa=False,
            fix_metadata_version=False,
            compress_streams=sealed,  # qpdf takes no decode level beside encryption; what is compressed stays as it is
            stream_decode_level=None if sealed else pikepdf.StreamDecodeLevel.none,
            object_stream_mode=pikepdf.ObjectStreamMode.preserve,
            recompress_flate=False,
            encryption=True if sealed else None,
            static_id=sealed,
            deterministic_id=not sealed,
        )
    return reader.reopened(out.getvalue())


PDF = Pdf()

__all__ = ["PDF", "Pdf", "Picture"]
