"""Sample descriptions (stsd, 14496-12 8.5.2, QTFF "Sample Description Atoms"): how a track is coded, without who coded it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from filters.api import Encrypted, Malformed, Unsupported
from filters.bmff import boxes, config
from filters.bmff.boxes import Box
from filters.bmff.leaves import Cleaner, exactly
from filters.bmff.notes import Notes
from filters.metadata import icc

VIDEO_CODECS = frozenset(
    (b"avc1", b"avc2", b"avc3", b"avc4", b"hvc1", b"hev1", b"hvc2", b"hev2", b"dvh1", b"dvhe", b"dvav", b"dva1", b"dav1", b"lhv1",
     b"av01", b"vp08", b"vp09", b"vvc1", b"vvi1", b"evc1", b"mp4v", b"s263", b"h263", b"H263", b"H261", b"jpeg", b"mjpa", b"mjpb",
     b"JPEG", b"AVDJ", b"apch", b"apcn", b"apcs", b"apco", b"ap4h", b"ap4x", b"SVQ1", b"SVQ3", b"cvid", b"rpza", b"rle ", b"smc ",
     b"8BPS", b"raw ", b"2vuy", b"yuv2", b"yuvs", b"v210", b"v308", b"v408", b"v410", b"YVU9", b"IV50", b"IV41", b"XVID", b"DIVX",
     b"MP4V", b"3IVD", b"WMV1", b"WMV3", b"VP31", b"VP6F", b"mp2v", b"m2v1", b"mx5p", b"hdv1", b"hdv2", b"hdv3", b"unci", b"png ",
     b"AVdn", b"CFHD", b"WRLE", b"xvid", b"divx", b"icod",)
)  # fmt: skip
_SEALED = frozenset((b"encv", b"enca", b"encs", b"enct", b"drms", b"drmi", b"p608", b"resv"))
# Two names by which players tell codecs that share a code.
_CODEC_NAMES = (b"Planar Y'CbCr 8-bit 4:2:0", b"Sorenson H263")
_MOST_CONFIG = 1 << 16


def _vendor(size: int) -> Cleaner:
    """A 3GPP decoder configuration begins with the four letters of a vendor (TS 26.244); that of AMR has nothing else to say."""
    return lambda body: bytes(4) + exactly(size)(body)[4:]


def _up_to(size: int) -> Cleaner:
    """A binary structure whose own length varies."""

    def clean(body: bytes) -> bytes:
        if len(body) > size:
            raise Malformed("decoder configuration too long")
        return body

    return clean


def _svhd(body: bytes) -> bytes:
    return exactly(4)(body) + b"\0"  # the program that made a spherical film


# What a player needs besides the codec itself: extension boxes and how each is cleaned.
_EXTENSIONS: Mapping[bytes, Cleaner] = {
    b"avcC": config.avc, b"hvcC": config.hevc, b"hvcE": config.hevc, b"lhvC": config.layered, b"av1C": config.av1,
    b"esds": config.esds, b"vvcC": _up_to(_MOST_CONFIG), b"evcC": _up_to(_MOST_CONFIG), b"vpcC": _up_to(200),
    b"SMI ": _up_to(200), b"glbl": _up_to(4096), b"d263": _vendor(7), b"pasp": exactly(8), b"clap": exactly(32),
    b"fiel": exactly(2), b"btrt": exactly(12), b"gama": exactly(4), b"mdcv": exactly(24), b"clli": exactly(4),
    b"SmDm": exactly(28), b"CoLL": exactly(8), b"dvcC": exactly(24), b"dvvC": exactly(24), b"dvwC": exactly(24),
    b"st3d": exactly(5), b"svhd": _svhd, b"prhd": exactly(16), b"equi": exactly(20), b"cbmp": exactly(12),
    b"mshp": _up_to(1 << 20), b"ccst": exactly(8), b"hfov": exactly(4), b"eyes": _up_to(200), b"proj": _up_to(80),
    b"alac": _up_to(80), b"dOps": _up_to(300), b"dac3": _up_to(16), b"dec3": _up_to(64), b"dac4": _up_to(400),
    b"ddts": _up_to(64), b"udts": _up_to(64), b"dfLa": config.flac, b"dmlp": _up_to(16), b"mhaC": _up_to(4096),
    b"iacb": _up_to(_MOST_CONFIG), b"SA3D": _up_to(300), b"pcmC": exactly(6), b"srat": exactly(8), b"chan": _up_to(1024),
    b"chnl": _up_to(300), b"enda": exactly(2), b"frma": exactly(4), b"mp4a": _up_to(4), b"samr": _up_to(16),
    b"auxi": config.alpha, b"cmpd": _up_to(200), b"uncC": _up_to(400), b"bitr": exactly(8), b"ctab": _up_to(4096),
    b"bfix": exactly(4), b"mjqt": _up_to(4096), b"mjht": _up_to(4096), b"amve": exactly(8), b"ACLR": exactly(16),
    b"APRG": exactly(16), b"ARES": _up_to(200), b"AORD": exactly(4), b"vvnC": _up_to(200), b"cclv": _up_to(60),
    b"j2kH": _up_to(400), b"nclx": _up_to(20),
}  # fmt: skip
_NESTING = frozenset((b"wave", b"sv3d", b"vexu", b"proj"))
_VISUAL, _SOUND = 78, 28


@dataclass(slots=True)
class Description:
    """All sample descriptions of one track."""

    body: bytes = field(default=b"", repr=False)
    codecs: list[bytes] = field(default_factory=list)
    nal_size: int = 0  # bytes of the length in front of a NAL unit; 0 = no NAL units
    width: int = 0
    height: int = 0
    alpha: bool = False
    sample_bytes: int = 0  # of one uncompressed sound sample, all channels; 0 = told by the sample sizes
    packet: tuple[int, int] = (0, 0)  # samples and bytes of one packet (QuickTime sound of version 1)


def read(data: bytes, box: Box, visual: bool, notes: Notes) -> Description:
    """The sample descriptions in ``box``, cleaned.  Raises FilterError."""
    found = Description()
    reader = boxes.Reader(data, box.body, box.end)
    version, _ = reader.full()
    reader.number(4)
    out = data[box.body : reader.at]
    entries, count = boxes.walk(data, reader.at, box.end), int.from_bytes(out[4:8], "big")
    if count > min(len(entries), 200) or any(entry.kind not in (b"free", b"skip") for entry in entries[count:]):
        raise Malformed("sample descriptions miscounted")
    if not all(boxes.blank(data, entry.body, entry.end) for entry in entries[count:]):
        notes.note("bmff.leftover", box)
    for entry in entries[:count]:
        if entry.kind in _SEALED or any(part.kind == b"sinf" for part in _parts(data, entry, visual, version)[0]):
            raise Encrypted("protected media")
        if visual and entry.kind not in VIDEO_CODECS:
            raise Unsupported("a film of an unknown codec")
        found.codecs.append(entry.kind)
        out += boxes.write(entry.kind, _entry(data, entry, visual, version, found, notes))
    found.body = out
    return found


def _fixed(data: bytes, entry: Box, visual: bool, version: int) -> int:
    """Where the fixed fields of a description end."""
    length = _VISUAL if visual else _SOUND
    if entry.end - entry.body < length:
        raise Malformed("sample description too short")
    kind = int.from_bytes(data[entry.body + 8 : entry.body + 10], "big")
    if not visual and version == 0:
        length += {1: 16, 2: 36}.get(kind, 0)  # QuickTime; ISO tells its own version 1 by that of stsd
    if visual:
        length += _palette(data[entry.body : entry.end])
    if entry.body + length > entry.end:
        raise Malformed("sample description too short")
    return entry.body + length


def _palette(body: bytes) -> int:
    """Bytes of a colour table behind the fields (QTFF "Color table atoms"): depth of at most 8 bits, table 0."""
    depth, table = body[75] & 0x1F, body[76:78]
    if depth not in (1, 2, 4, 8) or body[75] & 0x20 or table != b"\0\0" or len(body) < _VISUAL + 8:
        return 0
    return 8 + 8 * (1 + int.from_bytes(body[_VISUAL + 6 : _VISUAL + 8], "big"))


def _parts(data: bytes, entry: Box, visual: bool, version: int) -> tuple[tuple[Box, ...], int]:
    start = _fixed(data, entry, visual, version)
    return boxes.walk(data, start, entry.end), start


def _entry(data: bytes, entry: Box, visual: bool, version: int, found: Description, notes: Notes) -> bytes:
    parts, start = _parts(data, entry, visual, version)
    fields = bytearray(data[entry.body : start])
    if visual:
        _picture(fields, found)
    else:
        _sound(fields, entry.kind, found)
    if bytes(fields) != data[entry.body : start]:
        notes.note("bmff.compressor", entry)
    for part in parts:
        found.nal_size = config.nal_size(part.kind, data[part.body : part.end]) or found.nal_size
        fields += _extension(data, part, found, notes, 0)
    tail = boxes.tail(parts, start)
    if not boxes.blank(data, tail, entry.end):
        notes.note("bmff.reserved", entry)
    elif entry.end - tail == 4:
        fields += bytes(4)  # QuickTime closes the list so
    return bytes(fields)


def _picture(fields: bytearray, found: Description) -> None:
    """Reserved fields, vendor and compressor's name go."""
    width, height = (int.from_bytes(fields[at : at + 2], "big") for at in (24, 26))
    if width * height > found.width * found.height:
        found.width, found.height = width, height
    fields[0:6] = bytes(6)
    fields[12:16] = bytes(4)
    name = bytes(fields[43 : 43 + min(fields[42], 31)])
    kept = next((word for word in _CODEC_NAMES if name.startswith(word)), b"")
    fields[42:74] = bytes((len(kept),)) + kept + bytes(31 - len(kept)) if kept else bytes(32)


