"""A picture is recognised by what it shows: saved anew, made smaller, turned, cut; another picture is not."""

from __future__ import annotations

import hashlib
import io
import zipfile
from collections.abc import Callable
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from filters.api import Budget, FilterError, TooBig, Unsupported
from filters.greyscale import MOST_PIXELS, small
from filters.likeness import SIDE, likeness, probe
from filters.tree import Tools, examine
from quarantine.ledger.alignment import aligned
from quarantine.ledger.fingerprint import Fingerprint, apart, read
from quarantine.ledger.matching import LIKELY, NEAR, RESAVED, How, judged
from tests.support.wounds import golden, shot, skin

pytestmark = pytest.mark.unit
WIDE, HIGH = 640, 480


@cache
def place(seed: int) -> Image.Image:
    return skin(seed, WIDE, HIGH)


def saved(image: Image.Image, form: str = "JPEG", **told: object) -> bytes:
    file = io.BytesIO()
    image.save(file, form, **told)
    return file.getvalue()


@cache
def original(seed: int = 4) -> bytes:
    return saved(shot(place(seed), seed, 0.0), quality=92)


@cache
def kept(seed: int = 4) -> Fingerprint:
    return read(likeness(original(seed)))


def opened(seed: int = 4) -> Image.Image:
    return Image.open(io.BytesIO(original(seed)))


def turned_by_exif() -> bytes:
    """The pixels lie on their side and EXIF says so."""
    exif = Image.Exif()
    exif[0x0112] = 6
    return saved(opened().transpose(Image.Transpose.ROTATE_90), exif=exif.tobytes(), quality=90)


