"""Pictures that left unseen in places where only previews, rubbish or nothing is expected, or in formats nobody had listed."""

from __future__ import annotations

import base64
import gzip
import io
import struct
import zipfile
import zlib

import pytest
from PIL import Image

from filters.api import Budget, OpaqueReason
from filters.documents import previews
from filters.sniff import sniff
from filters.tree import Label, Tools, examine
from tests.support.canary_images import camera_exif, photo, photo_jpeg
from tests.support.samples import documents, raster

pytestmark = pytest.mark.unit

JPEG = photo_jpeg(1, (240, 180))
LETTERS = base64.b64encode(JPEG)
PAGE = b'<html><body><img src="data:image/jpeg;base64,' + LETTERS + b'"></body></html>'


def saved(size: tuple[int, int], kind: str = "JPEG", **more: object) -> bytes:
    out = io.BytesIO()
    photo(2, size).save(out, kind, **more)
    return out.getvalue()


def office(kind: str, name: str, thumbnail: bytes) -> bytes:
    """A document without any picture but the one called a thumbnail."""
    out = io.BytesIO()
    given = documents.CONTAINERS[kind](saved((16, 16), "PNG"), "png", lambda what: "x")
    with zipfile.ZipFile(io.BytesIO(given)) as before, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as after:
        for one in before.infolist():
            if "humbnail" not in one.filename:
                after.writestr(one.filename, before.read(one))
        after.writestr(name, thumbnail)
    return out.getvalue()


NOWHERE = Label()


def seen(data: bytes, label: Label = NOWHERE) -> bool:
    """A photograph was found in ``data``, or the file is one that is held whoever gets it."""
    nodes = list(examine(data, Tools(), Budget(), label).walk())
    big = any(node.clinical and node.info is not None and node.info.width > 16 for node in nodes)
    return big or any(node.opaque not in (None, OpaqueReason.UNKNOWN, OpaqueReason.ENCRYPTED) for node in nodes)


@pytest.mark.parametrize("kind", ["docx", "xlsx", "pptx"])
@pytest.mark.parametrize("ending", ["jpeg", "emf", "xyz"])
@pytest.mark.parametrize(
    "content",
    [JPEG, saved((500, 400)), saved((300, 300), "PNG"), LETTERS, PAGE, saved((100, 80), "TIFF")],
    ids=["camera", "large", "square", "base64", "page", "tiff"],
)
def test_what_is_called_a_thumbnail_need_not_be_one(kind: str, ending: str, content: bytes) -> None:
    """Symptom: a photograph with its camera data, up to 64 KiB, went to a stranger as ``docProps/thumbnail.jpeg`` of a Word file.

    Cause: previews go when a document is cleaned, and a document without another picture is not cleaned; its preview was no
    member, so nobody looked.  Analysis: only what has the format, size and plainness of previews that programs make is left
    unseen (measured on 380 of them); the rest is a picture like others.
    """
    assert seen(office(kind, f"docProps/thumbnail.{ending}", content))


@pytest.mark.parametrize("size", [(256, 192), (181, 256), (256, 144), (395, 512), (512, 288), (1, 1)])
def test_thumbnails_as_programs_make_them_hold_no_letter(size: tuple[int, int]) -> None:
    """The other side: the sizes of PowerPoint, LibreOffice and Word for Mac."""
    assert previews.plain(saved(size))
    flat = io.BytesIO()
    Image.new("RGB", size, "white").save(flat, "PNG")
    assert previews.plain(flat.getvalue())
    assert not previews.plain(saved(size, exif=camera_exif()))


@pytest.mark.parametrize(
    "archive",
    [gzip.compress(b"hello") + bytes(10) + PAGE, gzip.compress(b"hello") + LETTERS],
    ids=["page", "base64"],
)
def test_a_page_behind_an_archive_is_read(archive: bytes) -> None:
    """Symptom: a page with a photograph, behind ten bytes of gzip, went to a stranger.

    Cause: what stands behind an archive was searched for signatures of pictures, not for texts that hide one.  Analysis: a mail
    program that goes by the name ``a.html`` shows the page and skips what is in front of it.
    """
    assert seen(archive)