# Bits of a sample of uncompressed sound; 0 = the field says it
_RAW_SOUND: Mapping[bytes, int] = {
    b"raw ": 0, b"twos": 0, b"sowt": 0, b"NONE": 0, b"lpcm": 0, b"in24": 24, b"in32": 32, b"fl32": 32, b"fl64": 64, b"ulaw": 8,
    b"alaw": 8,
}  # fmt: skip


def _sound(fields: bytearray, kind: bytes, found: Description) -> None:
    fields[0:6] = bytes(6)
    fields[10:16] = bytes(6)
    channels, bits = (int.from_bytes(fields[at : at + 2], "big") for at in (16, 18))
    if kind in _RAW_SOUND:
        found.sample_bytes = max(1, channels) * max(1, (_RAW_SOUND[kind] or bits) // 8)
    if fields[8:10] == b"\0\1" and len(fields) >= 44:
        samples, _, size = (int.from_bytes(fields[at : at + 4], "big") for at in (28, 32, 36))
        if samples and size:
            found.packet = (samples, size)
    elif kind == b"ima4":
        found.packet = (64, 34 * max(1, channels))
    if fields[8:10] == b"\0\2" and len(fields) >= 64:
        packet, frames = (int.from_bytes(fields[at : at + 4], "big") for at in (56, 60))
        found.packet = (frames, packet) if packet and frames else found.packet


def _extension(data: bytes, part: Box, found: Description, notes: Notes, depth: int) -> bytes:
    body = data[part.body : part.end]
    if part.kind == b"colr":
        return _colours(body, part, notes)
    if part.kind in _NESTING and depth < 4:
        inner = boxes.walk(data, part.body, part.end)
        content = b"".join(_extension(data, child, found, notes, depth + 1) for child in inner)
        if not boxes.blank(data, boxes.tail(inner, part.body), part.end):
            notes.note("bmff.reserved", part)
        return boxes.write(part.kind, content)
    if part.kind not in _EXTENSIONS:
        if part.kind != b"\0\0\0\0" and not (part.kind in (b"free", b"skip") and not any(body)):
            notes.note("bmff.uuid" if part.kind == b"uuid" else "bmff.unknown-box", part)
            return b""
        return boxes.write(part.kind, b"")
    cleaned = _EXTENSIONS[part.kind](body)
    if cleaned != body:
        notes.note("bmff.video-user-data" if part.kind in (b"avcC", b"hvcC", b"av1C") else "bmff.reserved", part)
    found.alpha = found.alpha or (part.kind == b"auxi" and cleaned != b"")
    return boxes.write(part.kind, cleaned)


def _colours(body: bytes, part: Box, notes: Notes) -> bytes:
    """Colour numbers as they are, a profile without its words (14496-12 12.1.5)."""
    kind = body[:4]
    if kind in (b"prof", b"rICC"):
        cleaned = icc.clean(body[4:])
        if cleaned.code:
            notes.note(cleaned.code, part)
        return boxes.write(b"colr", kind + cleaned.data) if cleaned.data is not None else b""
    size = {b"nclx": 11, b"nclc": 10}.get(kind, 0)
    kept = body[: min(size, len(body))] if size and len(body) >= 10 else b""
    if kept != body:
        notes.note("bmff.reserved", part)
    return boxes.write(b"colr", kept) if kept else b""
