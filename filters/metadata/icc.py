"""ICC profiles (ICC.1:2022): keep the colours, drop the words.

A published profile (by SHA-256, or by holding no word but well-known ones) stays as it is.  Any other is rebuilt from its colour
tags, which stay byte-identical; descriptions become "ICC", private tags and the header's makers, dates and ids go.
"""

from __future__ import annotations

import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

MAX_PROFILE = 16 << 20  # JPEG cannot hold more (255 segments); real ones are under 4 MB
_MAX_TAGS = 100
_NEUTRAL_DATE = struct.pack(">6H", 2000, 1, 1, 0, 0, 0)

# SHA-256 of published profiles that hold no personal text.
KNOWN = frozenset(
    {
        "e5f6ffb83b6d3491301dd750975684cc5cc2a1951c994a14b08cfdaa0d75a041",  # Adobe RGB (1998)
        "cbc24bdec8bc4a41cb3e2a8381adfa90a0a9b6f25791cf54c75d4476f6786f43",  # Display P3 with sRGB transfer, Google 2016
        "20789fdbea9835251a4f0796c8bf45cbd964896044886540da21ffc7457af0ab",  # Display P3, Apple 2022
        "5471f6ff8472d04ed07e5c246a197c97ab7da334754b95ea71b9af4e55b691ed",  # Display P3, Google 2023
        "49429d4dd70f439f6fa47a298e5ffbd280375d2cbd18708b1e05a34aafe5d219",  # Generic RGB, Apple 2007
        "f00165cf61267ef64b76f904de99a1bb4c5d1d46be70d704f0d5a6ed60728606",  # Gray Gamma 2.2, Adobe 1999
        "0a8ef7d1d958d98225b3b71d93d9e8e3cecd9c302e014973d025d2a977ecf27c",  # ProPhoto RGB, Kodak 1999
        "2b3aa1645779a9e634744faf9b01e9102b0c9b88fd6deced7934df86b949af7e",  # sRGB IEC61966-2.1, Hewlett-Packard 1998
        "3f6d674174f3804eb0dabdac90ae17486e898c5063a66f861c116ea033da8301",  # sRGB IEC61966-2.1, HP 1998, other padding
    }
)

# What a profile may say and still be kept as it is.  Only a year varies.
_PHRASES = re.compile(
    r"""(?x)
    | sRGB(\ (built-in|IEC61966-2[.-]1|Color\ Space\ Profile|v4\ ICC\ preference\ perceptual\ intent\ beta))?
    | (c2|uRGB|nRGB|sP3C|sRGB|sGry|P3)
    | Display\ P3(\ Gamut\ with\ sRGB\ Transfer)? | DCI[- ]?P3(\ D65)? | Adobe\ RGB\ \(1998\) | ProPhoto\ RGB | ROMM\ RGB
    | Wide\ Gamut\ RGB | Apple\ RGB | ColorMatch\ RGB
    | Rec\.?\ ?(709|2020)(\ Gamut\ with\ \w{2,5}\ Transfer)? | ITU-R\ BT\.\ ?(709|2020)
    | Generic\ (RGB|Gray|CMYK|Gray\ Gamma\ 2\.2)\ Profile | (Generic|Calibrated)\ RGB\ Colorspace
    | (Gray\ Gamma\ (1\.8|2\.2)) | Dot\ Gain\ (10|15|20|25|30)%
    | (GIMP\ built-in\ |Artifex\ )?(sRGB|Grayscale|CMYK)(\ ICC\ Profile)?
    | U\.S\.\ Web\ Coated\ \(SWOP\)\ v2 | Coated\ FOGRA(27|39)(\ \(ISO\ 12647-2:2004\))? | ISO\ Coated\ v2(\ 300%)?\ \(ECI\)
    | IEC\ http://www\.iec\.ch | IEC\ 61966-2[.-]1\ Default\ RGB\ [Cc]olou?r\ [Ss]pace\ -\ sRGB
    | Reference\ Viewing\ Condition\ in\ IEC\ ?61966-2[.-]1 | KODAK | Reference\ Output\ Medium\ Metric\s?\(ROMM\)\s*
    | (ICC | No\ copyright,\ use\ freely | Public\ Domain | CC0 | FB)
    | Copyright\ (\([cC]\)\ )?(Apple(\ Computer)?,?\ Inc\.|Google\ Inc\.|Microsoft\ Corporation),?\ \d{4}
    | Copyright\ (\([cC]\)\ )?\d{4}\ (Hewlett-Packard\ Company|Adobe\ Systems\ Incorporated|Google\ Inc\.
      |Apple(\ Computer)?,?\ Inc\.)(,\ all\ rights\ reserved\.|\.\ All\ Rights\ Reserved\.)?
    | Copyright\ \([cC]\)\ Eastman\ Kodak\ Company,\ \d{4},\ all\ rights\ reserved\. | Google\ Inc\.\ \d{4}
    | Copyright\ International\ Color\ Consortium,\ \d{4} | Copyright\ (\d{4}\ )?(Artifex\ Software)(\ \d{4})?
    """
)

