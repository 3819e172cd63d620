"""Sound: harmless, unless the file carries a cover picture (ID3 APIC, FLAC PICTURE) or is a film in a sound file's clothes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

_OGG_SOUND = (b"\x01vorbis", b"OpusHead", b"Speex   ", b"\x7fFLAC", b"PCM     ")
_COVER_WORDS = (b"metadata_block_picture", b"coverart=")


def _mp3(data: bytes) -> bool:
    size = (data[6] & 127) << 21 | (data[7] & 127) << 14 | (data[8] & 127) << 7 | data[9] & 127 if len(data) > 9 else 0
    tag = data[: 10 + size]
    frames = (b"APIC", b"PIC\0", b"PIC\1", b"GEOB", b"LINK")
    return size > 0 and len(data) >= 10 + size and not any(frame in tag for frame in frames)


def _flac(data: bytes) -> bool:
    at = 4
    while at + 4 <= len(data):
        kind, size = data[at] & 0x7F, int.from_bytes(data[at + 1 : at + 4], "big")
        if kind == 6 or (kind == 4 and _covered(data[at + 4 : at + 4 + size])):
            return False
        if data[at] & 0x80:
            return True
        at += 4 + size
    return False


def _ogg(data: bytes) -> bool:
    """Every stream begins with a page that names a sound codec; no stream begins later but as a chained sound."""
    at = 0
    while at >= 0:
        if data[at + 5 : at + 6] and data[at + 5] & 2:  # beginning of a stream
            body = at + 27 + data[at + 26] if at + 26 < len(data) else len(data)
            if not data.startswith(_OGG_SOUND, body):
                return False
        at = data.find(b"OggS\0", at + 1)
    return not _covered(data[: 1 << 20])


def _chunked(data: bytes) -> bool:
    return b"APIC" not in data


def _covered(comments: bytes) -> bool:
    words = comments.lower()
    return any(word in words for word in _COVER_WORDS)


_CHECKS: Mapping[str, Callable[[bytes], bool]] = {"mp3": _mp3, "flac": _flac, "ogg": _ogg, "wav": _chunked, "aiff": _chunked}
FORMATS = tuple(_CHECKS)


def silent(name: str, data: bytes) -> bool:
    """True if this sound file says nothing of a picture; what else stands in it is for ``filters.sniff``."""
    return _CHECKS[name](data)


def framed(data: bytes) -> str | None:
    """ "mp3" or "aac" when the data begins with two frames in a row (ISO 11172-3 2.4.1.3, ISO 14496-3 1.A.2.2)."""
    if len(data) < 16 or data[0] != 0xFF:
        return None
    for name, length in (("aac", _adts), ("mp3", _mpeg)):
        size = length(data, 0)
        if size and length(data, size):
            return name
    return None


def _adts(data: bytes, at: int) -> int:
    head = data[at : at + 7]
    if len(head) < 7 or head[0] != 0xFF or head[1] & 0xF6 != 0xF0:
        return 0
    size = (head[3] & 3) << 11 | head[4] << 3 | head[5] >> 5
    return size if size > 7 else 0


_RATES = (
    (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
)


def _mpeg(data: bytes, at: int) -> int:
    """Length of an MPEG audio layer III frame, 0 when there is none."""
    head = data[at : at + 4]
    if len(head) < 4 or head[0] != 0xFF or head[1] & 0xE6 != 0xE2 or head[1] >> 3 & 3 == 1:
        return 0
    version, rate, hertz = head[1] >> 3 & 3, head[2] >> 4, head[2] >> 2 & 3
    if rate in (0, 15) or hertz == 3:
        return 0
    first = version == 3
    frequency = (44100, 48000, 32000)[hertz] >> (0 if first else 1 if version == 2 else 2)
    return (144 if first else 72) * _RATES[0 if first else 1][rate] * 1000 // frequency + (head[2] >> 1 & 1)
