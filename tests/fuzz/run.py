"""Runs the fuzz harnesses: ``python -m tests.fuzz.run [AREA ...] --seconds N``, one after the other.

With atheris (extra ``fuzz``) inputs are led by coverage; without it, or with ``--plain``, seeds are mutated at random.  An input
that breaks an invariant is written to ``--keep`` (a folder), and the exit code is 1.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Protocol, cast

HERE = Path(__file__).parent
AREAS = tuple(sorted(path.stem for path in HERE.glob("*.py") if path.stem != "run" and not path.stem.startswith("test_")))
_LONGEST = 1 << 18  # bytes of an input
_PIECES = (b"\0", b"\xff", b"\0\0\0\0", b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\x80\0\0\0", b"\r\n", b"<", b">", b"}", b"\\")


class Harness(Protocol):
    """What each module of this folder has."""

    def seeds(self) -> Sequence[bytes]: ...

    def one(self, data: bytes) -> None: ...


def harness(area: str) -> Harness:
    """The module of one area."""
    return cast(Harness, importlib.import_module(f"tests.fuzz.{area}"))


def mutated(chance: random.Random, seeds: Sequence[bytes]) -> bytes:
    """One seed with a few changes, or with a piece of another one."""
    data = bytearray(chance.choice(seeds))
    for _ in range(chance.choice((1, 1, 2, 3, 5, 9))):
        chance.choice(_CHANGES)(chance, data, seeds)
    return bytes(data[:_LONGEST])


def _flip(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _byte(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    if data:
        data[chance.randrange(len(data))] = chance.randrange(256)


def _number(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    """A length or an offset becomes another one."""
    size, at = chance.choice((2, 4, 8)), chance.randrange(len(data) + 1)
    value = chance.choice((0, 1, len(data), len(data) - at & 0xFFFFFFFF, chance.getrandbits(8), chance.getrandbits(8 * size)))
    data[at : at + size] = (value & (1 << 8 * size) - 1).to_bytes(size, chance.choice(("big", "little")))


def _piece(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    data[at : at + chance.choice((0, 1, 4))] = chance.choice(_PIECES)


def _cut(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    at = chance.randrange(len(data) + 1)
    del data[at : chance.choice((len(data), at + chance.randrange(1, 64)))]


def _copied(chance: random.Random, data: bytearray, seeds: Sequence[bytes]) -> None:
    other = chance.choice((bytes(data), chance.choice(seeds)))
    start = chance.randrange(len(other) + 1)
    at = chance.randrange(len(data) + 1)
    data[at:at] = other[start : start + chance.choice((4, 16, 64, 1024))]


_CHANGES: tuple[Callable[[random.Random, bytearray, Sequence[bytes]], None], ...] = (
    _flip, _flip, _byte, _number, _number, _piece, _cut, _copied,
)  # fmt: skip


def plain(area: str, seconds: float, seed: int = 0) -> tuple[int, bytes | None]:
    """Random mutation: (inputs tried, the input that broke the invariant).  Raises nothing of the harness's own."""
    made, chance = harness(area), random.Random(f"{area} {seed}")
    seeds = [bytes(one) for one in made.seeds()]
    end, tried = time.monotonic() + seconds, 0
    queue = list(seeds)
    while time.monotonic() < end:
        data = queue.pop() if queue else mutated(chance, seeds)
        tried += 1
        try:
            made.one(data)
        except Exception as error:
            print(f"{area}: {type(error).__name__} after {tried} inputs", file=sys.stderr)
            return tried, data
    return tried, None


def _keep(folder: Path, area: str, data: bytes) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{area}-{sha256(data).hexdigest()[:12]}"
    path.write_bytes(data)
    print(f"{area}: kept {path}")


def _led(area: str, seconds: float, keep: Path) -> int:
    """Atheris in a process of its own: it ends the process when it is done."""
    keep.mkdir(parents=True, exist_ok=True)
    return subprocess.run(
        [sys.executable, "-m", "tests.fuzz.run", area, "--led", "--seconds", str(int(seconds)), "--keep", str(keep)]
    ).returncode


def _atheris(area: str, seconds: float, keep: Path) -> None:
    """Never returns."""
    import atheris  # type: ignore[import-not-found,unused-ignore]  # an extra

    with atheris.instrument_imports(include=["filters", "gateway"]):
        made = harness(area)
    with tempfile.TemporaryDirectory() as corpus:
        for number, data in enumerate(made.seeds()):
            (Path(corpus) / str(number)).write_bytes(data)
        options = [f"-max_total_time={int(seconds)}", f"-max_len={_LONGEST}", "-timeout=60", "-rss_limit_mb=4096"]
        options += [f"-artifact_prefix={keep}/{area}-", "-print_final_stats=1", "-verbosity=0"]
        atheris.Setup([sys.argv[0], *options, corpus], lambda data: made.one(bytes(data)))
        atheris.Fuzz()


def main() -> int:
    """0 when every invariant held."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("areas", nargs="*", help=f"of {', '.join(AREAS)}; none: all")
    asked.add_argument("--seconds", type=float, default=600, help="of each area")
    asked.add_argument("--seed", type=int, default=0, help="of the random mutation")
    asked.add_argument("--keep", type=Path, default=Path("fuzz-findings"), help="folder for inputs that broke an invariant")
    asked.add_argument("--plain", action="store_true", help="random mutation though atheris is there")
    asked.add_argument("--led", action="store_true", help=argparse.SUPPRESS)
    told = asked.parse_args()
    if unknown := set(told.areas) - set(AREAS):
        asked.error(f"no such area: {', '.join(sorted(unknown))}")
    if told.led:
        _atheris(told.areas[0], told.seconds, told.keep)
    led = not told.plain and importlib.util.find_spec("atheris") is not None
    failed = 0
    for area in told.areas or AREAS:
        began = time.monotonic()
        if led:
            failed |= _led(area, told.seconds, told.keep) != 0
            print(f"{area}: led by coverage, {time.monotonic() - began:.0f} s", flush=True)
            continue
        tried, broken = plain(area, told.seconds, told.seed)
        print(f"{area}: {tried} inputs, {time.monotonic() - began:.0f} s", flush=True)
        if broken is not None:
            _keep(told.keep, area, broken)
            failed = 1
    return failed


if __name__ == "__main__":
    sys.exit(main())
