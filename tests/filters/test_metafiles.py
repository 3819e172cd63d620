"""Metafiles: drawing commands are copied, the bitmaps and files in them are pictures, and words of programs go."""

from __future__ import annotations

import random

import pytest

from filters.api import Blocked, Budget, FilterError, Finding, Member
from filters.metafiles.emf import EMF
from filters.metafiles.wmf import WMF
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from filters.tree import Tools, clean, examine
from tests.support.canary_images import photo_jpeg
from tests.support.samples import metafiles

pytestmark = pytest.mark.unit
OPENERS = {"emf": EMF, "wmf": WMF}


def opened(data: bytes) -> list[object]:
    return list(OPENERS[sniff(data).format].open(data, Budget()))


def test_a_bitmap_in_a_drawing_is_a_picture_of_its_size() -> None:
    for data in (
        metafiles.emf(metafiles.stretched(200, 150)),
        metafiles.wmf((0x0F43, bytes(22) + b"".join(metafiles.dib(200, 150)))),
    ):
        (member,) = opened(data)
        assert isinstance(member, Member)
        assert member.info is not None
        assert (member.info.width, member.info.height) == (200, 150)


def test_a_drawing_without_a_bitmap_holds_none_and_keeps_its_bytes() -> None:
    for data in (metafiles.emf(), metafiles.wmf((0x0213, bytes(4)))):
        assert opened(data) == []
        node = examine(data, Tools(judge=lambda node, data: "decorative.drawing"), Budget())
        assert clean(data, node, Tools(), Budget()).data is data
        assert node.info is not None


def test_words_of_programs_go_and_commands_stay() -> None:
    words: list[str] = []

    def place(what: str) -> str:
        words.append(f"CANARY-{what}")
        return words[-1]

    for make in metafiles.PICTURES.values():
        data = make(place)
        opener = OPENERS[sniff(data).format]
        assert any(isinstance(one, Finding) for one in opener.open(data, Budget()))
        made = opener.rebuild(data, {}, {}, Budget())
        assert len(made) == len(data)
        assert not any(isinstance(one, Finding) for one in opener.open(made, Budget()))
        assert [one for one in opener.open(made, Budget()) if isinstance(one, Member)] == [
            one for one in opener.open(data, Budget()) if isinstance(one, Member)
        ]
        assert opener.rebuild(made, {}, {}, Budget()) == made
        assert not any(word.encode() in made or word.encode("utf-16-le") in made for word in words)


def test_a_photo_in_an_emf_plus_object_is_scrubbed_in_place() -> None:
    for padding in range(4):
        data = metafiles.emf(metafiles.plus_file(photo_jpeg(1, (48 + padding, 32))), metafiles.stretched())
        node = examine(data, Tools(), Budget())
        assert [child.sniffed.format for child in node.children] == ["jpeg", "samples"]
        made = clean(data, node, Tools(), Budget()).data
        (photo, bitmap) = EMF.open(made, Budget())
        assert isinstance(photo, Member)
        assert SCRUBBERS["jpeg"].residue(photo.data) == ()
        assert bitmap == list(EMF.open(data, Budget()))[1]
        assert int.from_bytes(made[48:52], "little") == len(made)


def test_files_in_a_comment_of_several_formats_are_scrubbed_in_place() -> None:
    """As Office for Mac writes them: the same drawing once more, as PDF or as a picture."""
    data = metafiles.emf(metafiles.formats(photo_jpeg(1, (48, 32)), photo_jpeg(2, (40, 30))), metafiles.stretched())
    node = examine(data, Tools(), Budget())
    assert [child.sniffed.format for child in node.children] == ["jpeg", "jpeg", "samples"]
    made = clean(data, node, Tools(), Budget()).data
    again = examine(made, Tools(), Budget())
    assert [child.clean for child in again.children] == [True, True, True]


def test_what_cannot_be_opened_in_it_blocks_it() -> None:
    jpeg = photo_jpeg(1, (48, 32))
    for data in (
        metafiles.emf(metafiles.comment(b"MINE", jpeg)),
        metafiles.emf(metafiles.comment(b"GDIC", jpeg)),
        metafiles.emf() + jpeg,
        metafiles.wmf(metafiles.escape(jpeg)),
        metafiles.wmf() + jpeg,
    ):
        assert any(isinstance(one, Blocked) for one in opened(data))


@pytest.mark.parametrize("sample", [metafiles.PICTURES["emf"], metafiles.PICTURES["wmf"]])
def test_damage_is_refused_and_never_raises_anything_else(sample: object) -> None:
    base = sample(lambda what: f"word {what}") + metafiles.plus_file(photo_jpeg(1, (48, 32)))  # type: ignore[operator]  # a maker
    rng = random.Random(7)
    for _ in range(400):
        data = bytearray(base[: rng.randrange(30, len(base))])
        for _ in range(rng.randrange(6)):
            data[rng.randrange(len(data))] = rng.randrange(256)
        for opener in OPENERS.values():
            try:
                list(opener.open(bytes(data), Budget()))
                opener.rebuild(bytes(data), {}, {}, Budget())
            except FilterError:
                pass