@pytest.mark.parametrize("label", [Label("a.html"), Label("", "text/html"), Label("a.svg"), Label("", "text/plain")])
def test_what_is_labelled_a_page_is_read_as_one_whatever_it_is(label: Label) -> None:
    """Symptom: none yet; an icon or archive whose samples or comment spell a page with a photograph in it.

    Cause: pictures and archives were looked at as such only, although a program that goes by the label shows their letters.
    Analysis: where the label says text or page, the letters of a picture or archive are read too.
    """
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("a.txt", b"hello")
        archive.comment = PAGE[:60_000] if len(PAGE) <= 60_000 else b""
    assert seen(out.getvalue(), label)
    assert not seen(gzip.compress(b"hello"), label), "an honest archive is not held for its label"
    assert examine(JPEG, Tools(), Budget(), label).clinical, "nor a photograph taken for words"


def _wbmp() -> bytes:
    return b"\0\0\x40\x30" + bytes(range(8)) * 48


def _pict() -> bytes:
    return bytes(512) + struct.pack(">H4h", 0, 0, 0, 100, 100) + b"\0\x11\2\xff\x0c\0" + bytes(range(200))


RARE = {
    "IM": b"Image type: RGB image\r\nImage size (x*y): 40*30\r\n".ljust(511, b"\0") + b"\x1a" + bytes(range(200)),
    "MSP": raster.saved("MSP", Image.new("1", (40, 30))),
    "BLP": b"BLP2" + bytes(100) + b"\xff" * 60,
    "XWD": b"\0\0\0\x68\0\0\0\7\0\0\0\2\0\0\0\x18" + bytes(200),
    "DPX": b"SDPX\0\0\x08\0V1.0\0" + bytes(2048),
    "PCX of several pages": b"\xb1\x68\xde\x3a\x10\0\0\0" + bytes(64),
    "half-float PFM": b"PH\n4 4\n-1\n" + bytes(range(96)),
    "ILBM": b"FORM\0\0\1\0ILBMBMHD" + bytes(100),
    "PICT": _pict(),
    "WBMP": _wbmp(),
    "H.264": b"\0\0\0\1\x67\x64\0\x0a\xac" + bytes(40),
    "H.265": b"\0\0\0\1\x40\1\x0c\1\xff\xff" + bytes(40),
    "AV1": b"\x12\0\x0a\x0b\0\0\0\x04" + bytes(40),
    "IVF": b"DKIF\0\0\x20\0AV01" + bytes(40),
    "MXF": b"\x06\x0e\x2b\x34\x02\x05\x01\x01\x0d\x01" + bytes(40),
    "M2TS": b"".join(b"\0\0\0\0\x47" + bytes(187) for _ in range(5)),
    "FLIC": struct.pack("<IHHHHH", 4000, 0xAF12, 10, 320, 200, 8) + bytes(200),
    "WordPerfect": b"\xffWPC\x10\0\0\0\1\x0a" + bytes(40),
    "ACE": b"\x12\x34\x56\0\0\x90\0**ACE**\x14" + bytes(40),
    "StuffIt": b"SIT!\0\1\0\0\0\x88rLau" + bytes(40),
    "LZMA": b"\x5d\0\0\x80\0" + b"\xff" * 8 + bytes(range(1, 60)),
    "zlib": zlib.compress(JPEG),
}


@pytest.mark.parametrize("data", RARE.values(), ids=RARE)
def test_rare_pictures_films_and_archives_are_known(data: bytes) -> None:
    """Symptom: a photograph saved as WBMP, PICT, XWD, DPX or raw H.264 went to an approved domain without consent.

    Cause: what is not recognised is ``unknown-type``, which is delivered to classes O, A and B.  Analysis: every format that
    Pillow or ffmpeg writes was tried; all that can be told by their bytes are now known, and held as unsupported.
    """
    assert sniff(data).opaque is OpaqueReason.NOT_SUPPORTED


def test_noise_is_still_of_unknown_type() -> None:
    """The other side: the new signatures are no net in which everything hangs."""
    assert [sniff(bytes((step * at * at + at) % 251 for at in range(1, 2000))).opaque for step in range(3, 60)] == [
        OpaqueReason.UNKNOWN
    ] * 57
