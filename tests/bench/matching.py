"""How well pictures are found again, and what it costs: ``python -m tests.bench.matching [FOLDER of photos] [--places N]``.

Prints the tables of docs/matching.md.  FOLDER: any real photographs; different files must show different things.
"""

from __future__ import annotations

import argparse
import io
import random
import tempfile
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
from PIL import Image, ImageEnhance, ImageOps

from filters.api import FilterError
from filters.likeness import likeness, probe
from quarantine.keyedhash import KeyedHash
from quarantine.ledger import matching
from quarantine.ledger.alignment import aligned
from quarantine.ledger.fingerprint import Fingerprint, apart, read, shape
from quarantine.ledger.fingerprintkey import FingerprintKey
from quarantine.records import Records
from tests.support.wounds import shot, skin

Change = Callable[[Image.Image, random.Random], Image.Image]


def jpeg(image: Image.Image, quality: int) -> bytes:
    """As a file."""
    file = io.BytesIO()
    image.convert("RGB").save(file, "JPEG", quality=quality)
    return file.getvalue()


def _saved(image: Image.Image, quality: int) -> Image.Image:
    return Image.open(io.BytesIO(jpeg(image, quality)))


def _sized(image: Image.Image, share: float) -> Image.Image:
    return image.resize((max(1, int(image.width * share)), max(1, int(image.height * share))), Image.Resampling.LANCZOS)


def _cut(image: Image.Image, across: float, down: float, rnd: random.Random) -> Image.Image:
    wide, high = int(image.width * across), int(image.height * down)
    x, y = rnd.randint(0, image.width - wide), rnd.randint(0, image.height - high)
    return image.crop((x, y, x + wide, y + high))


def _gamma(image: Image.Image, power: float) -> Image.Image:
    return image.point([round(255 * (value / 255) ** power) for value in range(256)] * 3)


