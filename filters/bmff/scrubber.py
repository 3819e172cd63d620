"""The scrubber for all ISO base media files: still pictures, films, and both in one file.

The file is written anew with only what is needed to show and play it; coded pictures and sound are copied byte for byte, but for
the data of programs inside them, which is overwritten in place (``filters.bmff.userdata``).  ISO/IEC 14496-12, 23008-12, QTFF.
"""

from __future__ import annotations

from filters.api import STRICT, Cleaning, Fate, FilterError, Finding, ImageInfo, Malformed, Nature, Scrubbed, TooBig, Unsupported
from filters.bmff import boxes, compressed, facts, fragments, items, properties
from filters.bmff.boxes import Box
from filters.bmff.heif import Stills
from filters.bmff.items import Item
from filters.bmff.layout import Layout, Media
from filters.bmff.metabox import Writer
from filters.bmff.movie import Movie, Track
from filters.bmff.notes import Notes
from filters.jpeg import scrubber as jpeg
from filters.png import scrubber as png

SOUND_ONLY = "bmff.sound-only"
_NOTHING = 2048  # bytes of names and dates around sound; less than a picture in which somebody could be known
_LARGEST = 0xF0000000  # bytes; offsets of four bytes then always suffice
_DROPPED = {
    b"uuid": "bmff.uuid", b"free": "bmff.leftover", b"skip": "bmff.leftover", b"wide": "bmff.leftover", b"jumb": "bmff.jumbf",
    b"udta": "bmff.user-data", b"mpvd": "bmff.motion-photo", b"meta": "bmff.metadata", b"pnot": "bmff.thumbnail",
    b"PICT": "bmff.thumbnail", b"pict": "bmff.thumbnail", b"thum": "bmff.thumbnail",
}  # fmt: skip
# Brands of a registry (mp4ra.org) that tell readers what to expect; others tell who made the file.
_BRANDS = frozenset(
    b"avif avis avio mif1 mif2 mif3 miaf msf1 MA1A MA1B MA1C heic heix heim heis hevc hevx hevm hevs hevd heif jpeg jpgs "
    b"j2ki j2is avci avcs evbi evbs vvic vvis unif 1pic MiHA MiHB MiHE MiPr MiAn MiAC MiCm geo1 pred isom iso2 iso3 iso4 "
    b"iso5 iso6 iso7 iso8 iso9 isoa isob isoc mp41 mp42 mp71 mp21 avc1 av01 dash dsms msdh msix risx lmsg sims cmfc cmff "
    b"cmfs cmf2 hlsf ifaa ifah ifav hvc1 hev1 dby1 db1p 3gp4 3gp5 3gp6 3gp7 3gp8 3gp9 3ge6 3ge7 3ge9 3gg6 3gg9 3gh9 3gm9 "
    b"3gr6 3gr9 3gs6 3gs9 3gt9 3g2a 3g2b 3g2c 3gt8 M4A M4B M4V M4P M4VH M4VP f4v F4V F4A f4a iphE opf2 opx2 OIIE vvc1 evc1 "
    b"dva1 dvh1 qt".split()
)


