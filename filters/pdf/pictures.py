"""Image XObjects and whatever else is coded as a picture: page thumbnails, soft masks, alternates (ISO 32000-2, 8.9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

import pikepdf

from filters import page
from filters.api import Budget, Fate, Finding, ImageInfo, Member, Nature, Seen
from filters.errors import Malformed, Unsupported
from filters.pdf import reader, samples, streams
from filters.pdf.reader import Document, Id, Object

FULL_PAGE, SMALL = "pdf.full-page", "pdf.small-on-page"
_LOOKS: Final = frozenset((samples.FLAT, samples.PAGE))
_SPACE: Final = b"\0\t\n\f\r "
_MEDIA: Final = {streams.DCT: "image/jpeg", streams.JPX: "image/jp2"}
_STARTS: Final = {streams.DCT: (b"\xff\xd8",), streams.JPX: (b"\0\0\0\x0cjP", b"\xff\x4f\xff\x51")}
_STENCIL: Final = 65_536  # samples: 256 by 256
_MOSAIC: Final = 500_000  # samples that all small bilevel pictures of one stream may have together: a sheet at 72 dpi
_ALIKE: Final = 100  # pictures of one size, length and coding that are compared with each other
_BILEVEL: Final = frozenset((streams.CCITT, streams.JBIG2))


@dataclass(frozen=True, slots=True)
class Shape:
    """What a dictionary says of its samples."""

    width: int
    height: int
    bits: int
    colours: int = 0

    def info(self, codes: frozenset[str]) -> ImageInfo:
        """Facts; a bilevel picture in the shape of a sheet, or over a whole page, is a page."""
        info = page.marked(ImageInfo(self.width, self.height, self.bits, colours=self.colours))
        sheet = page.CODE in info.codes or (self.bits == 1 and FULL_PAGE in codes)
        if sheet:
            return replace(info, nature=Nature.PAGE)
        return replace(info, codes=info.codes | codes & _LOOKS)


@dataclass(frozen=True, slots=True)
class Stencil:
    """A small bilevel picture, as it is stored."""

    shape: Shape
    raw: bytes = field(repr=False)


def small_bilevel(facts: Shape) -> bool:
    """One bit a sample and too small to show more than a letter, a hatching or a seal."""
    return facts.bits == 1 and facts.width * facts.height <= _STENCIL


def mosaic(stencils: Sequence[Stencil], key: str, budget: Budget) -> Iterator[Seen]:
    """Many of them can make up a page: then they are one picture.  Fewer are letters, and only noted."""
    if not stencils:
        return
    total = sum(one.shape.width * one.shape.height for one in stencils)
    if total <= _MOSAIC:
        yield Finding("pdf.stencil", "stencils", Fate.KEPT)
        return
    width = max(one.shape.width for one in stencils)
    budget.member()
    data = b"".join(one.raw for one in stencils)
    yield Member(key, data, info=ImageInfo(width, -(-total // width), 1, colours=2, nature=Nature.PAGE), inline=True)


@dataclass(slots=True)
class Picture:
    """Equal pictures are one: ``owners`` are all objects with these bytes, the first gives the key."""

    key: str
    names: tuple[str, ...]
    shape: Shape
    raw: bytes = field(repr=False)
    owners: list[Id] = field(default_factory=list)

    @property
    def coded(self) -> bool:
        """Whether the bytes are a file of their own, with places for metadata."""
        return _coded(self.names)

    @property
    def coding(self) -> str:
        return self.names[-1] if self.names else ""


def is_picture(stream: Object, names: Sequence[str]) -> bool:
    """By its subtype, by a filter that only pictures have, or by having a width, a height and a depth."""
    if reader.name(reader.entry(stream, "/Subtype")) == "Image" or any(one in streams.PICTURES for one in names):
        return True
    return all(reader.entry(stream, key) is not None for key in ("/Width", "/Height"))


def shape(stream: Object, coding: str) -> Shape:
    """Width, height and bits of a sample as its dictionary has them; 0 what is not there."""
    width = max(0, reader.whole(reader.entry(stream, "/Width")))
    height = max(0, reader.whole(reader.entry(stream, "/Height")))
    bilevel = coding in _BILEVEL or reader.entry(stream, "/ImageMask") is True
    bits = 1 if bilevel else max(0, reader.whole(reader.entry(stream, "/BitsPerComponent"), 8))
    return Shape(width, height, bits, 2 if bits == 1 else _palette(reader.entry(stream, "/ColorSpace")))


def _palette(space: Object) -> int:
    """The number of entries of an Indexed colour space, 0 for others."""
    if isinstance(space, pikepdf.Array) and len(space) >= 4 and reader.name(space[0]) in ("Indexed", "I"):
        return min(256, max(0, reader.whole(space[2])) + 1)
    return 0


def masks(document: Document) -> frozenset[Id]:
    """Streams that only say how transparent another picture is: nothing else refers to them."""
    owners: set[Id] = set()
    found: set[Id] = set()
    for ident in document.mentioning(b"/SMask ", b"/Mask "):
        stream = document.objects[ident]
        if not isinstance(stream, pikepdf.Stream) or not is_picture(stream, reader.filters(stream)):
            continue
        owners.add(ident)
        each = [reader.entry(stream, key) for key in ("/SMask", "/Mask")]
        found.update(mask.objgen for mask in each if isinstance(mask, pikepdf.Stream))
    if found:
        rest = (text for ident, text in document.texts.items() if ident not in owners)
        found.difference_update(ident for text in rest for ident in reader.references(text))
    return frozenset(found)


def collect(document: Document, budget: Budget) -> list[Picture]:
    """All pictures of the table, in its order.  Raises FilterError."""
    found: dict[tuple[int, tuple[str, ...], Shape], list[Picture]] = {}
    attached = masks(document)
    for ident in document.streams:
        stream = document.objects[ident]
        names = reader.filters(stream)
        if not is_picture(stream, names):
            continue
        if ident in attached and not _coded(names):
            continue
        budget.tick()
        raw = bytes(stream.read_raw_bytes())
        facts = shape(stream, names[-1] if names else "")
        alike = found.setdefault((len(raw), names, facts), [])
        same = next((one for one in alike[:_ALIKE] if one.raw == raw), None)
        if same is None:
            same = Picture(f"obj {ident[0]} {ident[1]}", names, facts, raw)
            alike.append(same)
        same.owners.append(ident)
    return [one for alike in found.values() for one in alike]


def _coded(names: Sequence[str]) -> bool:
    return any(one in (streams.DCT, streams.JPX) for one in names)


def member(picture: Picture, codes: frozenset[str], budget: Budget) -> Member:
    """The picture as a member: a JPEG or JPEG 2000 file, or samples as they are stored."""
    if not picture.coded:
        return Member(picture.key, picture.raw, info=picture.shape.info(codes), inline=True, codes=codes)
    try:
        data = coded(picture.raw, picture.names, budget)
    except (Malformed, Unsupported) as error:
        return Member(picture.key, b"", opaque=error.reason, inline=True, codes=codes)
    return Member(picture.key, data, media_type=_MEDIA[picture.coding], inline=True, codes=codes)


def coded(raw: bytes, names: Sequence[str], budget: Budget) -> bytes:
    """The file of its own inside a stream; space that readers skip is left out.  Raises FilterError."""
    if names[-1] not in _STARTS:
        raise Unsupported("a picture coded again")
    data = streams.unwrap(raw, names[:-1], budget)
    trimmed = data.strip(_SPACE) if names[-1] == streams.DCT else data
    if not trimmed.startswith(_STARTS[names[-1]]):
        raise Malformed("not the coding that its filter names")
    return data if len(trimmed) == len(data) else trimmed


def put(document: Document, picture: Picture, data: bytes) -> None:
    """The cleaned file in place of the old one, under the same dictionary.  Raises FilterError."""
    if picture.coding not in _STARTS:
        raise Unsupported("samples are never replaced")
    if not data.startswith(_STARTS[picture.coding]):
        raise Malformed("not the coding that its filter names")
    for ident in picture.owners:
        stream = document.objects[ident]
        parameters = reader.last_parameters(stream)
        if parameters is None:
            stream.write(data, filter=pikepdf.Name("/" + picture.coding))
        else:
            stream.write(data, filter=pikepdf.Name("/" + picture.coding), decode_parms=parameters)


def everywhere(pictures: Sequence[Picture], uses: dict[Id, frozenset[str]]) -> Iterator[tuple[Picture, frozenset[str]]]:
    """Each picture with what is known of its places: small only if all equal ones are, full-page if any is."""
    for one in pictures:
        places = [uses.get(ident, frozenset()) for ident in one.owners]
        codes = frozenset[str]().union(*places)
        if SMALL in codes and not all(SMALL in place for place in places):
            codes -= {SMALL}
        yield one, codes
