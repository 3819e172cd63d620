"""Makes docs/decorative.md: how well drawings are told from photographs, and known logos from other pictures.

    python -m tests.ordinary.decoration PHOTOGRAPHS DRAWINGS SEED VARIANTS > docs/decorative.md

The two are folders of PNG files, the kind before the first hyphen of each name (docs/decorative.md says which were used).
"""

from __future__ import annotations

import sys
from collections import Counter
from itertools import combinations
from pathlib import Path
from random import Random

from PIL import Image

from filters.looks import Looks, alike, look
from tests.ordinary import variants

_FEW = 60  # colours; a picture with fewer is no photograph (test charts, masks)
_GROUND = 0.8  # share of one colour other than black with which nothing is to be seen


def shows_something(image: Image.Image) -> bool:
    """Neither a test chart nor an empty field."""
    found = image.convert("RGB").resize((200, 200)).getcolors(40_000) or []
    most, colour = max(found)
    return len(found) >= _FEW and (most < _GROUND * 40_000 or max(colour) < 60)


def _photographs(folder: Path, seed: str, count: int) -> list[tuple[str, str, Looks]]:
    """(kind, what was done, looks)."""
    made = []
    for path in sorted(folder.glob("*.png")):
        image = Image.open(path)
        if shows_something(image):
            for how, data in variants.photographs(image, Random(seed + path.name), count):
                made.append((path.name.partition("-")[0], how, look(data)))
    return made


def _drawings(folder: Path, seed: str) -> list[tuple[str, str, str, Looks]]:
    """(name, kind, format, looks)."""
    made = []
    for path in sorted(folder.glob("*.png")):
        for how, data in variants.drawings(Image.open(path), Random(seed + path.name), 2):
            made.append((path.name, path.name.partition("-")[0], how, look(data)))
    return made


def _table(title: str, counts: Counter[str], found: Counter[str]) -> str:
    rows = "".join(f"| {name} | {counts[name]} | {found[name]} | {found[name] / counts[name]:.0%} |\n" for name in counts)
    return f"| {title} | pictures | called a drawing | share |\n|---|---|---|---|\n{rows}"


def _hashes(
    photographs: list[tuple[str, str, Looks]], drawn: list[tuple[str, str, str, Looks]], bits: int
) -> tuple[int, int, int, int]:
    """(same drawing found, of, different pictures taken for it, of) when hashes may differ by ``bits``."""
    by_name: dict[str, list[str]] = {}
    for name, _, _, looks in drawn:
        by_name.setdefault(name, []).append(looks.hash)
    same = [alike(*pair) <= bits for one in by_name.values() for pair in combinations(one, 2)]
    firsts = [one[0] for one in by_name.values()]
    wrong = [alike(logo, looks.hash) <= bits for logo in firsts for _, _, looks in photographs]
    return sum(same), len(same), sum(wrong), len(wrong)


def main(photo_folder: str, drawing_folder: str, seed: str, count: str) -> None:
    """Prints the page."""
    seen, drawn = _photographs(Path(photo_folder), seed, int(count)), _drawings(Path(drawing_folder), seed)
    flats, pages = sum(one[2].flat for one in seen), sum(one[2].page for one in seen)
    hits = sum(one[3].flat for one in drawn)
    print(_HEAD.format(
        photographs=len(seen), flats=flats, pages=pages, drawings=len(drawn), hits=hits, recall=hits / len(drawn),
        precision=hits / max(1, hits + flats), seed=seed, count=count,
    ))  # fmt: skip
    print(_table("photographs", Counter(one[1] for one in seen), Counter(one[1] for one in seen if one[2].flat)))
    print(_table("drawings", Counter(one[1] for one in drawn), Counter(one[1] for one in drawn if one[3].flat)))
    print(_table("saved as", Counter(one[2] for one in drawn), Counter(one[2] for one in drawn if one[3].flat)))
    print("| bits that may differ | a drawing saved anew is known again | photographs taken for one |\n|---|---|---|")
    for bits in (0, 2, 4, 6, 8):
        same, pairs, wrong, others = _hashes(seen, drawn, bits)
        print(f"| {bits} | {same / pairs:.0%} of {pairs} | {wrong} of {others} |")
    print(_TAIL, end="")


# ruff: noqa: E501 - lines of a page
_HEAD = """# Decorative or clinical

Logos, icons, badges, charts and screenshots must not hold mail; a photograph must never pass as one of them. In order:

1. a logo of the site's list, by its bytes or by its look (`clinigate learn-logo`);
2. a drawing of lines and shapes (SVG, EMF, WMF);
3. sound without a picture;
4. a tracking pixel, an icon of at most 48 pixels;
5. a **flat graphic**: its pixels are looked at (below);
6. a banner in the text that the same sender sent before.

A flat graphic is made of areas of exactly one colour: at most six colours, clearly different, one of them the ground; little black; no areas
of similar colours side by side, as in a photograph reduced to few colours; and nothing else but thin edges. Transparency is looked at too: no
picture may hide in it or behind it. A sheet of white paper with writing on it is a page (K9), not decoration. In doubt it is a photograph.

## Measured

Made by `python -m tests.ordinary.decoration PHOTOGRAPHS DRAWINGS {seed} {count}`. Photographs: pictures with a camera's EXIF of metadata-extractor and
exif-samples, desktop pictures, scikit-image, scikit-learn, faces, dermoscopy, DICOM files as shown on a screen. Drawings: simple-icons,
Font Awesome, Bootstrap Icons, flags, emoji, matplotlib charts and package logos, windows and logos drawn by code.

| | pictures | called a drawing | called a page |
|---|---|---|---|
| photographs | {photographs} | {flats} | {pages} |
| drawings | {drawings} | {hits} | |

Precision {precision:.1%}, recall {recall:.0%}. The rest of the drawings is asked about like a photograph, until the site lists it.
"""
_TAIL = """
Known logos are compared by a perceptual hash of 64 bits; four may differ.

What lowers recall: JPEG (its noise is not flat; `learn-logo` helps), gradients and shadows, emoji, small text on a coloured ground, black
areas (they could be those of an X-ray picture). The photographs that pass are overexposed ones or stand on a white ground; the number is not zero.
"""

if __name__ == "__main__":
    main(*sys.argv[1:5])
