"""What files are, by their bytes: every format of the table, encryption, harmless kinds, second natures."""

from __future__ import annotations

import io
import struct
import tarfile
import wave
import zipfile
import zlib
from datetime import datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PublicFormat, pkcs7
from cryptography.hazmat.primitives.serialization.pkcs12 import serialize_key_and_certificates
from hypothesis import given
from hypothesis import strategies as st

from filters.api import OpaqueReason, Sniffed
from filters.sniff import sniff
from tests.support.canary_images import photo, photo_jpeg, photo_png
from tests.support.images_judged import corpus

pytestmark = pytest.mark.unit
NOT_SUPPORTED, ENCRYPTED, UNKNOWN = OpaqueReason.NOT_SUPPORTED, OpaqueReason.ENCRYPTED, OpaqueReason.UNKNOWN

PHOTO = photo_jpeg(1, (32, 24))


def saved(kind: str, **options: object) -> bytes:
    out = io.BytesIO()
    photo(1, (32, 24)).save(out, kind, **options)
    return out.getvalue()


def zipped(*names: str, flags: int = 0, method: int = zipfile.ZIP_STORED, first: bytes = b"x") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for index, name in enumerate(names):
            archive.writestr(name, first if index == 0 else b"content")
    data = bytearray(out.getvalue())
    if flags:
        at = data.index(b"PK\x01\x02")
        data[at + 8 : at + 10] = struct.pack("<H", flags)
    return bytes(data)


def tarred(form: int) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        info = tarfile.TarInfo("a.jpg")
        info.size = 3
        archive.addfile(info, io.BytesIO(b"abc"))
    return out.getvalue()


def old_tar() -> bytes:
    """A tar of before 1988: no magic, only the checksum."""
    data = bytearray(tarred(tarfile.USTAR_FORMAT))
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def waved(tail: bytes = b"") -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setparams((1, 2, 8000, 0, "NONE", ""))
        sound.writeframes(bytes(400))
    return out.getvalue() + tail


def id3(frame: bytes) -> bytes:
    body = frame + struct.pack(">I", 20) + bytes(2) + b"\0image/png\0\3\0xxxxxx"
    return b"ID3\3\0\0\0\0\0" + bytes((len(body),)) + body + b"\xff\xfb\x90\x00" + bytes(413)


def ole(*names: str, start: int = 1, stream: bytes = b"") -> bytes:
    """A compound file reduced to what is looked at: header, one stream of 4 kB at ``start``, a directory behind it."""
    head = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + b"\x3e\0\x03\0\xfe\xff\x09\0\x06\0" + bytes(478)
    body = bytes(512 * start) + stream.ljust(4096, b"\0")
    rows = b"".join(name.encode("utf-16-le").ljust(64, b"\0") + bytes(52) + struct.pack("<III", start, 4096, 0) for name in names)
    return head + body + rows


def dicom(*elements: bytes, preamble: bytes = bytes(128)) -> bytes:
    return preamble + b"DICM" + b"".join(elements)


CS = b"\x08\0\x05\0CS\x0a\0ISO_IR 100" + b"\x08\0\x08\0CS\x08\0ORIGINAL"
BIG = b"\0\x08\0\x05CS\0\x0aISO_IR 100" + b"\0\x08\0\x08CS\0\x08ORIGINAL"
IMPLICIT = b"\x08\0\x05\0\x0a\0\0\0ISO_IR 100" + b"\x08\0\x08\0\x08\0\0\0ORIGINAL"
FTYP = b"\0\0\0\x18ftyp"

