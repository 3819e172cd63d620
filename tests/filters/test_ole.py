"""Old Office files and Outlook messages: every picture in them is found, and a clinical one cannot leave."""

from __future__ import annotations

import io
import random
import shutil
import struct
import subprocess
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from filters.api import Blocked, Budget, FilterError, Member, OpaqueReason
from filters.budget import Limits
from filters.compound.ole import OLE
from filters.sniff import sniff
from filters.tree import Tools, examine
from tests.support.canary_images import photo_jpeg, photo_png
from tests.support.needs import needs
from tests.support.samples import metafiles, ole

PHOTO = photo_jpeg(1, (320, 240))


def seen(data: bytes) -> list[object]:
    return list(OLE[sniff(data).format].open(data, Budget()))


def files(data: bytes) -> list[bytes]:
    return [one.data for one in seen(data) if isinstance(one, Member)]


@pytest.mark.unit
def test_an_attachment_of_an_outlook_message_is_found_under_its_name() -> None:
    data = ole.message(PHOTO, "John Smith.jpg", lambda what: what)
    assert sniff(data).format == "msg"
    (member,) = [one for one in seen(data) if isinstance(one, Member)]
    assert member.name == "John Smith.jpg"
    assert member.data.startswith(PHOTO)
    node = examine(data, Tools(), Budget())
    assert {one.opaque for one in node.children} == {OpaqueReason.NOT_SUPPORTED}
    assert "container.read-only" in node.children[0].codes


@pytest.mark.unit
def test_a_message_inside_a_message_is_looked_through() -> None:
    inner = "__attach_version1.0_#00000000/__substg1.0_3701000D/__attach_version1.0_#00000000/__substg1.0_37010102"
    assert files(ole.compound({"__substg1.0_0037001F": b"x", inner: PHOTO}))[0].startswith(PHOTO)


@pytest.mark.unit
def test_a_file_dropped_into_a_document_is_found() -> None:
    assert files(ole.packaged(PHOTO, lambda what: what)) == [PHOTO]


@pytest.mark.unit
@pytest.mark.parametrize(
    ("kind", "instance", "file"),
    [(0xF01D, 0x46A, PHOTO), (0xF02A, 0x6E2, PHOTO), (0xF01E, 0x6E0, photo_png(1, (40, 30)))],
)
def test_drawing_records_give_their_files(kind: int, instance: int, file: bytes) -> None:
    data = ole.compound({"WordDocument": bytes(64), "Data": b"front" + ole.blip(kind, instance, file) + b"behind"})
    assert files(data) == [file]


@pytest.mark.unit
def test_a_metafile_in_a_drawing_record_is_unpacked() -> None:
    emf = metafiles.emf(metafiles.stretched())
    body = bytes(16) + struct.pack("<I", len(emf)) + bytes(24) + struct.pack("<IBB", 0, 0, 0xFE) + zlib.compress(emf)
    data = ole.compound({"PowerPoint Document": bytes(64), "Pictures": struct.pack("<HHI", 0x3D4 << 4, 0xF01A, len(body)) + body})
    assert files(data) == [emf]


@pytest.mark.unit
def test_a_workbook_s_drawings_are_joined_across_records() -> None:
    """Excel cuts a picture into records of 8 kB."""
    drawing = ole.blip(0xF01D, 0x46A, PHOTO)
    cuts = [drawing[at : at + 8000] for at in range(0, len(drawing), 8000)]
    book = struct.pack("<HH", 0x0809, 16) + bytes(16)
    book += b"".join(struct.pack("<HH", 0x003C if number else 0x00EB, len(cut)) + cut for number, cut in enumerate(cuts))
    assert files(ole.compound({"Workbook": book + struct.pack("<HH", 10, 0)})) == [PHOTO]


@pytest.mark.unit
def test_a_picture_at_an_unknown_place_blocks_the_file() -> None:
    data = ole.compound({"WordDocument": bytes(64), "Other": b"front" + PHOTO})
    assert any(isinstance(one, Blocked) for one in seen(data))
    assert examine(data, Tools(), Budget()).opaque is OpaqueReason.NOT_SUPPORTED


@pytest.mark.unit
def test_damage_and_bombs_end_in_a_filter_error() -> None:
    base = ole.message(PHOTO, "a.jpg", lambda what: what)
    rng = random.Random(3)
    for _ in range(150):
        data = bytearray(base[: rng.randrange(600, len(base))])
        for _ in range(rng.randrange(8)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            list(OLE["msg"].open(bytes(data), Budget()))
        except FilterError:
            pass
    packed = bytes(16) + struct.pack("<I", 1 << 30) + bytes(24) + struct.pack("<IBB", 0, 0, 0xFE) + zlib.compress(bytes(50 << 20))
    bomb = ole.compound({"Pictures": struct.pack("<HHI", 0x3D4 << 4, 0xF01A, len(packed)) + packed})
    with pytest.raises(FilterError):
        list(OLE["ppt"].open(bomb, Budget(Limits(total=1 << 20))))


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The same pictures as LibreOffice writes them into the old formats."""
    needs("soffice")
    import docx
    import openpyxl
    import pptx
    from openpyxl.drawing.image import Image

    folder = tmp_path_factory.mktemp("old")
    text = docx.Document()
    text.add_picture(io.BytesIO(PHOTO))
    text.save(str(folder / "a.docx"))
    docx.Document().save(str(folder / "none.docx"))
    slides = pptx.Presentation()
    slides.slides.add_slide(slides.slide_layouts[6]).shapes.add_picture(io.BytesIO(PHOTO), 0, 0)
    slides.save(str(folder / "a.pptx"))
    book = openpyxl.Workbook()
    book.active.add_image(Image(io.BytesIO(PHOTO)), "A1")
    book.save(str(folder / "a.xlsx"))
    for form, names in (("doc", ("a.docx", "none.docx")), ("ppt", ("a.pptx",)), ("xls", ("a.xlsx",))):
        command = ["soffice", f"-env:UserInstallation=file://{folder}/profile", "--headless", "--convert-to", form, *names]
        subprocess.run(command, cwd=folder, check=True, capture_output=True, timeout=180)
    yield folder
    shutil.rmtree(folder)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.parametrize(("name", "pictures"), [("a.doc", 1), ("a.ppt", 1), ("a.xls", 1), ("none.doc", 0)])
def test_what_an_office_program_wrote_is_found(converted: Path, name: str, pictures: int) -> None:
    """A document without a picture passes; one with a photograph is held."""
    node = examine((converted / name).read_bytes(), Tools(), Budget())
    assert [one.opaque for one in node.children] == [OpaqueReason.NOT_SUPPORTED] * pictures
    assert node.opaque is None
    assert (PHOTO in files((converted / name).read_bytes())) is bool(pictures)
