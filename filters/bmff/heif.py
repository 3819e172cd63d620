"""Still pictures (HEIF, HEIC, AVIF; 23008-12): which items are pictures that are shown, and what these need."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from filters.api import Malformed, Scrubber, Unsupported
from filters.bmff import boxes, config, properties, userdata
from filters.bmff.boxes import Box
from filters.bmff.items import Item, Meta
from filters.bmff.layout import Looked, Media, numbers
from filters.bmff.notes import Notes
from filters.jpeg import scrubber as jpeg
from filters.jpeg2000 import j2k
from filters.metadata import exif

CODED = frozenset((b"hvc1", b"hev1", b"lhv1", b"avc1", b"av01", b"vvc1", b"evc1", b"jpeg", b"j2k1", b"unci", b"hvt1"))
DERIVED = frozenset((b"grid", b"iovl", b"iden", b"tili", b"sato"))
# References from a picture to what it is made of, and from a layer to the layers below
NEEDS = frozenset((b"dimg", b"exbl", b"pred", b"tbas", b"oref"))
# References that make their source something else than a picture to show
_SECONDARY: Mapping[bytes, str] = {
    b"thmb": "bmff.thumbnail", b"auxl": "bmff.auxiliary", b"cdsc": "bmff.metadata-item", b"mask": "bmff.auxiliary",
}  # fmt: skip
_AUX: tuple[tuple[bytes, str], ...] = (
    (b"gainmap", "bmff.gain-map"), (b"depth", "bmff.depth-map"), (b"disparity", "bmff.depth-map"), (b"auxid:2", "bmff.depth-map"),
)  # fmt: skip


_FILES: Mapping[bytes, Scrubber] = {b"jpeg": jpeg.JPEG, b"j2k1": j2k.J2K}  # items that are files with metadata of their own
_MOST_PLACES = 1_000_000  # pieces of a picture times changes to it


class Stills:
    """The pictures of one meta box."""

    def __init__(self, data: bytes, meta: Meta, notes: Notes, media: Media) -> None:
        self.data, self.meta, self.notes, self.media = data, meta, notes, media
        self.facts = exif.ExifFacts()
        self.own: dict[int, tuple[int, int]] = {}  # item -> offset and size of its new bytes, in what is added to the file
        self.roots = self._roots()
        self.kept = self._closure()
        self._judge_dropped()
        self.bodies: dict[int, bytes] = {}  # index of a property -> its cleaned box
        self._clean_properties()
        extents: list[tuple[int, int]] = []
        for number in sorted(self.kept):
            extents += self._content(self.meta.items[number])
        if extents:
            media.need(*np.array(extents, np.int64).T)

    # ---- which items stay

    def _roots(self) -> list[int]:
        """The pictures that a program shows: the primary one and all that are neither hidden nor parts of another."""
        if self.meta.primary not in self.meta.items:
            raise Malformed("no primary picture")
        inputs = {number for kind, _, targets in self.meta.references if kind == b"dimg" for number in targets}
        sources = {source for kind, source, _ in self.meta.references if kind in _SECONDARY}
        found = [self._primary()]
        for item in self.meta.items.values():
            shown = item.kind in CODED | DERIVED and not item.hidden and item.number not in inputs | sources
            if shown and item.number != found[0] and (item.located or item.kind == b"iden"):
                found.append(item.number)
        if self.meta.items[found[0]].kind not in CODED | DERIVED:
            raise Unsupported("a primary item that is no known picture")
        return found

    def _primary(self) -> int:
        """The primary picture; of a thumbnail that claims to be it, the picture it is the thumbnail of.

        Programs differ in which of the two they show: it must be the larger one.
        """
        primary = self.meta.primary
        assert primary is not None
        masters = [
            targets[0] for kind, source, targets in self.meta.references if kind == b"thmb" and source == primary and targets
        ]
        if not masters or masters[0] not in self.meta.items:
            return primary
        small, large = (self._area(self.meta.items[number]) for number in (primary, masters[0]))
        if small > large:
            raise Malformed("a primary picture that claims to be a thumbnail")
        return masters[0]

    def _area(self, item: Item) -> int:
        width, height = properties.size(self.property(item, b"ispe") or bytes(12))
        return width * height

    def _closure(self) -> set[int]:
        """The shown pictures, all they are made of, and their transparencies."""
        needs: dict[int, list[int]] = {}
        for kind, source, targets in self.meta.references:
            if kind in NEEDS:
                needs.setdefault(source, []).extend(targets)
            if kind == b"auxl" and source in self.meta.items and self._is_alpha(self.meta.items[source]):
                for target in targets:
                    needs.setdefault(target, []).append(source)
        kept, todo = set[int](), list(self.roots)
        while todo:
            number = todo.pop()
            if number in kept:
                continue
            if number not in self.meta.items:
                raise Malformed("a reference to no item")
            kept.add(number)
            todo += needs.get(number, ())
        return kept

    def _auxiliary_type(self, item: Item) -> bytes:
        found = (self.meta.properties[index - 1] for index, _ in item.properties)
        return next((self.data[box.body + 4 : box.end] for box in found if box.kind == b"auxC"), b"")

    def _is_alpha(self, item: Item) -> bool:
        kinds = [self.meta.properties[index - 1] for index, _ in item.properties]
        return any(box.kind == b"auxC" and properties.KEPT[b"auxC"](self.data[box.body : box.end]) for box in kinds)

    def _judge_dropped(self) -> None:
        """Say what goes, and read the facts that it holds."""
        why = {source: code for kind, source, _ in self.meta.references if (code := _SECONDARY.get(kind))}
        for item in self.meta.items.values():
            if item.number in self.kept:
                if item.named:
                    self.notes.note("bmff.item-name", f"item@{item.number}")
                continue
            code = self._code(item, why.get(item.number, ""))
            self.notes.note(code, f"item@{item.number}")
            if item.kind == b"Exif" and not item.external:
                self._exif(item)

    def _code(self, item: Item, why: str) -> str:
        if item.kind == b"Exif":
            return "exif.block"
        if item.kind == b"tmap":
            return "bmff.gain-map"
        if item.kind == b"mime" and item.content_type.startswith(b"application/rdf+xml"):
            return "bmff.xmp"
        if item.kind in CODED | DERIVED:
            name = self._auxiliary_type(item).lower()
            return next((code for word, code in _AUX if word in name), why or "bmff.hidden-item")
        return "bmff.metadata-item"

    def _exif(self, item: Item) -> None:
        """Facts of an Exif item: an offset, then a TIFF structure (23008-12 A.2.1)."""
        content = item.content(self.data)
        skip = 4 + int.from_bytes(content[:4], "big")
        tiff = content[skip:] if skip < len(content) else content[4:]
        if tiff.startswith(exif.PREFIX):
            tiff = tiff[len(exif.PREFIX) :]
        facts = exif.facts(tiff)
        for code in sorted(facts.codes):
            self.notes.note(code, f"item@{item.number}")
        if not self.facts.make and not self.facts.taken:
            self.facts = facts

    # ---- properties

    def _clean_properties(self) -> None:
        used = {index for number in self.kept for index, _ in self.meta.items[number].properties}
        essential = {index for number in self.kept for index, need in self.meta.items[number].properties if need}
        for index, box in enumerate(self.meta.properties, 1):
            if index not in used:
                if not (box.kind in (b"free", b"skip") and boxes.blank(self.data, box.body, box.end)):
                    self.notes.note("bmff.property", box)
                continue
            body = self.data[box.body : box.end]
            if box.kind == b"colr":
                cleaned, code = properties.colours(body)
                if code:
                    self.notes.note(code, box)
            elif box.kind in properties.KEPT:
                cleaned = properties.KEPT[box.kind](body)
                if cleaned != body:
                    self.notes.note("bmff.property", box)
            else:
                self._unknown(box, index in essential)
                continue
            if cleaned:
                self.bodies[index] = boxes.write(box.kind, cleaned)

    def _unknown(self, box: Box, needed: bool) -> None:
        """A property that we do not know goes; one that a reader must know makes the picture one that we do not know."""
        if needed and box.kind not in properties.WORDS:
            raise Unsupported("a picture with an unknown essential property")
        if not (box.kind in (b"free", b"skip") and boxes.blank(self.data, box.body, box.end)):
            self.notes.note("bmff.property", box)

    def property(self, item: Item, kind: bytes) -> bytes | None:
        """The body of the item's first property of that kind, as it stands in the input."""
        for index, _ in item.properties:
            box = self.meta.properties[index - 1]
            if box.kind == kind:
                return self.data[box.body : box.end]
        return None

    # ---- content

    def _content(self, item: Item) -> list[tuple[int, int]]:
        """Look into the bytes of a kept item; the ranges of the file that are needed of it."""
        if item.external or (not item.extents and item.kind not in (b"iden",)):
            raise Malformed("a picture that is not in the file")
        if item.kind in _FILES:
            self._file(item)
        elif item.kind in CODED:
            self._look_into(item)
        return [] if item.number in self.own or item.inside else item.extents

    def _file(self, item: Item) -> None:
        """A JPEG or JPEG 2000 file as an item is cleaned as such; a JPEG's header may stand in a property (23008-12 H.2)."""
        prefix = self.property(item, b"jpgC")
        cleaned = _FILES[item.kind].scrub((prefix or b"") + item.content(self.data))
        removed = [finding for finding in cleaned.findings if finding.fate is not finding.fate.KEPT]
        if not removed:
            return
        for finding in removed:
            self.notes.note(finding.code, f"item@{item.number}")
        item.properties = [(i, need) for i, need in item.properties if self.meta.properties[i - 1].kind != b"jpgC"]
        self.own[item.number] = (self.media.add(cleaned.data), len(cleaned.data))

    def _look_into(self, item: Item) -> None:
        """Overwrite what stands in the coded picture beside the picture."""
        sizes = (self._nal_size(item, kind) for kind in (b"hvcC", b"avcC", b"lhvC"))
        size = next((size for size in sizes if size), 0)
        if len(item.extents) == 1:
            start, length = item.extents[0]
            patches = userdata.sample(item.kind, size, self.data, start, start + length)
            self.media.looked.append(Looked((item.kind, size), numbers(start), numbers(start + length)))
        else:
            content = item.content(self.data)
            places = np.array(item.extents, np.int64).reshape(-1, 2)
            self.media.looked.append(Looked((item.kind, size), places[:, 0], places.sum(1)))
            patches = self._spread(item, userdata.sample(item.kind, size, content, 0, len(content)))
        for at, words in patches:
            self.media.patches[at] = words
            self.notes.note("bmff.video-user-data", f"item@{item.number}")

    def _nal_size(self, item: Item, kind: bytes) -> int:
        body = self.property(item, kind)
        return config.nal_size(kind, body) if body else 0

    def _spread(self, item: Item, patches: list[userdata.Patch]) -> list[userdata.Patch]:
        """Patches of the joined content, told in offsets of the file."""
        if len(patches) * len(item.extents) > _MOST_PLACES:
            raise Malformed("a picture in too many pieces")
        found: list[userdata.Patch] = []
        for at, words in patches:
            before = 0
            for offset, length in item.extents:
                low, high = max(at, before), min(at + len(words), before + length)
                if low < high:
                    found.append((offset + low - before, words[low - at : high - at]))
                before += length
        return found