OPAQUE: dict[str, tuple[str, bytes]] = {
    "gif": ("gif", saved("GIF")),
    "webp": ("webp", saved("WEBP")),
    "tiff": ("tiff", saved("TIFF")),
    "bigtiff": ("bigtiff", b"II+\0\x08\0\0\0" + bytes(40)),
    "bmp": ("bmp", saved("BMP")),
    "dib": ("dib", saved("DIB")),
    "ico": ("ico", saved("ICO", sizes=[(16, 16)])),
    "jpeg-2000": ("jp2", b"\0\0\0\x0cjP  \r\n\x87\n" + bytes(40)),
    "jpeg-2000-codestream": ("j2k", b"\xff\x4f\xff\x51" + bytes(40)),
    "jpeg-xl": ("jxl", b"\0\0\0\x0cJXL \r\n\x87\n" + bytes(40)),
    "jpeg-xl-codestream": ("jxl", b"\xff\x0a" + bytes(40)),
    "jpeg-xr": ("jxr", b"II\xbc\x01" + bytes(40)),
    "heic": ("heic", FTYP + b"heic" + bytes(40)),
    "heif": ("heif", FTYP + b"mif1" + bytes(40)),
    "avif": ("avif", FTYP + b"avif" + bytes(40)),
    "mp4": ("mp4", FTYP + b"isom" + bytes(40)),
    "mov": ("mov", FTYP + b"qt  " + bytes(40)),
    "mov-old": ("mov", b"\0\0\0\x08wide\0\0\0\x10mdat" + bytes(40)),
    "3gp": ("3gp", FTYP + b"3gp4" + bytes(40)),
    "m4a": ("m4a", FTYP + b"M4A " + bytes(40)),
    "cr3": ("cr3", FTYP + b"crx " + bytes(40)),
    "cr2": ("cr2", b"II*\0\x10\0\0\0CR\2\0" + bytes(40)),
    "orf": ("orf", b"IIRO\x08\0\0\0" + bytes(40)),
    "rw2": ("rw2", b"IIU\0\x18\0\0\0" + bytes(40)),
    "raf": ("raf", b"FUJIFILMCCD-RAW 0201" + bytes(40)),
    "x3f": ("x3f", b"FOVb\0\0\3\0" + bytes(40)),
    "dicom": ("dicom", dicom(CS)),
    "dicom-headerless": ("dicom", CS + bytes(30)),
    "dicom-big-endian": ("dicom", BIG + bytes(30)),
    "dicom-implicit": ("dicom", IMPLICIT + bytes(30)),
    "svg": ("svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    "svg-bom-comment": ("svg", b"\xef\xbb\xbf<?xml version='1.0'?>\n<!-- a\nb --><!DOCTYPE svg>\n<svg:svg xmlns:svg='x'/>"),
    "svg-utf-16": ("svg", "<?xml version='1.0'?><svg/>".encode("utf-16")),
    "svg-utf-16-bare": ("svg", "<?xml version='1.0'?><svg/>".encode("utf-16-le")),
    "svg-late": ("svg", b"<?xml version='1.0'?><!--" + b"x" * 9000 + b"--><svg />"),
    "psd": ("psd", b"8BPS\0\1" + bytes(40)),
    "emf": ("emf", b"\x01\0\0\0" + bytes(36) + b" EMF" + bytes(40)),
    "wmf": ("wmf", b"\xd7\xcd\xc6\x9a" + bytes(40)),
    "pnm": ("pnm", saved("PPM")),
    "pnm-ascii": ("pnm", b"P2\n# made\n2 2\n255\n1 2 3 4\n"),
    "pcx": ("pcx", saved("PCX")),
    "tga": ("tga", saved("TGA")),
    "xcf": ("xcf", b"gimp xcf v011\0" + bytes(40)),
    "djvu": ("djvu", b"AT&TFORM\0\0\0\x10DJVU"),
    "jbig2": ("jbig2", b"\x97JB2\r\n\x1a\n" + bytes(40)),
    "hdr": ("hdr", b"#?RADIANCE\nFORMAT=32-bit_rle_rgbe\n\n"),
    "exr": ("exr", b"v/1\x01\2\0\0\0" + bytes(40)),
    "dds": ("dds", saved("DDS")),
    "flif": ("flif", b"FLIF\x31\0" + bytes(40)),
    "qoi": ("qoi", b"qoif" + bytes(40)),
    "matroska": ("matroska", b"\x1a\x45\xdf\xa3\x93\x42\x82\x88matroska"),
    "webm": ("webm", b"\x1a\x45\xdf\xa3\x93\x42\x82\x84webm"),
    "avi": ("avi", b"RIFF\0\1\0\0AVI LIST" + bytes(40)),
    "mpeg": ("mpeg", b"\0\0\x01\xba" + bytes(40)),
    "mpeg-ts": ("mpeg-ts", (b"\x47" + bytes(187)) * 5),
    "flv": ("flv", b"FLV\x01\5" + bytes(40)),
    "asf": ("asf", b"\x30\x26\xb2\x75\x8e\x66\xcf\x11" + bytes(40)),
    "ogg-video": ("ogg", b"OggS\0\2" + bytes(20) + b"\1\x2a\x80theora" + bytes(40)),
    "mp3-cover": ("mp3", id3(b"APIC")),
    "flac-cover": ("flac", b"fLaC\0\0\0\x22" + bytes(34) + b"\x86\0\0\4abcd"),
    "ogg-cover": ("ogg", b"OggS\0\2" + bytes(20) + b"\1\x1eOpusHead" + b"METADATA_BLOCK_PICTURE=" + bytes(9)),
    "wav-with-picture": ("wav", waved(photo_jpeg(1, (32, 24)))),
    "pdf": ("pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n"),
    "pdf-late": ("pdf", b"\n" * 900 + b"%PDF-1.4\n1 0 obj\n"),
    "zip": ("zip", zipped("a.jpg")),
    "zip-deflated": ("zip", zipped("a.jpg", method=zipfile.ZIP_DEFLATED)),
    "zip-behind-something": ("zip", b"\x93\x01\x02\x00stub" * 9 + zipped("a.jpg")),
    "docx": ("docx", zipped("[Content_Types].xml", "word/document.xml")),
    "xlsx": ("xlsx", zipped("[Content_Types].xml", "xl/workbook.xml")),
    "pptx": ("pptx", zipped("[Content_Types].xml", "ppt/presentation.xml")),
    "odt": ("odt", zipped("mimetype", "content.xml", first=b"application/vnd.oasis.opendocument.text")),
    "epub": ("epub", zipped("mimetype", "a.xhtml", first=b"application/epub+zip")),
    "xps": ("xps", zipped("[Content_Types].xml", "FixedDocSeq.fdseq")),
    "7z": ("7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(40)),
    "rar4": ("rar", b"Rar!\x1a\x07\0" + bytes(2) + b"\x73\0\0\x0d\0" + bytes(40)),
    "rar5": ("rar", b"Rar!\x1a\x07\x01\0" + bytes(4) + b"\3\1\0\0" + bytes(40)),
    "tar": ("tar", tarred(tarfile.USTAR_FORMAT)),
    "tar-old": ("tar", old_tar()),
    "gzip": ("gzip", b"\x1f\x8b\x08" + bytes(40)),
    "bzip2": ("bzip2", b"BZh91AY&SY" + b"\0" * 40),
    "xz": ("xz", b"\xfd7zXZ\0" + bytes(40)),
    "zstd": ("zstd", b"\x28\xb5\x2f\xfd" + bytes(40)),
    "lz4": ("lz4", b"\x04\x22\x4d\x18" + bytes(40)),
    "cab": ("cab", b"MSCF\0\0\0\0" + bytes(40)),
    "arj": ("arj", b"\x60\xea\x2c\0\x22" + bytes(60)),
    "lha": ("lha", b"\x20\0-lh5-" + bytes(40)),
    "ar": ("ar", b"!<arch>\n" + bytes(40)),
    "iso": ("iso", bytes(32769) + b"CD001\x01" + bytes(40)),
    "doc": ("doc", ole("WordDocument", stream=b"\xec\xa5\xc1\0")),
    "xls": ("xls", ole("Workbook", stream=b"\x09\x08\x10\0" + bytes(16) + b"\xe1\0\2\0\xb0\4")),
    "ppt": ("ppt", ole("PowerPoint Document")),
    "msg": ("msg", ole("__substg1.0_0037001F")),
    "tnef": ("tnef", b"\x78\x9f\x3e\x22\1\0" + bytes(40)),
    "rtf": ("rtf", b"{\\rtf1\\ansi Hello}"),
    "postscript": ("postscript", b"%!PS-Adobe-3.0 EPSF-3.0\n"),
    "eps-binary": ("postscript", b"\xc5\xd0\xd3\xc6" + bytes(40)),
    "mbox": ("mbox", b"From a@b Mon Mar  3 14:02:00 2025\nFrom: a@b\nSubject: x\n\nHello\n"),
    "eml": ("eml", b"Received: x\r\nMIME-Version: 1.0\r\nContent-Transfer-Encoding: base64\r\n\r\n/9j/4AAQ\r\n"),
    "apple-double": ("apple-double", b"\0\x05\x16\x07\0\2\0\0" + bytes(40)),
    "swf": ("swf", b"CWS\x0a\1\0\0\0" + bytes(40)),
    "word-xml": ("office-xml", b'<?xml version="1.0"?><?mso-application progid="Word.Document"?><w:wordDocument/>'),
    "hl7-with-picture": ("hl7-image", b"MSH|^~\\&|A|B\rOBX|1|ED|x||^IM^JPEG^Base64^/9j/4AAQ|\r"),
    "xbm": ("xbm", b"#define a_width 8\n#define a_height 8\nstatic char a_bits[] = {0x00};\n"),
    "xpm": ("xpm", b'/* XPM */\nstatic char *x[] = {"1 1 1 1"};\n'),
    "program": ("program", b"MZ\x90\0\3\0\0\0" + bytes(40)),
}  # fmt: skip


@pytest.mark.parametrize("case", OPAQUE)
def test_formats_that_may_carry_a_picture_are_named_and_opaque(case: str) -> None:
    """Recognised, not opened: held under its own name."""
    name, data = OPAQUE[case]
    found = sniff(data)
    assert (found.format, found.opaque, found.harmless) == (name, NOT_SUPPORTED, False)


@pytest.mark.parametrize("data", [photo_jpeg(1, (32, 24)), photo_png(1, (32, 24)), b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\nrest"])
def test_our_own_formats_go_to_their_scrubbers(data: bytes) -> None:
    """By signature alone: whether the file is sound is the scrubber's to say."""
    assert sniff(data) == Sniffed("jpeg" if data[0] == 0xFF else "png", NOT_SUPPORTED)


# ------------------------------------------------------------------- encrypted


def _certificate() -> tuple[x509.Certificate, rsa.RSAPrivateKey]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "test")])
    made = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key()).serial_number(7)
    return made.not_valid_before(datetime(2025, 1, 1)).not_valid_after(datetime(2035, 1, 1)).sign(key, SHA256()), key


