"""Still pictures (HEIF, HEIC, AVIF): which items are pictures that are shown, and the meta box that names only these."""

from __future__ import annotations

from collections.abc import Mapping

from filters import exif, jpeg
from filters.api import Malformed, Unsupported
from filters.bmff import boxes, config, items, properties, userdata
from filters.bmff.boxes import Box
from filters.bmff.items import Item, Meta
from filters.bmff.layout import Media, Offsets, Parts, numbers, wrap
from filters.bmff.leaves import hdlr
from filters.bmff.notes import Notes

CODED = frozenset((b"hvc1", b"hev1", b"lhv1", b"avc1", b"av01", b"vvc1", b"evc1", b"jpeg", b"j2k1", b"unci", b"hvt1"))
DERIVED = frozenset((b"grid", b"iovl", b"iden", b"tili", b"sato"))
# References from a picture to what it is made of, and from a layer to the layers below
_NEEDS = frozenset((b"dimg", b"base", b"exbl", b"pred", b"tbas", b"oref"))
_KEPT_REFERENCES = _NEEDS | {b"auxl", b"prem"}
# References that make their source something else than a picture to show
_SECONDARY: Mapping[bytes, str] = {
    b"thmb": "bmff.thumbnail", b"auxl": "bmff.auxiliary", b"cdsc": "bmff.metadata-item", b"mask": "bmff.auxiliary",
}  # fmt: skip
_GROUPS = frozenset((b"altr", b"ster", b"brst", b"eqiv", b"slid"))
_AUX: tuple[tuple[bytes, str], ...] = (
    (b"gainmap", "bmff.gain-map"), (b"depth", "bmff.depth-map"), (b"disparity", "bmff.depth-map"), (b"auxid:2", "bmff.depth-map"),
)  # fmt: skip
_BOXES = frozenset((b"hdlr", b"pitm", b"iinf", b"iloc", b"iref", b"iprp", b"idat", b"grpl", b"dinf"))
_DROPPED: Mapping[bytes, str] = {
    b"uuid": "bmff.uuid", b"free": "bmff.leftover", b"skip": "bmff.leftover", b"jumb": "bmff.jumbf", b"xml ": "bmff.metadata",
    b"bxml": "bmff.metadata", b"udta": "bmff.user-data",
}  # fmt: skip


