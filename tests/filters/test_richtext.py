"""Rich text: pictures in it are scrubbed in place, notes about people go, every other byte stays."""

from __future__ import annotations

import random
import subprocess
from pathlib import Path

import pytest

from filters.api import STRICT, Blocked, Budget, Cleaning, FilterError, Finding, Member, OpaqueReason
from filters.registry import SCRUBBERS
from filters.richtext.opener import RTF
from filters.tree import Label, Tools, clean, examine
from tests.support.canary_images import photo_jpeg, photo_png
from tests.support.images_judged import decode
from tests.support.needs import needs
from tests.support.samples import metafiles
from tests.support.samples.richtext import document, object_, picture

PHOTO = photo_jpeg(1, (60, 40))


def seen(data: bytes, cleaning: Cleaning = STRICT) -> list[object]:
    return list(RTF.open(data, Budget(), cleaning))


@pytest.mark.unit
@pytest.mark.parametrize("binary", [False, True])
def test_its_pictures_are_scrubbed_in_place(binary: bool) -> None:
    data = document(picture(PHOTO, binary=binary), picture(photo_png(1, (30, 20)), b"pngblip", binary=binary))
    node = examine(data, Tools(), Budget())
    assert [child.sniffed.format for child in node.children] == ["jpeg", "png"]
    made = clean(data, node, Tools(), Budget()).data
    jpeg, png = [one.data for one in seen(made) if isinstance(one, Member)]
    assert decode(jpeg) == decode(PHOTO)
    assert SCRUBBERS["jpeg"].residue(jpeg) == SCRUBBERS["png"].residue(png) == ()
    assert not any(isinstance(one, Finding) for one in seen(made))
    again = examine(made, Tools(), Budget())
    assert clean(made, again, Tools(), Budget()).data is made


@pytest.mark.unit
def test_words_about_people_go_and_the_text_stays() -> None:
    words: list[str] = []

    def place(what: str) -> str:
        words.append(f"CANARY-{what}")
        return words[-1]

    data = document(picture(PHOTO), place=place)
    made = RTF.rebuild(data, {}, {}, Budget())
    assert not [word for word in words if word.encode() in made or word.encode().hex().encode() in made]
    assert b"rsid" not in made
    assert rb"Dear colleague, \b please\b0  see \'fc." in made
    kept = RTF.rebuild(data, {}, {}, Budget(), Cleaning(properties=False, authors=False, revisions=False))
    assert kept == data


@pytest.mark.unit
def test_a_document_without_a_picture_stays_the_very_same_object() -> None:
    data = document()
    node = examine(data, Tools(), Budget())
    assert clean(data, node, Tools(), Budget()).data is data
    assert node.opaque is None


@pytest.mark.unit
def test_objects_and_metafiles_in_it_are_opened() -> None:
    data = document(object_(PHOTO), picture(metafiles.emf(metafiles.stretched()), b"emfblip"))
    node = examine(data, Tools(), Budget())
    assert [child.sniffed.format for child in node.walk()] == ["rtf", "emf", "samples", "jpeg"]


@pytest.mark.unit
@pytest.mark.parametrize("kind", [b"macpict", b"wbitmap0"])
def test_a_picture_of_a_kind_nobody_opens_is_opaque(kind: bytes) -> None:
    (member,) = [one for one in seen(document(picture(b"\1\2\3", kind))) if isinstance(one, Member)]
    assert member.opaque is OpaqueReason.NOT_SUPPORTED


@pytest.mark.unit
def test_what_hides_elsewhere_blocks_it() -> None:
    hidden = b"{\\*\\odd " + PHOTO.hex().encode() + b"}"
    assert any(isinstance(one, Blocked) for one in seen(document(hidden)))
    assert any(isinstance(one, Blocked) for one in seen(document() + PHOTO))
    assert examine(document(object_(PHOTO).replace(b"01050000", b"0105")), Tools(), Budget(), Label("a.rtf")).opaque


@pytest.mark.unit
def test_damage_ends_in_a_filter_error() -> None:
    base = document(picture(PHOTO), picture(PHOTO, binary=True), object_(PHOTO))
    rng = random.Random(11)
    for _ in range(300):
        data = bytearray(base[: rng.randrange(6, len(base))])
        for _ in range(rng.randrange(6)):
            data[rng.randrange(len(data))] = rng.choice(b"{}\\ 0af\0\xff")
        try:
            seen(bytes(data))
            RTF.rebuild(bytes(data), {}, {}, Budget())
        except FilterError:
            pass
    for bomb in (b"{" * 100_000, b"{\\rtf" + b"{\\pict}" * 5000, b"{\\rtf\\bin999999999 x}"):
        with pytest.raises(FilterError):
            seen(bomb)


@pytest.mark.e2e
@pytest.mark.slow
def test_an_office_program_reads_the_same_text_afterwards(tmp_path: Path) -> None:
    """LibreOffice is the judge of what a reader sees."""
    needs("soffice")
    data = document(picture(PHOTO))
    made = clean(data, examine(data, Tools(), Budget()), Tools(), Budget()).data
    for name, content in (("before.rtf", data), ("after.rtf", made)):
        (tmp_path / name).write_bytes(content)
    command = ["soffice", f"-env:UserInstallation=file://{tmp_path}/profile", "--headless", "--convert-to", "txt:Text"]
    subprocess.run([*command, "before.rtf", "after.rtf"], cwd=tmp_path, check=True, capture_output=True, timeout=120)
    words = (tmp_path / "after.txt").read_text("utf-8", "replace")
    assert "Dear colleague" in words
    assert words == (tmp_path / "before.txt").read_text("utf-8", "replace")