AGAIN: dict[str, Callable[[], bytes]] = {
    "jpeg-70": lambda: saved(opened(), quality=70),
    "png": lambda: saved(opened(), "PNG"),
    "webp": lambda: saved(opened(), "WEBP", quality=80),
    "tiff": lambda: saved(opened(), "TIFF"),
    "avif": lambda: saved(opened(), "AVIF", quality=70),
    "half": lambda: saved(opened().resize((WIDE // 2, HIGH // 2)), quality=80),
    "double": lambda: saved(opened().resize((WIDE * 2, HIGH * 2)), quality=80),
    "exif": turned_by_exif,
    "grey": lambda: saved(opened().convert("L"), quality=90),
}
EDITED: dict[str, Callable[[], bytes]] = {
    "jpeg-40": lambda: saved(opened(), quality=40),
    "quarter": lambda: saved(opened().resize((WIDE // 4, HIGH // 4)), quality=80),
    "turned": lambda: saved(opened().transpose(Image.Transpose.ROTATE_270), quality=80),
    "brighter": lambda: saved(ImageEnhance.Brightness(opened()).enhance(1.15), quality=80),
    "cut-90": lambda: saved(opened().crop((40, 20, 616, 452)), quality=80),
    "cut-70": lambda: saved(opened().crop((100, 70, 548, 406)), quality=80),
    "cut-turned": lambda: saved(opened().crop((100, 70, 548, 406)).transpose(Image.Transpose.ROTATE_90), quality=80),
}


@pytest.mark.parametrize("how", AGAIN)
@pytest.mark.slow
def test_the_same_picture_in_another_file_is_the_same_picture(how: str) -> None:
    """Strictly: near enough that a thread is not asked about it again."""
    assert apart(read(likeness(AGAIN[how]())), kept()) <= RESAVED


@pytest.mark.parametrize("how", EDITED)
@pytest.mark.slow
def test_a_cut_or_edited_picture_is_found_again(how: str) -> None:
    found, _, _ = judged([read(form) for form in probe(EDITED[how]())], kept())
    assert found is not None


def test_a_cut_is_never_the_same_picture() -> None:
    """So a thread is asked about what a cut shows, which may be less, and nearer, than what was agreed to."""
    for how in ("cut-90", "cut-70"):
        assert apart(read(likeness(EDITED[how]())), kept()) > RESAVED


@pytest.mark.slow
def test_another_wound_is_another_picture() -> None:
    wanted = [read(form) for form in probe(original())]
    for seed in (8, 13):
        assert judged(wanted, kept(seed))[0] is None
        assert aligned(wanted, kept(seed)) < LIKELY - 2
        assert apart(wanted[0], kept(seed)) > NEAR


def test_another_photograph_of_the_same_wound_is_likely_but_not_the_same() -> None:
    """A hand moves by some per cent of the width between two photographs."""
    second = saved(shot(place(4), 77, 0.03), quality=92)
    assert apart(read(likeness(second)), kept()) > RESAVED
    assert judged([read(form) for form in probe(second)], kept())[0] in (How.LIKELY, How.VERY_LIKELY)


@pytest.mark.parametrize("size", [(31, 400), (400, 20)])
def test_what_is_too_small_has_no_likeness(size: tuple[int, int]) -> None:
    with pytest.raises(Unsupported):
        likeness(saved(Image.effect_noise(size, 60)))


def test_a_picture_of_one_tone_has_none() -> None:
    """Or every black picture would be every other one."""
    for data in (saved(Image.new("RGB", (800, 600), "black")), saved(Image.new("L", (800, 600), 200), "PNG")):
        with pytest.raises(Unsupported):
            likeness(data)


def test_a_bomb_is_not_decoded() -> None:
    """A few hundred octets that say they are a hundred million pixels."""
    side = int(MOST_PIXELS**0.5) + 100
    header = saved(Image.new("1", (side, side)), "PNG", compress_level=9)
    with pytest.raises(TooBig):
        likeness(header)


@pytest.mark.parametrize("at", [0, 3, 20, 300, 3000])
def test_what_is_cut_off_or_garbled_is_an_error_of_ours(at: int) -> None:
    """Whatever the octets are: a FilterError or a likeness, nothing else."""
    for form in ("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP"):
        data = bytearray(saved(opened().resize((90, 67)), form))
        for broken in (bytes(data[:at]), bytes(data[:at] + b"\xff\x00\x7f" + data[at:])):
            try:
                read(likeness(broken))
            except FilterError:
                continue


@pytest.mark.slow
def test_sixteen_bits_transparency_and_palettes_are_looked_at_as_shown() -> None:
    grey = np.asarray(opened().convert("L"), np.uint16)
    deep = saved(Image.fromarray(grey * 257), "PNG")
    clear = saved(opened().convert("RGBA"), "PNG")
    assert apart(read(likeness(clear)), kept()) <= RESAVED
    assert apart(read(likeness(saved(opened().quantize(64), "PNG"))), kept()) <= NEAR
    assert apart(read(likeness(deep)), kept()) <= NEAR


def test_the_golden_picture_has_the_likeness_that_older_versions_kept() -> None:
    """A change here means that nothing kept before is found again: then ``VERSION`` must change too."""
    made = likeness(golden())
    form = read(made)
    assert (form.width, form.height, len(form.places)) == (SIDE, 360, 180)
    assert hashlib.sha256(made[5:133]).hexdigest()[:16] == GOLDEN_SIGNS
    corners = form.places[:5].round().astype(int).tolist()
    assert corners == GOLDEN_CORNERS


GOLDEN_SIGNS = "c0f48b98b2fc0197"
GOLDEN_CORNERS = [[397, 210], [157, 180], [359, 182], [41, 119], [280, 237]]


def test_the_small_picture_is_upright_and_as_large_as_asked() -> None:
    assert small(original(), 480).shape == (360, 480)
    assert small(turned_by_exif(), 480).shape == (360, 480)


def test_pictures_in_containers_are_noted_and_decoration_is_not() -> None:
    """Whoever walks the tree asks for a likeness of each clinical picture, however deep, and of nothing else."""
    asked: list[bytes] = []
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("wound.jpg", original())
        archive.writestr("logo.png", saved(Image.new("RGB", (16, 16), "blue"), "PNG"))
        archive.writestr("words.txt", "words")
    tools = Tools(
        likeness=lambda data: asked.append(data) or b"noted",  # type: ignore[func-returns-value]  # append says nothing
        judge=lambda node, data: "decorative.icon" if node.info is not None and node.info.width == 16 else None,
    )
    node = examine(packed.getvalue(), tools, Budget())
    assert [one.likeness for one in node.walk() if one.likeness] == [b"noted"]
    assert asked == [original()]
    assert not any(one.likeness for one in examine(packed.getvalue(), Tools(), Budget()).walk())