def _screenshot(image: Image.Image) -> Image.Image:
    """On a telephone's screen, with bars above and below."""
    screen = Image.new("RGB", (1080, 2340), "black")
    shown = ImageOps.contain(image, (1080, 2040))
    screen.paste(shown, ((1080 - shown.width) // 2, (2340 - shown.height) // 2))
    screen.paste(Image.new("RGB", (1080, 70), (20, 20, 20)), (0, 0))
    screen.paste(Image.new("RGB", (1080, 130), (235, 235, 235)), (0, 2210))
    return screen


CHANGES: dict[str, Change] = {
    "JPEG quality 95": lambda image, rnd: _saved(image, 95),
    "JPEG quality 70": lambda image, rnd: _saved(image, 70),
    "JPEG quality 40": lambda image, rnd: _saved(image, 40),
    "PNG": lambda image, rnd: image,
    "25 % as large": lambda image, rnd: _sized(image, 0.25),
    "50 % as large, quality 60": lambda image, rnd: _saved(_sized(image, 0.5), 60),
    "200 % as large": lambda image, rnd: _sized(image, 2),
    "turned by 90°": lambda image, rnd: image.transpose(Image.Transpose.ROTATE_90),
    "turned by 180°": lambda image, rnd: image.transpose(Image.Transpose.ROTATE_180),
    "15 % brighter": lambda image, rnd: ImageEnhance.Brightness(image).enhance(1.15),
    "15 % darker": lambda image, rnd: ImageEnhance.Brightness(image).enhance(0.85),
    "20 % more contrast": lambda image, rnd: ImageEnhance.Contrast(image).enhance(1.2),
    "gamma 0.8": lambda image, rnd: _gamma(image, 0.8),
    "grey": lambda image, rnd: image.convert("L").convert("RGB"),
    "screenshot": lambda image, rnd: _screenshot(image),
    "white border of 10 %": lambda image, rnd: ImageOps.expand(image, int(image.width * 0.1), "white"),
    "cut to 90 % of each side": lambda image, rnd: _saved(_cut(image, 0.9, 0.9, rnd), 80),
    "cut to 80 %": lambda image, rnd: _saved(_cut(image, 0.8, 0.8, rnd), 80),
    "cut to 70 %": lambda image, rnd: _saved(_cut(image, 0.7, 0.7, rnd), 80),
    "cut to 60 %": lambda image, rnd: _saved(_cut(image, 0.6, 0.6, rnd), 80),
    "cut to 50 %": lambda image, rnd: _saved(_cut(image, 0.5, 0.5, rnd), 80),
    "cut to 70 %, turned": lambda image, rnd: _saved(_cut(image, 0.7, 0.7, rnd).transpose(Image.Transpose.ROTATE_90), 80),
    "cut to 60 %, half as large, quality 60": lambda image, rnd: _saved(_sized(_cut(image, 0.6, 0.6, rnd), 0.5), 60),
}


def recall(name: str, images: list[Image.Image]) -> None:
    """One line a kind of change: the share found, and the share that a thread would not be asked about again."""
    kept = [read(likeness(jpeg(image, 92))) for image in images]
    print(f"\n{name}: {len(images)} pictures\n| change | found | found as the same picture |\n|---|---|---|")
    for change, work in CHANGES.items():
        rnd = random.Random(5)
        hows, same = [], []
        for image, one in zip(images, kept, strict=True):
            data = jpeg(work(image, rnd), 95)
            hows.append(matching.judged([read(form) for form in probe(data)], one)[0])
            same.append(apart(read(likeness(data)), one) <= matching.RESAVED)
        found = sum(how is not None for how in hows)
        print(f"| {change} | {found / len(images):.1%} | {sum(same) / len(images):.1%} |", flush=True)
    strangers(name, images, kept)


def strangers(name: str, images: list[Image.Image], kept: list[Fingerprint]) -> None:
    """Different pictures: how often one is taken for another."""
    probes = [[read(form) for form in probe(jpeg(image, 92))] for image in images[::2]]
    pairs = [(at, other) for at in range(len(probes)) for other in range(len(kept)) if other != 2 * at]
    corners = np.array([aligned(probes[at], kept[other]) for at, other in pairs])
    whole = np.array([apart(probes[at][0], kept[other]) for at, other in pairs])
    wrong = int(((corners >= matching.LIKELY) | (whole <= matching.NEAR)).sum())
    print(f"{len(pairs)} pairs of different pictures ({name}): at most {corners.max()} corners agree, as a whole at least")
    print(f"{whole.min():.3f} apart; taken for likely: {wrong}", flush=True)


def moments(places: int, shots: int) -> None:
    """Several photographs of one wound: which of them count as the same picture, by how far the hand moved."""
    print(f"\n{places} wounds, {shots} photographs each")
    print("| hand moved by | the same picture | near-identical | found by match |\n|---|---|---|---|")
    grounds = [skin(seed) for seed in range(places)]
    first = [read(likeness(jpeg(shot(ground, seed, 0.0), 90))) for seed, ground in enumerate(grounds)]
    for moved in (0.0, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1):
        again = [
            (seed, jpeg(shot(ground, 1000 * (number + 1) + seed, moved), 90))
            for seed, ground in enumerate(grounds)
            for number in range(shots)
        ]
        whole = np.array([apart(read(likeness(data)), first[seed]) for seed, data in again])
        corners = np.array([aligned([read(form) for form in probe(data)], first[seed]) for seed, data in again[::shots]])
        same, near = int((whole <= matching.RESAVED).sum()), (whole <= matching.NEAR).mean()
        found = (corners >= matching.LIKELY).mean()
        print(f"| {moved:.2%} of the width | {same} of {len(whole)} | {near:.0%} | {found:.0%} |", flush=True)


def scale(count: int) -> None:
    """Looking through ``count`` pictures: what it takes, and what they take."""
    rng = np.random.default_rng(1)
    hashes = KeyedHash(b"k" * 32)
    key = FingerprintKey(hashes)
    wanted = shot(skin(4), 4, 0.0)
    with tempfile.TemporaryDirectory() as folder:
        records = Records(Path(folder) / "records.sqlite")
        bases = [likeness(jpeg(shot(skin(seed), seed, 0.0), 90)) for seed in range(5, 25)]
        with records.transaction():
            for number in range(count):
                base = bases[number % len(bases)]
                body = rng.permutation(np.frombuffer(base[134:], np.uint8).reshape(-1, 20)).copy()
                body[:, 4:] ^= rng.integers(0, 256, 16, np.uint8)  # another picture's corners, clustered as real ones are
                data = base[:5] + rng.bytes(128) + bytes([len(body)]) + body.tobytes()
                name = sha256(str(number).encode()).hexdigest()
                records.add_fingerprint(name, key.id, key.close(name, shape(data)), key.close(name, data), 0.0)
            name = sha256(b"wanted").hexdigest()
            data = likeness(jpeg(wanted, 92))
            records.add_fingerprint(name, key.id, key.close(name, shape(data)), key.close(name, data), 0.0)
        records.all("PRAGMA wal_checkpoint(TRUNCATE)")
        for change in ("50 % as large, quality 60", "cut to 70 %", "cut to 60 %"):
            forms = [read(one) for one in probe(jpeg(CHANGES[change](wanted, random.Random(5)), 95))]
            started, used = time.monotonic(), time.process_time()
            looked = matching.similar(records, hashes, sha256(b"unknown").hexdigest(), forms)
            spent, processor = time.monotonic() - started, time.process_time() - used
            corners = [one.corners for one in looked.matches[1:] if one.image == name]
            print(f"{count} pictures, {change}: {spent:.1f} s ({processor:.1f} s of one processor);", end=" ")
            print(f"found: {corners or 'no'}; others: {len(looked.matches) - 1 - len(corners)}", flush=True)
        print(
            f"{sum(path.stat().st_size for path in Path(folder).iterdir()) / (count + 1):.0f} octets a picture on disk",
            flush=True,
        )


def photos(folder: Path) -> list[Image.Image]:
    """Every photograph of a folder, at most 2000 pixels long."""
    found = []
    for path in sorted(folder.iterdir()):
        try:
            likeness(path.read_bytes())
            image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        except (FilterError, OSError):
            continue
        image.thumbnail((2000, 2000))
        found.append(image)
    return found


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?")
    parser.add_argument("--places", type=int, default=60)
    parser.add_argument("--shots", type=int, default=5)
    parser.add_argument("--scale", type=int, default=100_000)
    told = parser.parse_args()
    started = time.monotonic()
    scale(told.scale)
    moments(told.places, told.shots)
    recall("made-up skin", [shot(skin(seed), seed, 0.0) for seed in range(told.places)])
    if told.folder is not None:
        recall("photographs", photos(told.folder))
    print(f"\n{time.monotonic() - started:.0f} s")


if __name__ == "__main__":
    main()