_PROFILE_NAMES = re.compile(
    r"(Photoshop )?ICC[ _]?([Pp]rofile)?|icc|profile|Skia|"
    r"kCGColorSpace(Generic(RGB|Gray|CMYK|XYZ|Lab|RGBLinear|GrayGamma2_2)|Device(RGB|Gray|CMYK)|[Ss]RGB|DisplayP3|AdobeRGB1998)"
)

# Colour tag -> element types it may have (ICC.1:2022 table 24 and clause 9.2)
_LUTS = frozenset((b"mft1", b"mft2", b"mAB ", b"mBA ", b"mpet"))
_COLOUR: Mapping[bytes, frozenset[bytes]] = {
    **dict.fromkeys((b"rXYZ", b"gXYZ", b"bXYZ", b"wtpt", b"bkpt", b"lumi"), frozenset((b"XYZ ",))),
    **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC", b"kTRC"), frozenset((b"curv", b"para"))),
    **{way + b"%d" % n: _LUTS for way in (b"A2B", b"B2A", b"D2B", b"B2D") for n in range(4)},
    **dict.fromkeys((b"gamt", b"pre0", b"pre1", b"pre2"), _LUTS),
    **dict.fromkeys((b"tech", b"rig0", b"rig2", b"ciis"), frozenset((b"sig ",))),
    **{name: frozenset((name,)) for name in (b"chrm", b"cicp", b"meas", b"view", b"clro")},
    b"chad": frozenset((b"sf32",)),
}
_SIZES: Mapping[bytes, int] = {b"view": 36, b"meas": 36, b"sig ": 12, b"cicp": 12}  # elements of one fixed size
_WORDS = (b"desc", b"cprt", b"dmnd", b"dmdd", b"vued")  # standard text tags
_REQUIRED_WORDS = (b"desc", b"cprt")


@dataclass(frozen=True, slots=True)
class Cleaned:
    """``data`` is the very same object when nothing had to change, None when the profile is to be dropped."""

    data: bytes | None = field(repr=False)
    code: str | None = None  # icc.text, icc.damaged or None


class _Damaged(Exception):
    """The profile contradicts itself."""


def clean(profile: bytes) -> Cleaned:
    """The profile without text.  Never raises: a damaged profile is dropped, as colour management would ignore it."""
    if hashlib.sha256(profile).hexdigest() in KNOWN:
        return Cleaned(profile)
    try:
        tags = _tags(profile)
        if _published(profile, tags):
            return Cleaned(profile)
        rebuilt = _rebuild(profile, tags)
    except (_Damaged, struct.error):
        return Cleaned(None, "icc.damaged")
    return Cleaned(profile) if rebuilt == profile else Cleaned(rebuilt, "icc.text")


def known_name(name: bytes) -> bool:
    """True if a profile's name (as PNG gives one) is a name that programs write, not a person."""
    word = name.decode("latin-1")
    return bool(_PROFILE_NAMES.fullmatch(word) or (word and _PHRASES.fullmatch(word)))


def _tags(profile: bytes) -> dict[bytes, bytes]:
    """Tag signature -> element, all inside the profile."""
    if not 132 <= len(profile) <= MAX_PROFILE or profile[36:40] != b"acsp":
        raise _Damaged
    size, count = struct.unpack_from(">I", profile)[0], struct.unpack_from(">I", profile, 128)[0]
    table = 132 + 12 * count
    if not count or count > _MAX_TAGS or not table <= size <= len(profile):
        raise _Damaged
    found: dict[bytes, bytes] = {}
    for i in range(count):
        name, offset, length = struct.unpack_from(">4sII", profile, 132 + 12 * i)
        if offset < table or length < 8 or offset + length > size or name in found:
            raise _Damaged
        found[name] = profile[offset : offset + length]
    return found


def _published(profile: bytes, tags: Mapping[bytes, bytes]) -> bool:
    """Nothing but colour tags and well-known words, no byte that no tag refers to, and not made on this very day by a library."""
    if profile[80:84] == b"lcms" or profile[4:8] == b"lcms":
        return False  # Little CMS stamps the moment of making into the header
    if any(name not in _COLOUR and name not in _WORDS for name in tags):
        return False
    if not all(_fits(name, body) if name in _COLOUR else _well_known(body) for name, body in tags.items()):
        return False
    return not any(profile[100:128]) and _no_gaps(profile)