class Stills:
    """The pictures of one meta box."""

    def __init__(self, data: bytes, meta: Meta, notes: Notes, media: Media) -> None:
        self.data, self.meta, self.notes, self.media = data, meta, notes, media
        self.facts = exif.ExifFacts()
        self._own: dict[int, int] = {}  # item -> offset in what is added to the file
        self._own_sizes: dict[int, int] = {}
        self.roots = self._roots()
        self.kept = self._closure()
        self._judge_dropped()
        self.bodies: dict[int, bytes] = {}  # index of a property -> its cleaned box
        self._clean_properties()
        for number in sorted(self.kept):
            self._content(self.meta.items[number])

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
            if kind in _NEEDS:
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
                self._unknown(index, box)
                continue
            if cleaned:
                self.bodies[index] = boxes.write(box.kind, cleaned)

    def _unknown(self, index: int, box: Box) -> None:
        """A property that we do not know goes; one that a reader must know makes the picture one that we do not know."""
        needed = any((index, True) in self.meta.items[number].properties for number in self.kept)
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

    def _content(self, item: Item) -> None:
        if item.external or (not item.extents and item.kind not in (b"iden",)):
            raise Malformed("a picture that is not in the file")
        if item.kind == b"jpeg":
            self._jpeg(item)
        elif item.kind in CODED:
            self._look_into(item)
        if item.number not in self._own and not item.inside:
            offsets, sizes = zip(*item.extents, strict=True) if item.extents else ((), ())
            self.media.need(numbers(*offsets), numbers(*sizes))

    def _jpeg(self, item: Item) -> None:
        """A JPEG file as an item is cleaned as such; its header may stand in a property (23008-12 H.2)."""
        prefix = self.property(item, b"jpgC")
        cleaned = jpeg.JPEG.scrub((prefix or b"") + item.content(self.data))
        removed = [finding for finding in cleaned.findings if finding.fate is not finding.fate.KEPT]
        if not removed:
            return
        for finding in removed:
            self.notes.note(finding.code, f"item@{item.number}")
        item.properties = [(i, need) for i, need in item.properties if self.meta.properties[i - 1].kind != b"jpgC"]
        self._own[item.number] = self.media.add(cleaned.data)
        self._own_sizes[item.number] = len(cleaned.data)

    def _look_into(self, item: Item) -> None:
        """Overwrite what stands in the coded picture beside the picture."""
        sizes = (self._nal_size(item, kind) for kind in (b"hvcC", b"avcC", b"lhvC"))
        size = next((size for size in sizes if size), 0)
        if len(item.extents) == 1:
            start, length = item.extents[0]
            patches = userdata.sample(item.kind, size, self.data, start, start + length)
        else:
            content = item.content(self.data)
            patches = self._spread(item, userdata.sample(item.kind, size, content, 0, len(content)))
        for at, words in patches:
            self.media.patches[at] = words
            self.notes.note("bmff.video-user-data", f"item@{item.number}")

    def _nal_size(self, item: Item, kind: bytes) -> int:
        body = self.property(item, kind)
        return config.nal_size(kind, body) if body else 0

    def _spread(self, item: Item, patches: list[userdata.Patch]) -> list[userdata.Patch]:
        """Patches of the joined content, told in offsets of the file."""
        found: list[userdata.Patch] = []
        for at, words in patches:
            before = 0
            for offset, length in item.extents:
                low, high = max(at, before), min(at + len(words), before + length)
                if low < high:
                    found.append((offset + low - before, words[low - at : high - at]))
                before += length
        return found

    # ---- the meta box as it may stay

    def parts(self, tracks: frozenset[int]) -> Parts:
        """The meta box; ``tracks`` are the tracks that groups may name besides items."""
        idat, places = self._idat()
        out: Parts = [self.data[self.meta.box.body : self.meta.box.body + 1] + bytes(3)]
        for child in self.meta.children:
            body = self.data[child.body : child.end]
            if child.kind == b"hdlr":
                cleaned = hdlr(body)
                if cleaned != body:
                    self.notes.note("bmff.handler-name", child)
                out.append(boxes.write(b"hdlr", cleaned))
            elif child.kind == b"pitm":
                wide = 4 if body[0] else 2
                out.append(boxes.full(b"pitm", body[0], 0, self.roots[0].to_bytes(wide, "big")))
            elif child.kind == b"iinf":
                out.append(self._iinf())
            elif child.kind == b"iloc":
                out += self._iloc(places)
            elif child.kind == b"iref":
                out.append(self._iref())
            elif child.kind == b"iprp":
                out.append(self._iprp())
            elif child.kind == b"idat":
                out.append(boxes.write(b"idat", idat) if idat else b"")
            elif child.kind == b"grpl":
                out.append(self._grpl(tracks))
            elif child.kind == b"dinf":
                out.append(boxes.write(b"dinf", boxes.full(b"dref", 0, 0, b"\0\0\0\1" + boxes.full(b"url ", 0, 1, b""))))
            elif not (child.kind in (b"free", b"skip") and boxes.blank(self.data, child.body, child.end)):
                self.notes.note(_DROPPED.get(child.kind, "bmff.unknown-box"), child)
        return wrap(b"meta", out)

    def _idat(self) -> tuple[bytes, dict[tuple[int, int], int]]:
        """The bytes of kept items in idat, and where each extent stands there."""
        out, places = bytearray(), dict[tuple[int, int], int]()
        for number in sorted(self.kept):
            item = self.meta.items[number]
            for extent in item.extents if item.inside and number not in self._own else ():
                if extent not in places:
                    places[extent] = len(out)
                    offset, length = extent
                    patches = [at for at in self.media.patches if offset <= at < offset + length]
                    out += self.media.copy(offset, offset + length, patches)
        if self.meta.idat is not None:
            self._idat_gap(places)
        return bytes(out), places

    def _idat_gap(self, places: Mapping[tuple[int, int], int]) -> None:
        assert self.meta.idat is not None
        at = self.meta.idat.body
        for offset, length in [*sorted(places), (self.meta.idat.end, 0)]:
            if not boxes.blank(self.data, at, offset):
                self.notes.note("bmff.gap", self.meta.idat)
                return
            at = max(at, offset + length)

    def _wide(self) -> bool:
        return max(self.kept) > 0xFFFF

    def _iinf(self) -> bytes:
        out = b""
        for item in self.meta.items.values():
            if item.number in self.kept:
                number = item.number.to_bytes(4 if item.number > 0xFFFF else 2, "big")
                version = 3 if item.number > 0xFFFF else 2
                out += boxes.full(b"infe", version, int(item.hidden), number + bytes(2) + item.kind + b"\0")
        return boxes.full(b"iinf", 0, 0, len(self.kept).to_bytes(2, "big") + out)

    def _iloc(self, places: Mapping[tuple[int, int], int]) -> Parts:
        """Offsets and lengths of four bytes, version 0 if it can be."""
        inside = any(self.meta.items[number].inside and number not in self._own for number in self.kept)
        version = 2 if self._wide() else int(inside)
        wide = 4 if version == 2 else 2
        kept = [
            item for item in self.meta.items.values() if item.number in self.kept and (item.located or item.number in self._own)
        ]
        out: Parts = [bytes((version, 0, 0, 0, 0x44, 0)) + len(kept).to_bytes(wide, "big")]
        for item in kept:
            own, extents = item.number in self._own, item.extents
            head = item.number.to_bytes(wide, "big")
            head += (int(item.inside and not own)).to_bytes(2, "big") if version else b""
            out.append(head + bytes(2) + (1 if own else len(extents)).to_bytes(2, "big"))
            if own:
                size = self._own_sizes[item.number]
                out += [Offsets(numbers(self._own[item.number]), own=True), size.to_bytes(4, "big")]
            for offset, length in [] if own else extents:
                start = places[offset, length].to_bytes(4, "big") if item.inside else Offsets(numbers(offset))
                out += [start, length.to_bytes(4, "big")]
        return wrap(b"iloc", out)

    def _iref(self) -> bytes:
        wide = 4 if self._wide() else 2
        out = b""
        for kind, source, targets in self.meta.references:
            kept = [number for number in targets if number in self.kept]
            if kind not in _KEPT_REFERENCES or source not in self.kept or not kept:
                if source in self.kept:
                    self.notes.note("bmff.reference", f"item@{source}")
                continue
            body = source.to_bytes(wide, "big") + len(kept).to_bytes(2, "big")
            out += boxes.write(kind, body + b"".join(number.to_bytes(wide, "big") for number in kept))
        return boxes.full(b"iref", int(wide == 4), 0, out) if out else b""

    def _iprp(self) -> bytes:
        order = {index: place for place, index in enumerate(sorted(self.bodies), 1)}
        store = boxes.write(b"ipco", b"".join(self.bodies[index] for index in sorted(self.bodies)))
        flag, wide, mark = (1, 2, 0x8000) if len(order) > 0x7F else (0, 1, 0x80)
        rows, count = b"", 0
        for number in sorted(self.kept):
            pairs = [(order[index], need) for index, need in self.meta.items[number].properties if index in order]
            if pairs:
                count += 1
                rows += number.to_bytes(4 if self._wide() else 2, "big") + bytes((len(pairs),))
                rows += b"".join((place | (mark if need else 0)).to_bytes(wide, "big") for place, need in pairs)
        return boxes.write(b"iprp", store + boxes.full(b"ipma", int(self._wide()), flag, count.to_bytes(4, "big") + rows))

    def _grpl(self, tracks: frozenset[int]) -> bytes:
        """Groups of shown pictures (14496-12 8.18)."""
        out = b""
        for box in self.meta.groups:
            reader = boxes.Reader(self.data, box.body, box.end)
            reader.full()
            number, count = reader.take(4), reader.number(4)
            if count * 4 > reader.left:
                raise Malformed("a group beyond the end of its box")
            members = [reader.number(4) for _ in range(count)]
            kept = [number for number in members if number in self.kept or number in tracks]
            if reader.left or kept != members or box.kind not in _GROUPS:
                self.notes.note("bmff.group", box)
            if box.kind in _GROUPS and len(kept) > 1:
                ids = b"".join(member.to_bytes(4, "big") for member in kept)
                out += boxes.full(box.kind, 0, 0, number + len(kept).to_bytes(4, "big") + ids)
        return boxes.write(b"grpl", out) if out else b""


def read(data: bytes, box: Box, notes: Notes) -> Meta:
    """The meta box at the top of a file."""
    return items.read(data, box, notes)
