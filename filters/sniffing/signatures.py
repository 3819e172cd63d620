"""What files begin with.  The order matters: the first row that fits names the format.

Rows name the format and its role: ``opaque`` (a picture or what may carry one; ``filters.registry`` knows what can be done
with it), ``harmless`` (cannot carry one).  A refinement in ``filters.sniff`` may look deeper.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum


class Role(Enum):
    OPAQUE = "opaque"
    HARMLESS = "harmless"


@dataclass(frozen=True, slots=True)
class Signature:
    """``magic`` at ``offset``; ``also`` is a second place that must fit too."""

    format: str
    magic: bytes
    offset: int = 0
    role: Role = Role.OPAQUE
    also: tuple[int, bytes] | None = None

    def fits(self, data: bytes) -> bool:
        if not data.startswith(self.magic, self.offset):
            return False
        return self.also is None or data.startswith(self.also[1], self.also[0])


def _opaque(name: str, *magics: bytes, offset: int = 0) -> list[Signature]:
    return [Signature(name, magic, offset) for magic in magics]


def _riff(name: str, form: bytes, head: bytes = b"RIFF") -> Signature:
    return Signature(name, head, also=(8, form))


_IMAGES: list[Signature] = [
    *_opaque("gif", b"GIF87a", b"GIF89a"),
    _riff("webp", b"WEBP"),
    *_opaque("cr2", b"II*\0\x10\0\0\0CR"),
    *_opaque("dng-raw", b"II\x1a\0\0\0HEAP", b"MM\0\x1a\0\0\0HEAP"),
    *_opaque("tiff", b"II*\0", b"MM\0*"),
    *_opaque("bigtiff", b"II+\0", b"MM\0+"),
    *_opaque("orf", b"IIRO", b"IIRS", b"MMOR"),
    *_opaque("rw2", b"IIU\0"),
    *_opaque("raf", b"FUJIFILMCCD-RAW"),
    *_opaque("x3f", b"FOVb"),
    *_opaque("mrw", b"\0MRM"),
    *_opaque("jxr", b"II\xbc"),
    *_opaque("jp2", b"\0\0\0\x0cjP  \r\n\x87\n"),
    *_opaque("j2k", b"\xff\x4f\xff\x51"),
    *_opaque("jxl", b"\0\0\0\x0cJXL \r\n\x87\n", b"\xff\x0a"),
    *_opaque("psd", b"8BPS"),
    *_opaque("xcf", b"gimp xcf"),
    *_opaque("wmf", b"\xd7\xcd\xc6\x9a", b"\1\0\x09\0\0\3", b"\2\0\x09\0\0\3"),
    Signature("emf", b"\x01\0\0\0", also=(40, b" EMF")),
    *_opaque("djvu", b"AT&TFORM"),
    *_opaque("jbig2", b"\x97JB2\r\n\x1a\n"),
    *_opaque("exr", b"v/1\x01"),
    *_opaque("hdr", b"#?RADIANCE", b"#?RGBE"),
    *_opaque("dds", b"DDS |"),
    *_opaque("flif", b"FLIF"),
    *_opaque("qoi", b"qoif"),
    *_opaque("bpg", b"BPG\xfb"),
    *_opaque("icns", b"icns"),
    *_opaque("sgi", b"\x01\xda\x00", b"\x01\xda\x01"),
    *_opaque("ras", b"\x59\xa6\x6a\x95"),
    *_opaque("fits", b"SIMPLE  = "),
    *_opaque("nrrd", b"NRRD000"),
    *_opaque("nifti", b"n+1\0", b"ni1\0", offset=344),
    *_opaque("hdf5", b"\x89HDF\r\n\x1a\n"),
    *_opaque("pcd", b"PCD_IPI", offset=2048),
    *_opaque("mng", b"\x8aMNG\r\n\x1a\n", b"\x8bJNG\r\n\x1a\n"),
    *_opaque("xpm", b"/* XPM */"),
    *_opaque("dwg", b"AC10"),
    *_opaque("blp", b"BLP0", b"BLP1", b"BLP2"),
    *_opaque("im", b"Image type: "),
    *_opaque("msp", b"DanM", b"LinS"),
    *[Signature("xwd", bytes(3) + bytes([size]), also=(4, b"\0\0\0\7\0\0\0\2")) for size in range(100, 256)],
    *_opaque("dpx", b"SDPX", b"XPDS", b"\x80\x2a\x5f\xd7"),
    *_opaque("pfm", b"PH\n", b"Ph\n"),
    *_opaque("miff", b"id=ImageMagick"),
    *_opaque("farbfeld", b"farbfeld"),
    *_opaque("vicar", b"LBLSIZE="),
    *_opaque("psp", b"Paint Shop Pro Image File", b"~BK\0"),
    *[Signature("ilbm", b"FORM", also=(8, form)) for form in (b"ILBM", b"PBM ", b"RGB8", b"RGBN", b"ACBM", b"DEEP", b"ANIM")],
    *_opaque("ktx", b"\xabKTX "),
    *_opaque("astc", b"\x13\xab\xa1\x5c"),
    *_opaque("pvr", b"PVR\3", b"\3RVP"),
    *_opaque("vtf", b"VTF\0"),
    *_opaque("nifti", b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n", offset=4),
    *_opaque("metaimage", b"ObjectType = Image", b"ObjectType=Image"),
    *_opaque("interfile", b"!INTERFILE"),
    *_opaque("ecat", b"MATRIX7"),
    *_opaque("minc", b"CDF\1", b"CDF\2", b"CDF\5"),
    *_opaque("czi", b"ZISRAWFILE"),
    *_opaque("nd2", b"\xda\xce\xbe\x0a"),
    Signature("lif", b"\x70\0\0\0", also=(8, b"\x2a")),
    *_opaque("oct", b"CMDb", b"FOCT"),
    *_opaque("clip-studio", b"CSFCHUNK"),
    *_opaque("affinity", b"\0\xffKA"),
    *_opaque("gltf", b"glTF"),
    *_opaque("mrsid", b"msid"),
    *_opaque("dcx", b"\xb1\x68\xde\x3a"),
    *_opaque("softimage", b"\x53\x80\xf6\x34"),
    *_opaque("utah-rle", b"\x52\xcc"),
    *_opaque("cals", b"srcdocid: "),
    *_opaque("mdi", b"EP*\0"),
    *_opaque("thumbcache", b"CMMM"),
]
_VIDEO: list[Signature] = [
    *_opaque("mov", b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot", offset=4),
    *_opaque("matroska", b"\x1a\x45\xdf\xa3"),
    _riff("avi", b"AVI "),
    _riff("ani", b"ACON"),
    *_opaque("mpeg", b"\0\0\x01\xba", b"\0\0\x01\xb3"),
    *_opaque("flv", b"FLV\x01"),
    *_opaque("asf", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"),
    *_opaque("realmedia", b".RMF"),
    *_opaque("mxf", b"\x06\x0e\x2b\x34\x02\x05\x01\x01"),
    *_opaque("nut", b"nut/multimedia container"),
    *_opaque("ivf", b"DKIF"),
    *_opaque("wtv", b"\xb7\xd8\x00\x20\x37\x49\xda\x11"),
    *_opaque("dirac", b"BBCD"),
    *_opaque("nsv", b"NSVf", b"NSVs"),
    *_opaque("bink", b"BIKb", b"BIKf", b"BIKg", b"BIKh", b"BIKi", b"KB2"),
    *_opaque("smacker", b"SMK2", b"SMK4"),
    *_opaque("roq", b"\x84\x10\xff\xff\xff\xff"),
    *_opaque("y4m", b"YUV4MPEG2 "),
    *_opaque("gxf", b"\0\0\0\0\1\xbc"),
    *_opaque("dv", b"\x1f\x07\0"),
    _riff("amv", b"AMV "),
    _riff("cdr", b"CDR"),
    _riff("rmmp", b"RMMP"),
]
_CONTAINERS: list[Signature] = [
    *_opaque("7z", b"7z\xbc\xaf\x27\x1c"),
    *_opaque("rar", b"Rar!\x1a\x07"),
    *_opaque("gzip", b"\x1f\x8b"),
    *_opaque("compress", b"\x1f\x9d", b"\x1f\xa0"),
    *_opaque("bzip2", b"BZh"),
    *_opaque("xz", b"\xfd7zXZ\0"),
    *_opaque("lzip", b"LZIP"),
    *_opaque("zstd", b"\x28\xb5\x2f\xfd"),
    *_opaque("lz4", b"\x04\x22\x4d\x18"),
    *_opaque("cab", b"MSCF", b"ISc("),
    *_opaque("cpio", b"070701", b"070702", b"070707"),
    *_opaque("ar", b"!<arch>\n"),
    *_opaque("xar", b"xar!"),
    *_opaque("tar", b"ustar", offset=257),
    *_opaque("iso", b"CD001", offset=32769),
    *_opaque("ole", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"),
    *_opaque("tnef", b"\x78\x9f\x3e\x22"),
    *_opaque("rtf", b"{\\rtf"),
    *_opaque("postscript", b"%!PS", b"%!\n", b"%!\r", b"\xc5\xd0\xd3\xc6", b"\x1b%-12345X"),
    *_opaque("apple-double", b"\0\x05\x16\x07", b"\0\x05\x16\0"),
    *_opaque("swf", b"FWS", b"CWS", b"ZWS"),
    *_opaque("onenote", b"\xe4\x52\x5c\x7b\x8c\xd8\xa7\x4d"),
    *_opaque("chm", b"ITSF"),
    *_opaque("pst", b"!BDN"),
    *_opaque("mobi", b"BOOKMOBI", offset=60),
    *_opaque("access", b"\0\x01\0\0Standard "),
    *_opaque("wordperfect", b"\xffWPC"),
    *_opaque("write", b"\x31\xbe\0\0\0\xab", b"\x32\xbe\0\0\0\xab"),
    *_opaque("dbx", b"\xcf\xad\x12\xfe"),
    *_opaque("ace", b"**ACE**", offset=7),
    *_opaque("stuffit", b"SIT!", b"StuffIt ("),
    *_opaque("zoo", b"\xdc\xa7\xc4\xfd", offset=20),
    *_opaque("alz", b"ALZ\1", b"EGGA"),
    *_opaque("wim", b"MSWIM\0\0\0"),
    *_opaque("lzma", b"\x5d\0\0"),
    *_opaque("lzop", b"\x89LZO\0"),
    *_opaque("zpaq", b"7kSt", b"zPQ", b"LRZI"),
    *_opaque("rpm", b"\xed\xab\xee\xdb"),
    *_opaque("disk", b"vhdxfile", b"conectix", b"KDMV", b"QFI\xfb", b"hsqs"),
    *_opaque("program", b"MZ", b"\x7fELF", b"\xcf\xfa\xed\xfe", b"\xce\xfa\xed\xfe", b"\xca\xfe\xba\xbe"),
    *[Signature("lha", b"-l%c%c-" % (a, b), 2) for a in b"hz" for b in b"01234567ds"],
]
_HARMLESS: list[Signature] = [
    Signature(name, magic, offset, Role.HARMLESS)
    for name, offset, magics in (
        ("amr", 0, (b"#!AMR",)),
        ("dss", 0, (b"\x02dss", b"\x03dss", b"\x03ds2")),
        ("midi", 0, (b"MThd",)),
        ("au", 0, (b".snd",)),
        ("otf", 0, (b"OTTO",)),
        ("ttf", 0, (b"ttcf\0", b"true\0")),
        ("ds-store", 0, (b"\0\0\0\1Bud1",)),
        ("woff", 0, (b"wOFF",)),
        ("woff2", 0, (b"wOF2",)),
        ("mp3", 0, (b"ID3",)),
        ("flac", 0, (b"fLaC",)),
        ("ogg", 0, (b"OggS",)),
    )
    for magic in magics
] + [
    Signature("wav", b"RIFF", role=Role.HARMLESS, also=(8, b"WAVE")),
    Signature("wav", b"RF64", role=Role.HARMLESS, also=(8, b"WAVE")),
    Signature("aiff", b"FORM", role=Role.HARMLESS, also=(8, b"AIFF")),
    Signature("aiff", b"FORM", role=Role.HARMLESS, also=(8, b"AIFC")),
]

SIGNATURES: tuple[Signature, ...] = (
    Signature("jpeg", b"\xff\xd8\xff"),
    Signature("png", b"\x89PNG\r\n\x1a\n"),
    *_IMAGES,
    *_VIDEO,
    *_CONTAINERS,
    *_HARMLESS,
)

# major brand of ISO base media (ISO 14496-12 4.3) -> format; the first that fits, "mp4" when none does
BRANDS: tuple[tuple[tuple[bytes, ...], str], ...] = (
    ((b"avif", b"avis"), "avif"),
    ((b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs"), "heic"),
    ((b"mif1", b"msf1", b"mif2", b"mif3", b"miaf", b"MiHE", b"MiHB", b"1pic"), "heif"),
    ((b"crx ",), "cr3"),
    ((b"jp2 ", b"jpx ", b"jpm ", b"jph "), "jp2"),
    ((b"qt  ",), "mov"),
    ((b"3gp", b"3g2", b"3ge", b"3gg"), "3gp"),
    ((b"M4A ", b"M4B ", b"M4P "), "m4a"),  # covers are pictures: never harmless
)

# What betrays a picture or document inside something else; long enough not to occur by chance.
EMBEDDED: tuple[bytes, ...] = (
    b"\xff\xd8\xff\xe0\0\x10JFIF\0", b"JFIF\0\x01", b"Exif\0\0II*\0", b"Exif\0\0MM\0*", b"\x89PNG\r\n\x1a\n", b"GIF89a",
    b"GIF87a", b"ftypheic", b"ftypmif1", b"ftypavif", b"%PDF-1.", b"PK\x05\x06\0\0\0\0", b"Rar!\x1a\x07",
    b"7z\xbc\xaf\x27\x1c", b"http://ns.adobe.com/xap/1.0/", b"WEBPVP8", b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08",
    b"\0\0\0\0DICM\2\0", b"ftypheix", b"ftypavis", b"\0\0\0\x0cjP  \r\n", b"\0\0\0\x0cJXL \r\n",
)  # fmt: skip