class Bmff:
    """The scrubber under one of the names that ``filters.sniff`` gives."""

    native = False

    def __init__(self, name: str) -> None:
        self.name = name

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the pictures or the film.  Raises FilterError."""
        job = _Job(data)
        codes = frozenset(finding.code for finding in job.notes.removed)
        return job.still_info(codes) if job.stills is not None else job.movie_info(codes)

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """The same pictures and sound; the very same object when nothing else was there.  Raises FilterError."""
        job = _Job(data)
        findings = tuple(job.notes.findings)
        return Scrubbed(job.write() if job.notes.removed else data, findings)

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """Everything that a second scrub would still remove; a file that cannot be read is one STUCK finding."""
        try:
            return _Job(data).notes.removed
        except FilterError:
            return (Finding("bmff.unreadable", "file", Fate.STUCK),)


class _Job:
    """One walk through one file."""

    def __init__(self, data: bytes) -> None:
        if len(data) > _LARGEST:
            raise TooBig("limit of bytes")
        self.data, self.notes = data, Notes()
        self.boxes = boxes.top(data)
        self.media = Media(data, [box for box in self.boxes if box.kind == b"mdat"])
        self.movie = self._movie()
        self.stills = self._stills()
        if self.movie is None and self.stills is None:
            raise Unsupported("neither pictures nor a film")
        self.fragments = self._fragments()
        self.layout = self._place()

    def _only(self, kind: bytes) -> Box | None:
        found = [box for box in self.boxes if box.kind == kind]
        if len(found) > 1:
            raise Malformed("a box that may stand once stands twice")
        return found[0] if found else None

    def _movie(self) -> Movie | None:
        box = self._only(b"moov")
        return Movie(*compressed.movie(self.data, box, self.notes), self.notes, self.media) if box else None

    def _stills(self) -> Stills | None:
        """The pictures of the meta box; of a film it is metadata and nothing else."""
        box = self._only(b"meta")
        if box is None:
            return None
        meta = items.read(self.data, box, self.notes)
        if meta.handler != b"pict" or (self.movie is not None and meta.primary not in meta.items):
            return None
        return Stills(self.data, meta, self.notes, self.media)

    def _fragments(self) -> dict[int, fragments.Fragment]:
        moofs = [box for box in self.boxes if box.kind == b"moof"]
        if not moofs:
            return {}
        if self.movie is None:
            raise Unsupported("fragments of a film that is not here")
        sizes = fragments.defaults(self.movie)
        return {box.start: fragments.Fragment(self.data, box, self.movie, sizes) for box in moofs}

    # ---- the new file

    def _place(self) -> Layout:
        self.media.settle()
        gap = self.media.gap()
        if gap is not None:
            self.notes.note("bmff.gap", f"mdat@{gap}")
        layout = Layout(self.media)
        for box in self.boxes:
            self._top(box, layout)
        end = boxes.tail(self.boxes, 0)
        if end < len(self.data):
            self.notes.note("bmff.trailer", f"file@{end}")
        return layout

    def _top(self, box: Box, layout: Layout) -> None:
        """One box of the file, to its place."""
        if box.kind in (b"ftyp", b"styp"):
            layout.put(box.start, [self._brands(box)])
        elif box.kind == b"moov" and self.movie is not None:
            layout.put(box.start, self.movie.parts)
        elif box.kind == b"meta" and self.stills is not None:
            tracks = frozenset(self.movie.kept) if self.movie else frozenset[int]()
            layout.put(box.start, Writer(self.stills, tracks).parts())
        elif box.kind == b"mdat":
            layout.put(box.start, box)
        elif box.kind == b"moof":
            layout.put(box.start, self.fragments[box.start].parts)
        elif not self._harmless(box):
            self.notes.note(_DROPPED.get(box.kind, "bmff.unknown-box"), box)

    def _harmless(self, box: Box) -> bool:
        """Padding, and indexes that hold nothing but numbers: they may stay if nothing moves, and go without a word."""
        if box.kind in (b"free", b"skip", b"wide", b"\0\0\0\0"):
            return boxes.blank(self.data, box.body, box.end)
        return box.kind in (b"sidx", b"mfra") and bool(self.fragments) and fragments.index(box, self.data)

    def _brands(self, box: Box) -> bytes:
        """Major brand and version, and the compatible brands that say what to expect."""
        body = self.data[box.body : box.end]
        if len(body) < 8:
            raise Malformed("box too short")
        names = [body[at : at + 4] for at in range(8, len(body) - 3, 4)]
        kept = [name for name in names if name == body[:4] or name.rstrip(b" ") in _BRANDS or name == bytes(4)]
        cleaned = body[:8] + b"".join(kept)
        if cleaned != body:
            self.notes.note("bmff.brand", box)
        return boxes.write(box.kind, cleaned)

    def write(self) -> bytes:
        """The cleaned file."""
        return self.layout.write()

    # ---- facts

    def still_info(self, codes: frozenset[str]) -> ImageInfo:
        """Facts of the primary picture; frames are the pictures that are shown, or those of the sequence."""
        assert self.stills is not None
        item = self.stills.meta.items[self.stills.roots[0]]
        width, height = properties.size(self.stills.property(item, b"ispe") or bytes(12))
        tracks = [track for track in self.movie.kept.values() if track.visual] if self.movie else []
        frames = max([len(self.stills.roots), *(self._frames(track) for track in tracks)])
        found = self.stills.facts
        return ImageInfo(
            width=width, height=height, bits=self._bits(item), frames=frames, orientation=self._turn(item), codes=codes,
            make=found.make, model=found.model, serial=found.serial, taken=found.taken,
        )  # fmt: skip

    def _bits(self, item: Item) -> int:
        assert self.stills is not None
        kinds = ((kind, self.stills.property(item, kind)) for kind in (b"pixi", b"hvcC", b"av1C"))
        return next((bits for kind, body in kinds if body and (bits := properties.bits(kind, body))), 8)

    def _turn(self, item: Item) -> int:
        assert self.stills is not None
        turn, mirror = (self.stills.property(item, kind) for kind in (b"irot", b"imir"))
        return properties.orientation(turn[0] if turn else 0, mirror[0] & 1 if mirror else None)

    def _frames(self, track: Track) -> int:
        counted = track.samples.count if track.samples else 0
        return counted + sum(fragment.samples.get(track.number, 0) for fragment in self.fragments.values())

    def movie_info(self, codes: frozenset[str]) -> ImageInfo:
        """Facts of a film; of sound with a cover, those of the cover."""
        assert self.movie is not None
        found = facts.read(self.movie.data, self.movie.box)
        tracks = [track for track in self.movie.kept.values() if track.visual]
        size = max(((track.description.width, track.description.height) for track in tracks), default=(0, 0))
        if not tracks:
            size = _cover_size(found.cover)
            codes |= {SOUND_ONLY} if not found.cover and self._around() <= _NOTHING else frozenset()
        return ImageInfo(
            width=size[0], height=size[1], bits=8, frames=max([1, *map(self._frames, tracks)]), codes=codes | found.codes,
            nature=Nature.VIDEO if tracks else Nature.PHOTO, make=found.make, model=found.model, serial=found.serial,
            taken=found.taken,
        )  # fmt: skip

    def _around(self) -> int:
        """How many bytes there are beside what plays."""
        return len(self.data) - len(self.write()) if self.notes.removed else 0


def _cover_size(cover: bytes) -> tuple[int, int]:
    for scrubber in (jpeg.JPEG, png.PNG):
        try:
            info = scrubber.inspect(cover)
        except FilterError:
            continue
        return info.width, info.height
    return 0, 0


HEIC, HEIF, AVIF, MP4, MOV, THREEGP, M4A = map(Bmff, ("heic", "heif", "avif", "mp4", "mov", "3gp", "m4a"))
