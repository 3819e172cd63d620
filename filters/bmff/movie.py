"""The movie box (14496-12 8.2): tracks of pictures and sound with what is needed to play them; everything else goes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from filters.api import Malformed, TooBig, Unsupported
from filters.bmff import boxes, descriptions, leaves, samples, stills, userdata
from filters.bmff.boxes import Box
from filters.bmff.descriptions import Description
from filters.bmff.layout import Looked, Media, Numbers, Offsets, Parts, wrap
from filters.bmff.notes import Notes
from filters.bmff.samples import Samples

_PICTURES, _SOUND = frozenset((b"vide", b"pict", b"auxv")), b"soun"
_MOST_TRACKS = 200
_MOST_PICTURES = 2_000_000  # of one film: 9 hours at 60 a second

# What may stand in which container
_CHILDREN: Mapping[bytes, frozenset[bytes]] = {
    b"moov": frozenset((b"mvhd", b"trak", b"mvex")),
    b"trak": frozenset((b"tkhd", b"edts", b"tref", b"mdia", b"tapt")),
    b"edts": frozenset((b"elst",)),
    b"tapt": frozenset((b"clef", b"prof", b"enof")),
    b"mdia": frozenset((b"mdhd", b"hdlr", b"minf", b"elng")),
    b"minf": frozenset((b"vmhd", b"smhd", b"nmhd", b"hdlr", b"dinf", b"stbl")),
    b"dinf": frozenset((b"dref",)),
    b"stbl": frozenset((b"stsd", b"stts", b"ctts", b"cslg", b"stsc", b"stsz", b"stz2", b"stco", b"co64", b"stss", b"stps",
                        b"sdtp", b"sbgp", b"sgpd")),
    b"mvex": frozenset((b"mehd", b"trex")),
}  # fmt: skip
_REPEATED = frozenset((b"trak", b"trex", b"sbgp", b"sgpd"))
_DROPPED: Mapping[bytes, str] = {
    b"udta": "bmff.user-data", b"meta": "bmff.metadata", b"uuid": "bmff.uuid", b"free": "bmff.leftover", b"skip": "bmff.leftover",
    b"wide": "bmff.leftover", b"jumb": "bmff.jumbf",
}  # fmt: skip
_TRACKS: Mapping[bytes, str] = {
    **dict.fromkeys((b"text", b"sbtl", b"subt", b"subp", b"clcp"), "bmff.subtitles"),
    **dict.fromkeys((b"meta", b"mebx", b"gpmd", b"camm", b"GPS ", b"fdsc"), "bmff.timed-metadata"),
    b"tmcd": "bmff.timecode",
}
# References to other tracks that a player needs: transparency, layers of a scalable film
_REFERENCES = frozenset((b"auxl", b"prem", b"scal", b"sbas", b"oref", b"tbas"))
_SECOND: Mapping[bytes, str] = {
    b"thmb": "bmff.thumbnail", b"vdep": "bmff.depth-map", b"vplx": "bmff.auxiliary", b"cdsc": "bmff.timed-metadata",
}  # fmt: skip
_GROUPINGS: Mapping[bytes, int] = {b"roll": 2, b"prol": 2, b"rap ": 1, b"sync": 1, b"sap ": 1, b"tele": 1}


@dataclass(slots=True)
class Track:
    """One track as it stands in the input."""

    box: Box
    number: int
    handler: bytes
    references: list[tuple[bytes, tuple[int, ...]]] = field(default_factory=list)
    description: Description = field(default_factory=Description)
    samples: Samples | None = None
    why: str | None = None  # code, when the track goes

    @property
    def visual(self) -> bool:
        return self.handler in _PICTURES


class Movie:
    """One moov box: its tracks, and the box as it may stay."""

    def __init__(self, data: bytes, box: Box, notes: Notes, media: Media) -> None:
        self.data, self.box, self.notes, self.media = data, box, notes, media
        self._looked = 0
        self.tracks = [_track(data, child) for child in boxes.walk(data, box.body, box.end) if child.kind == b"trak"]
        if len(self.tracks) > _MOST_TRACKS:
            raise Malformed("too many tracks")
        self._by_start = {track.box.start: track for track in self.tracks}
        if len({track.number for track in self.tracks}) != len(self.tracks):
            raise Malformed("two tracks of one number")
        self._decide()
        self.kept = {track.number: track for track in self.tracks if track.why is None}
        if not self.kept:
            raise Unsupported("neither picture nor sound")
        self.parts = self._container(box, None)

    # ---- which tracks stay

    def _decide(self) -> None:
        chapters = {number for track in self.tracks for kind, ids in track.references if kind == b"chap" for number in ids}
        for track in self.tracks:
            if not track.visual and track.handler != _SOUND:
                track.why = _TRACKS.get(track.handler, "bmff.other-track")
            elif track.visual and track.number in chapters:
                track.why = "bmff.chapter-pictures"
            else:
                kinds = {kind for kind, _ in track.references}
                track.why = next((code for kind, code in _SECOND.items() if kind in kinds), None)
            if track.why is None:
                self._describe(track)
            if track.why:
                self.notes.note(track.why, track.box)

    def _describe(self, track: Track) -> None:
        box = _find(self.data, track.box, b"mdia", b"minf", b"stbl", b"stsd")
        if box is None:
            raise Malformed("no sample description")
        track.description = descriptions.read(self.data, box, track.visual, self.notes)
        second = track.handler == b"auxv" or any(kind == b"auxl" for kind, _ in track.references)
        if track.visual and second and not track.description.alpha:
            track.why = "bmff.auxiliary"

    # ---- the box as it may stay

    def _container(self, box: Box, track: Track | None) -> Parts:
        """A box with those of its children that may stay."""
        children = boxes.walk(self.data, box.body, box.end)
        out: Parts = []
        seen = set[bytes]()
        for child in children:
            if child.kind not in _CHILDREN[box.kind]:
                self.drop(child)
                continue
            if child.kind in seen and child.kind not in _REPEATED:
                raise Malformed("a box that may stand once stands twice")
            seen.add(child.kind)
            out += self._child(child, track)
        if not boxes.blank(self.data, boxes.tail(children, box.body), box.end):
            self.notes.note("bmff.edit-tail", box)
        if box.kind == b"stbl" and track is not None:
            self._samples(track, children)
        return wrap(box.kind, out) if out or box.kind not in (b"edts", b"tapt") else []

    def drop(self, box: Box) -> None:
        """Note a box that goes; padding goes without a word."""
        if not (box.kind in (b"free", b"skip", b"wide", b"udta") and boxes.blank(self.data, box.body, box.end)):
            self.notes.note(_DROPPED.get(box.kind, "bmff.unknown-box"), box)

    def _child(self, box: Box, track: Track | None) -> Parts:
        if box.kind == b"trak":
            track = self._by_start[box.start]
            return [] if track.why else self._container(box, track)
        if box.kind in _CHILDREN:
            return self._container(box, track)
        if box.kind in (b"stco", b"co64"):
            return self._chunks(box)
        if box.kind == b"trex" and int.from_bytes(self.data[box.body + 4 : box.body + 8], "big") not in self.kept:
            return []
        body = self.data[box.body : box.end]
        special = self._special(box.kind, body, track)
        cleaned = special if special is not None else leaves.LEAVES[box.kind](body)
        if cleaned != body and box.kind != b"stsd":
            self.notes.note(_code(box.kind, body), box)
        return [boxes.write(box.kind, cleaned)] if cleaned else []

    def _special(self, kind: bytes, body: bytes, track: Track | None) -> bytes | None:
        """What depends on more than the box itself."""
        if kind == b"stsd" and track is not None:
            return track.description.body
        if kind == b"tref" and track is not None:
            return self._references(track)
        if kind == b"sgpd":
            return _group_descriptions(body)
        if kind == b"sbgp" and body[4:8] not in _GROUPINGS:
            return b""
        if kind == b"sdtp":
            return body
        return None

    def _references(self, track: Track) -> bytes:
        out = b""
        for kind, ids in track.references:
            kept = [number for number in ids if number in self.kept]
            if kind in _REFERENCES and kept:
                out += boxes.write(kind, b"".join(number.to_bytes(4, "big") for number in kept))
        return out

    def _chunks(self, box: Box) -> Parts:
        """The table of chunks, its offsets to be told when all is placed."""
        width = 8 if box.kind == b"co64" else 4
        count = int.from_bytes(self.data[box.body + 4 : box.body + 8], "big")
        if box.end - box.body != 8 + width * count:
            self.notes.note("bmff.reserved", box)
        values = samples.chunk_offsets(self.data[box.body : box.end], width)
        return wrap(box.kind, [self.data[box.body : box.body + 8], Offsets(values, width)])

    # ---- samples

    def _samples(self, track: Track, children: tuple[Box, ...]) -> None:
        tables = {child.kind: self.data[child.body : child.end] for child in children}
        found = samples.read(tables, track.description, track.handler == _SOUND, self.media)
        self.media.need(found.chunks, found.chunk_sizes)
        track.samples = found
        if track.visual:
            self.look_into(track, found.starts, found.starts + found.sizes)

    def look_into(self, track: Track, starts: Numbers, ends: Numbers) -> None:
        """Overwrite what stands in coded pictures beside the picture."""
        self._looked += len(starts)
        if self._looked > _MOST_PICTURES:
            raise TooBig("limit of pictures")
        description = track.description
        codec = description.codecs[0] if description.codecs else b""
        self.media.looked.append(Looked((codec, description.nal_size), starts, ends))
        still = stills.CODECS.get(codec)
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            if still is not None:
                patches = still(self.media.data, start, end)
            else:
                patches = userdata.sample(codec, description.nal_size, self.media.data, start, end)
            for at, words in patches:
                self.media.patches[at] = words
                self.notes.note("bmff.video-user-data", track.box)


def _code(kind: bytes, body: bytes) -> str:
    if kind in (b"mvhd", b"tkhd", b"mdhd"):
        return "bmff.dates" if any(body[4 : 20 if body[0] else 12]) else "bmff.reserved"
    return {b"hdlr": "bmff.handler-name", b"tref": "bmff.reference", b"sbgp": "bmff.unknown-box"}.get(kind, "bmff.reserved")


def _group_descriptions(body: bytes) -> bytes:
    """sgpd of a known sort with entries of its fixed size (14496-12 8.9.3, 10), else b""."""
    size = _GROUPINGS.get(body[4:8], 0)
    head = {0: 12, 1: 16, 2: 16}.get(body[0], 0) if len(body) >= 16 else 0
    if not size or not head or (body[0] == 1 and int.from_bytes(body[8:12], "big") != size):
        return b""
    end = head + size * int.from_bytes(body[head - 4 : head], "big")
    return body[:end] if end <= len(body) else b""


def _track(data: bytes, box: Box) -> Track:
    header, handler = _find(data, box, b"tkhd"), _find(data, box, b"mdia", b"hdlr")
    if header is None or handler is None or handler.end - handler.body < 12:
        raise Malformed("a track without its headers")
    at = header.body + (20 if data[header.body : header.body + 1] == b"\1" else 12)
    if at + 4 > header.end:
        raise Malformed("box too short")
    track = Track(box, int.from_bytes(data[at : at + 4], "big"), data[handler.body + 8 : handler.body + 12])
    references = _find(data, box, b"tref")
    for child in boxes.walk(data, references.body, references.end) if references else ():
        body = data[child.body : child.end]
        ids = tuple(int.from_bytes(body[i : i + 4], "big") for i in range(0, len(body) - 3, 4))
        track.references.append((child.kind, ids))
    return track


def _find(data: bytes, box: Box, *path: bytes) -> Box | None:
    """The first box along a path of kinds."""
    found: Box | None = box
    for kind in path:
        if found is None:
            return None
        found = next((child for child in boxes.walk(data, found.body, found.end) if child.kind == kind), None)
    return found