CERTIFICATE, KEY = _certificate()
_SIGNER = pkcs7.PKCS7SignatureBuilder().set_data(b"hello").add_signer(CERTIFICATE, KEY, SHA256())
SIGNED = _SIGNER.sign(Encoding.DER, [pkcs7.PKCS7Options.Binary])
DETACHED = _SIGNER.sign(Encoding.DER, [pkcs7.PKCS7Options.DetachedSignature])
_ENVELOPE = pkcs7.PKCS7EnvelopeBuilder().set_data(b"hello").add_recipient(CERTIFICATE)
ENVELOPED = _ENVELOPE.encrypt(Encoding.DER, [])
PFX = serialize_key_and_certificates(b"x", KEY, CERTIFICATE, None, BestAvailableEncryption(b"x"))
AES_EXTRA = zipped("a.jpg").replace(b"PK\x03\x04\x14\0\0\0\0\0", b"PK\x03\x04\x14\0\0\0\x63\0", 1)

SEALED: dict[str, tuple[str, bytes]] = {
    "zip-central-flag": ("zip", zipped("a.jpg", flags=1)),
    "zip-folder-beside": ("zip", zipped("a.jpg", "b/", flags=1)),
    "zip-local-flag": ("zip", zipped("a.jpg").replace(b"PK\x03\x04\x14\0\0\0", b"PK\x03\x04\x14\0\1\0", 1)),
    "zip-aes": ("zip", AES_EXTRA),
    "zip-without-directory": ("zip", b"PK\x03\x04\x14\0\1\0\x08\0" + bytes(40)),
    "zip-behind-something": ("zip", b"\x93\x01\x02\x00stub" * 9 + zipped("a.jpg", flags=1)),
    "docx-as-ole": ("ooxml", ole("EncryptionInfo", "EncryptedPackage")),
    "doc-with-password": ("doc", ole("WordDocument", stream=b"\xec\xa5\xc1\0" + bytes(6) + b"\0\x01")),
    "xls-with-password": ("xls", ole("Workbook", stream=b"\x09\x08\x10\0" + bytes(16) + b"\x2f\0\6\0")),
    "pdf": ("pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Root 1 0 R/Encrypt 5 0 R>>"),
    "pdf-direct": ("pdf", b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\ntrailer\n<</Encrypt<</Filter/Standard>>>>"),
    "pdf-xref-stream": ("pdf", b"%PDF-1.7\n9 0 obj\n<</Type/XRef/W[1 2 1]/Encrypt\r\n5\n0\nR>>stream\n"),
    "7z-headers": ("7z", b"7z\xbc\xaf\x27\x1c\0\4" + bytes(4) + struct.pack("<QQI", 0, 20, 0) + b"\x17\6\6\xf1\7\1" + bytes(9)),
    "rar4-headers": ("rar", b"Rar!\x1a\x07\0" + bytes(2) + b"\x73\x80\0\x0d\0" + bytes(40)),
    "rar4-member": ("rar", b"Rar!\x1a\x07\0" + bytes(2) + b"\x73\0\0\x0d\0" + bytes(8) + b"\x74\4\x80\x20\0" + bytes(40)),
    "rar5-headers": ("rar", b"Rar!\x1a\x07\x01\0" + bytes(4) + b"\3\4\0\0" + bytes(40)),
    "rar5-member": ("rar", b"Rar!\x1a\x07\x01\0" + bytes(4) + b"\3\1\0\0" + bytes(4) + b"\7\2\1\3\0\2\1\0" + bytes(40)),
    "pgp-armour": ("pgp-message", b"-----BEGIN PGP MESSAGE-----\n\nhQEMA\n=abcd\n-----END PGP MESSAGE-----\n"),
    "pgp-armour-in-text": ("pgp-message", b"Dear colleague,\r\n\r\n-----BEGIN PGP MESSAGE-----\r\n\r\nhQEMA\r\n"),
    "pgp-binary": ("pgp-message", b"\x85\0\x03\3ab\xd2\x05\1abcd"),
    "pgp-password": ("pgp-message", b"\xc3\x04\4\7\3\2\xd2\xff\0\0\0\5\1abcd"),
    "cms": ("cms-enveloped", ENVELOPED),
    "cms-pem": ("cms-enveloped", _ENVELOPE.encrypt(Encoding.PEM, [])),
    "pkcs12": ("pkcs12", PFX),
}  # fmt: skip


@pytest.mark.parametrize("case", SEALED)
def test_encryption_is_told_from_the_bytes(case: str) -> None:
    """The container itself says that nobody can look inside."""
    name, data = SEALED[case]
    assert (sniff(data).format, sniff(data).opaque) == (name, ENCRYPTED)


def test_a_pdf_that_only_speaks_of_encryption_is_not_encrypted() -> None:
    """/EncryptMetadata and prose are not /Encrypt."""
    assert sniff(b"%PDF-1.7\n1 0 obj\n<</EncryptMetadata true>> (Encrypt)\nendobj").opaque is NOT_SUPPORTED


# -------------------------------------------------------------------- harmless

FONT = b"\0\1\0\0\0\4\0\x40\0\2\0\0" + b"".join(tag + bytes(12) for tag in (b"cmap", b"glyf", b"head", b"hhea")) + bytes(40)
MP3 = (b"\xff\xfb\x90\x00" + bytes(413)) * 3
HARMLESS: dict[str, tuple[str, bytes]] = {
    "empty": ("empty", b""),
    "ascii": ("text", b"Dear colleague,\r\nthe patient is well.\r\n"),
    "utf-8": ("text", "Größe, naïve, 患者".encode()),
    "latin-1": ("text", "Größe".encode("latin-1")),
    "shift-jis": ("text", "患者の写真".encode("shift-jis")),
    "utf-16": ("text", "Dear colleague".encode("utf-16")),
    "free-text": ("text", b"Are free tomorrow?"),
    "text-like-a-magic": ("text", b"MZ is not a program and BZh no archive"),
    "phone-number": ("text", b"070701123456\n"),
    "pdf-in-words": ("text", b"A PDF begins with %PDF-1.7, they say."),
    "html": ("html", b"<!DOCTYPE html><html><body>Hello</body></html>"),
    "html-fragment": ("html", b"<div>Hello <b>you</b></div>"),
    "xml": ("xml", b"<?xml version='1.0'?><letter/>"),
    "json": ("json", b'{"a": [1, 2]}'),
    "csv": ("csv", b"name,age,ward\na,1,x\nb,2,y\nc,3,z\n"),
    "vcard": ("vcard", b"BEGIN:VCARD\r\nVERSION:3.0\r\nFN:Dr X\r\nEND:VCARD\r\n"),
    "calendar": ("calendar", b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nEND:VCALENDAR\r\n"),
    "hl7": ("hl7", b"MSH|^~\\&|LAB|H|EPR|H|202503031402||ORU^R01|1|P|2.4\rPID|1\r"),
    "wav": ("wav", waved()),
    "mp3-id3": ("mp3", id3(b"TIT2")),
    "mp3": ("mp3", MP3),
    "aac": ("aac", (b"\xff\xf1\x50\x80\x02\x1f\xfc" + bytes(9)) * 4),
    "flac": ("flac", b"fLaC\x80\0\0\x22" + bytes(34)),
    "ogg": ("ogg", b"OggS\0\2" + bytes(20) + b"\1\x1eOpusHead" + bytes(40)),
    "amr": ("amr", b"#!AMR\n" + bytes(40)),
    "aiff": ("aiff", b"FORM\0\0\0\x20AIFFCOMM" + bytes(40)),
    "dss": ("dss", b"\x02dss" + bytes(40)),
    "midi": ("midi", b"MThd\0\0\0\6" + bytes(40)),
    "truetype": ("ttf", FONT),
    "opentype": ("otf", b"OTTO\0\4" + bytes(60)),
    "woff": ("woff", b"wOFF\0\1\0\0" + bytes(40)),
    "woff2": ("woff2", b"wOF2\0\1\0\0" + bytes(40)),
    "pgp-signature": ("pgp-signature", b"-----BEGIN PGP SIGNATURE-----\n\niQ\n-----END PGP SIGNATURE-----\n"),
    "pgp-key": ("pgp-key", b"-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmQ\n"),
    "pgp-signature-binary": ("pgp-signature", b"\x88\x04\4abc"),
    "pgp-key-binary": ("pgp-key", b"\x98\x03\4ab\xb4\x02ab"),
    "cms-detached": ("cms-signature", DETACHED),
    "certificate": ("certificate", CERTIFICATE.public_bytes(Encoding.DER)),
    "certificate-pem": ("certificate", CERTIFICATE.public_bytes(Encoding.PEM)),
    "certificates-only": ("cms-signature", pkcs7.serialize_certificates([CERTIFICATE], Encoding.DER)),
}  # fmt: skip


@pytest.mark.parametrize("case", HARMLESS)
def test_formats_that_cannot_carry_a_picture_are_harmless(case: str) -> None:
    """Positively known, by bytes: they pass (text is looked through by another module)."""
    name, data = HARMLESS[case]
    assert sniff(data) == Sniffed(name, harmless=True)


def test_a_public_key_with_a_photograph_is_not_harmless() -> None:
    """OpenPGP user attributes hold the owner's portrait (RFC 9580 5.12.1)."""
    assert sniff(b"\x98\x03\4ab\xd1\x02\1a").opaque is NOT_SUPPORTED


def test_signed_data_with_content_is_a_container() -> None:
    """An opaque S/MIME message is a whole mail in one part."""
    assert (sniff(SIGNED).format, sniff(SIGNED).opaque) == ("cms-signed", NOT_SUPPORTED)
    assert KEY.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


# --------------------------------------------------------------------- unknown


@pytest.mark.parametrize("data", [b"\x93\x01\x02\x00random", bytes(100), b"\x00\x01\x02\x03" * 50, zlib.compress(b"x" * 100)[2:]])
def test_nothing_recognised_is_unknown(data: bytes) -> None:
    """No guess."""
    assert sniff(data) == Sniffed("", opaque=UNKNOWN)


@pytest.mark.parametrize("make", [lambda p: b"\0\x01wrapper\x02" + p, lambda p: bytes(128) + p, lambda p: b"\n" + p])
@pytest.mark.parametrize("picture", [photo_jpeg(1, (32, 24)), photo_png(1, (32, 24)), saved("GIF")])
def test_a_picture_inside_something_unknown_is_not_unknown(make: object, picture: bytes) -> None:
    """A private wrapper, a MacBinary header, a stray byte before SOI: held, not let through as ``unknown-type``."""
    assert callable(make)
    found = sniff(make(picture))
    assert found.opaque is NOT_SUPPORTED
    assert found.codes == {"sniff.embedded-image"}


# ------------------------------------------------------------------- polyglots


@pytest.mark.parametrize(
    ("data", "name"),
    [
        (photo_jpeg(1, (32, 24)) + zipped("a"), "jpeg"),
        (photo_png(1, (32, 24)) + zipped("a"), "png"),
        (saved("GIF") + zipped("a"), "gif"),
        (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n" + zipped("a"), "pdf"),
        (PHOTO[:2] + b"\xff\xfe\0\x20%PDF-1.4\n1 0 obj\n" + bytes(13) + PHOTO[2:], "jpeg"),
        (dicom(CS, preamble=saved("TIFF")[:128]), "dicom"),
        (
            photo_jpeg(1, (32, 24))[:2] + b"\xff\xfe\0\x90" + bytes(122) + b"DICM" + bytes(16) + photo_jpeg(1, (32, 24))[2:],
            "jpeg",
        ),
        (waved(zipped("a")), "wav"),
        (MP3 + zipped("a"), "mp3"),
    ],
)
def test_files_with_two_natures_say_so(data: bytes, name: str) -> None:
    """Where another program would look stands another format: never harmless, always with the code."""
    found = sniff(data)
    assert found.format == name
    assert "sniff.polyglot" in found.codes
    assert not found.harmless


def test_ordinary_files_are_no_polyglots() -> None:
    """The corpus' plain pictures and packages have one nature."""
    for path in corpus(b"PK\x03\x04") + corpus(b"GIF8") + corpus(b"%PDF"):
        assert "sniff.polyglot" not in sniff(path.read_bytes()).codes, path.name
    assert "sniff.polyglot" not in sniff(zipped("a.pdf", first=b"x" * 2000 + b"%PDF-1.4")).codes


@given(st.binary(max_size=400))
def test_any_bytes_have_exactly_one_fate(noise: bytes) -> None:
    """Total: never raises, and either opaque or harmless."""
    found = sniff(noise)
    assert (found.opaque is not None) is not found.harmless


@given(st.sampled_from([*OPAQUE.values(), *SEALED.values(), *HARMLESS.values()]), st.data())
def test_damaged_files_never_make_it_raise(case: tuple[str, bytes], data: st.DataObject) -> None:
    """Flips and cuts in every format's headers."""
    base = bytearray(case[1][:3000])
    for _ in range(data.draw(st.integers(1, 5))):
        if base:
            base[data.draw(st.integers(0, len(base) - 1))] = data.draw(st.integers(0, 255))
    found = sniff(bytes(base[: data.draw(st.integers(0, len(base)))]))
    assert (found.opaque is not None) is not found.harmless