def _no_gaps(profile: bytes) -> bool:
    count = struct.unpack_from(">I", profile, 128)[0]
    at = 132 + 12 * count
    spans = sorted(struct.unpack_from(">II", profile, 136 + 12 * i) for i in range(count))
    for offset, length in spans:
        if any(profile[at:offset]):
            return False
        at = max(at, offset + length)
    return not any(profile[at:])


def _fits(name: bytes, body: bytes) -> bool:
    """A colour tag has one of its own element types, no longer than that type is."""
    kind = body[:4]
    if kind not in _COLOUR[name] or any(body[4:8]):
        return False
    if kind in _SIZES:
        return len(body) == _SIZES[kind]
    if kind == b"curv":
        return len(body) >= 12 and len(body) <= 12 + 2 * struct.unpack_from(">I", body, 8)[0] + 3
    if kind == b"para":
        return len(body) <= 12 + 4 * 7 and len(body) >= 16
    return kind not in (b"XYZ ", b"sf32") or len(body) <= (20 if kind == b"XYZ " else 44)


def _well_known(body: bytes) -> bool:
    return all(_PHRASES.fullmatch(word) for word in _words(body))


def _words(body: bytes) -> Iterator[str]:
    """Every string of a text element; something no phrase matches when it cannot be read whole."""
    kind, unreadable = body[:4], "\ufffd"
    if kind == b"text":
        yield _ascii(body[8:])
    elif kind == b"desc":  # textDescriptionType of version 2: ASCII, Unicode, ScriptCode
        length = struct.unpack_from(">I", body, 8)[0]
        if 12 + length + 8 > len(body):
            yield unreadable
            return
        yield _ascii(body[12 : 12 + length])
        at = 12 + length
        wide = 2 * struct.unpack_from(">I", body, at + 4)[0]
        yield body[at + 8 : at + 8 + wide].decode("utf-16-be", "replace").strip("\0\ufeff\ufffe")
        script = body[at + 8 + wide :]
        yield _ascii(script[3:]) if script else unreadable
    elif kind == b"mluc":
        count, size = struct.unpack_from(">II", body, 8)
        if size != 12 or count > 200:
            yield unreadable
            return
        used = 16 + 12 * count
        for i in range(count):
            _, length, offset = struct.unpack_from(">III", body, 16 + 12 * i)
            yield body[offset : offset + length].decode("utf-16-be", "replace").strip("\0")
            used = max(used, offset + length)
        if any(body[used:]):
            yield unreadable
    else:
        yield unreadable


def _ascii(raw: bytes) -> str:
    return raw.rstrip(b"\0").decode("ascii", "replace")


def _rebuild(profile: bytes, tags: Mapping[bytes, bytes]) -> bytes:
    """The same colours under a neutral header and neutral words."""
    if profile[12:16] in (b"nmcl", b"link"):
        raise _Damaged  # named colours and device links have no place in a picture
    kept = {name: body for name, body in tags.items() if name in _COLOUR and _fits(name, body)}
    if any(name in _COLOUR for name in tags.keys() - kept.keys()):
        raise _Damaged
    modern = profile[8] >= 4
    words = {name: tags[name] if name in tags and _well_known(tags[name]) else _neutral(name, modern) for name in _REQUIRED_WORDS}
    return _write(_header(profile), {**words, **kept})


def _header(profile: bytes) -> bytearray:
    head = bytearray(profile[:128])
    for start, end in ((4, 8), (40, 44), (48, 56), (56, 63), (80, 128), (44, 47), (64, 67)):
        head[start:end] = bytes(end - start)
    head[24:36] = _NEUTRAL_DATE
    head[47] &= 3  # flags: embedded, not to be used alone
    head[63] &= 15  # attributes: reflective, glossy, positive, colour
    head[67] &= 3  # rendering intent
    return head


def _neutral(name: bytes, modern: bool) -> bytes:
    word = "ICC"
    if modern:
        text = word.encode("utf-16-be")
        return b"mluc" + bytes(4) + struct.pack(">II2s2sII", 1, 12, b"en", b"US", len(text), 28) + text
    if name == b"cprt":
        return b"text" + bytes(4) + word.encode() + b"\0"
    return b"desc" + bytes(4) + struct.pack(">I", len(word) + 1) + word.encode() + b"\0" + bytes(8 + 3 + 67)


def _write(header: bytearray, tags: Mapping[bytes, bytes]) -> bytes:
    table, data = bytearray(), bytearray()
    base = 132 + 12 * len(tags)
    places: dict[bytes, int] = {}  # equal elements share one place, as profile writers do
    for name, body in tags.items():
        if body not in places:
            places[body] = base + len(data)
            data += body + bytes(-len(body) % 4)
        table += struct.pack(">4sII", name, places[body], len(body))
    header[0:4] = struct.pack(">I", base + len(data))
    return bytes(header + struct.pack(">I", len(tags)) + table + data)
