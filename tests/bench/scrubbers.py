"""Every file of the shared corpus through Clinigate and through the tools that people use today; judged by programs of neither.

    python -m tests.bench.scrubbers [--write docs/scrubbing.md] [--only NAME]

A result is perfect when the tool wrote a file, the metadata judge finds nothing in it, it shows the very same pictures, and its
colour profile is kept.
"""

from __future__ import annotations

import argparse
import importlib.util
import shutil
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import ModuleType

from filters.sniff import sniff
from gateway.certificate import Workbench
from tests.support import shown
from tests.support.paths import CORPUS, JUDGE

FORMATS: Mapping[str, str] = {
    "jpeg": "JPEG", "png": "PNG", "tiff": "TIFF", "bigtiff": "TIFF", "webp": "WebP", "gif": "GIF", "bmp": "BMP", "heic": "HEIC",
    "heif": "HEIC", "avif": "AVIF", "mp4": "Video", "mov": "Video", "m4a": "Video", "3gp": "Video", "pdf": "PDF",
    "docx": "Office", "xlsx": "Office", "pptx": "Office", "odt": "Office", "svg": "SVG", "dicom": "DICOM",
}  # fmt: skip
KINDS = tuple(dict.fromkeys(FORMATS.values()))
STILLS = frozenset(("JPEG", "PNG", "TIFF", "WebP", "GIF", "BMP", "HEIC", "AVIF"))
BEGIN, END = "<!-- table: begin -->", "<!-- table: end -->"
SECONDS = 120
Tool = Callable[[Path, Path], str]  # (file, where to write) -> why nothing was written, "" otherwise


@dataclass(frozen=True)
class Outcome:
    """What one tool made of one file."""

    file: Path
    kind: str
    tool: str
    refused: str = ""  # why nothing was written
    leaks: tuple[str, ...] = ()
    pixels: bool = True
    colours: bool = True
    judged: bool = True  # some program could tell the pixels

    @property
    def perfect(self) -> bool:
        return not self.refused and not self.leaks and self.pixels and self.colours

    @property
    def reason(self) -> str:
        """Why it is not perfect."""
        if self.refused:
            return f"held: {self.refused}"
        said = [f"left: {'; '.join(self.leaks[:2])}"] if self.leaks else []
        return ", ".join(said + ["pixels"] * (not self.pixels) + ["colour profile"] * (not self.colours))


@dataclass
class Run:
    outcomes: list[Outcome] = field(default_factory=list)
    versions: dict[str, str] = field(default_factory=dict)


def files() -> list[tuple[Path, str]]:
    """Every corpus file with its kind."""
    folder = CORPUS / "images"
    found = sorted(path for path in folder.rglob("*") if path.is_file() and path.suffix != ".tsv") if folder.exists() else []
    return [(path, FORMATS.get(sniff(path.read_bytes()).format, "other")) for path in found]


# ---- the tools


def clinigate(bench: Workbench) -> Tool:
    def scrub(file: Path, out: Path) -> str:
        done = bench.clean(file.read_bytes(), file.name)
        if not done.certificate.refused:
            out.write_bytes(done.data)
        return done.certificate.refused

    return scrub


def _command(file: Path, out: Path, *words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, timeout=SECONDS)
    if done.returncode == 0 and out.exists() and out.stat().st_size:
        return ""
    out.unlink(missing_ok=True)
    return "no output"


def mat2(file: Path, out: Path) -> str:
    """It works on a copy in place."""
    shutil.copyfile(file, out)
    return _command(file, out, "mat2", "--no-sandbox", "--inplace", out)


def exiftool(file: Path, out: Path) -> str:
    return _command(file, out, "exiftool", "-q", "-all=", "-o", out, file)


def exiftool_tuned(file: Path, out: Path) -> str:
    return _command(
        file, out, "exiftool", "-q", "-all=", "--icc_profile:all", "-tagsfromfile", "@", "-orientation", "-o", out, file
    )


def imagemagick(file: Path, out: Path) -> str:
    return _command(file, out, "convert", file, "-strip", out)


OTHERS: Mapping[str, tuple[str, Tool, frozenset[str]]] = {
    "mat2": ("mat2", mat2, frozenset(KINDS)),
    "exiftool -all=": ("exiftool", exiftool, frozenset(KINDS)),
    "exiftool, tuned": ("exiftool", exiftool_tuned, frozenset(KINDS)),
    "ImageMagick -strip": ("convert", imagemagick, STILLS),
}


def versions() -> dict[str, str]:
    """What was compared with what."""
    asked = {"mat2": ("mat2", "--version"), "exiftool": ("exiftool", "-ver"), "ImageMagick": ("convert", "--version")}
    found = {}
    for name, command in asked.items():
        if shutil.which(command[0]):
            words = subprocess.run(command, capture_output=True, text=True).stdout.split()
            found[name] = next(word for word in words if word[0].isdigit())
    return found


# ---- the judges


@cache
def _judge() -> ModuleType:
    spec = importlib.util.spec_from_file_location("metadata_judge", JUDGE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def leaks(pairs: Sequence[tuple[Path, Path]]) -> dict[Path, tuple[str, ...]]:
    """(cleaned, original) -> what the metadata judge calls a leak in each cleaned file, with the original's values as needles."""
    judge = _judge()
    told = judge.exiftool_json([str(clean) for clean, _ in pairs])
    before = judge.exiftool_json(sorted({str(original) for _, original in pairs}))
    found = {}
    for clean, original in pairs:
        _, rows = judge.judge(str(clean), told.get(str(clean), {}), str(original), before.get(str(original)))
        found[clean] = tuple(f"{name}" for level, _, name, _ in rows if level == "LEAK")
    return found


def outcomes(tool: str, made: Sequence[tuple[Path, str, Path, str]]) -> list[Outcome]:
    """Of (original, kind, cleaned, why refused)."""
    left = leaks([(out.resolve(), file.resolve()) for file, _, out, refused in made if not refused])
    found = []
    for file, kind, out, refused in made:
        if refused:
            found.append(Outcome(file, kind, tool, refused))
            continue
        old, new = file.read_bytes(), out.read_bytes()
        before = _shown(file, kind)
        same = before is None or old == new or shown.shown(kind, new) == before
        colours = old == new or shown.same_colours(shown.profile(old), shown.profile(new))
        found.append(Outcome(file, kind, tool, "", left[out.resolve()], same, colours, before is not None))
    return found


@cache
def _shown(file: Path, kind: str) -> shown.Shown | None:
    return shown.shown(kind, file.read_bytes())


def compare(folder: Path, tools: Mapping[str, tuple[Tool, frozenset[str]]], only: str = "") -> list[Outcome]:
    """Every tool on every file it is for; what it writes goes to ``folder``."""
    found: list[Outcome] = []
    for number, (name, (tool, kinds)) in enumerate(tools.items()):
        made = []
        for file, kind in files():
            if kind in kinds and only in file.name:
                out = folder / str(number) / file.name
                out.parent.mkdir(exist_ok=True)
                made.append((file, kind, out, tool(file, out)))
        found += outcomes(name, made)
    return found


# ---- the page


def table(found: Sequence[Outcome]) -> list[str]:
    """Perfect results of files, by kind and tool; "–" where a tool wrote no file of that kind at all."""
    tools = list(dict.fromkeys(one.tool for one in found))
    rows = [f"| format | {' | '.join(tools)} |", "|---" * (len(tools) + 1) + "|"]
    cells: dict[tuple[str, str], list[Outcome]] = {}
    for one in found:
        cells.setdefault((one.kind, one.tool), []).append(one)
    for kind in (*KINDS, "other"):
        if (kind, tools[0]) in cells:
            rows.append(f"| {kind} | {' | '.join(_cell(cells.get((kind, tool), [])) for tool in tools)} |")
    whole = [[one for one in found if one.tool == tool] for tool in tools]
    return [*rows, f"| all it takes | {' | '.join(_share(one, cells) for one in whole)} |"]


def _cell(one: Sequence[Outcome]) -> str:
    return f"{sum(each.perfect for each in one)}/{len(one)}" if any(not each.refused for each in one) else "–"


def _share(one: Sequence[Outcome], cells: Mapping[tuple[str, str], Sequence[Outcome]]) -> str:
    taken = [each for each in one if any(not other.refused for other in cells[(each.kind, each.tool)])]
    return f"{sum(each.perfect for each in taken)}/{len(taken)}"


def faults(found: Sequence[Outcome]) -> list[str]:
    """What was wrong, counted by tool; one file may have several faults."""
    rows = ["| tool | files written | something left | pictures not the same | colour profile lost |", "|---|---|---|---|---|"]
    for tool in dict.fromkeys(one.tool for one in found):
        wrote = [one for one in found if one.tool == tool and not one.refused]
        count = Counter({"left": sum(bool(one.leaks) for one in wrote), "pixels": sum(not one.pixels for one in wrote)})
        rows.append(f"| {tool} | {len(wrote)} | {count['left']} | {count['pixels']} | {sum(not one.colours for one in wrote)} |")
    return rows


def page(found: Sequence[Outcome], told: Mapping[str, str]) -> list[str]:
    """What stands between the marks of docs/scrubbing.md."""
    count = len({one.file for one in found})
    lines = [f"{count} files; {', '.join(f'{name} {version}' for name, version in told.items())}.", "", *table(found), ""]
    lines += [*faults(found), "", "Clinigate's files that are not perfect, each with its reason:", ""]
    short = [one for one in found if one.tool == "Clinigate" and not one.perfect]
    lines += [f"- `{one.file.name}`: {one.reason}" for one in short] or ["- none"]
    unseen = sorted(one.file.name for one in found if one.tool == "Clinigate" and not one.judged)
    if unseen:
        names = ", ".join(f"`{name}`" for name in unseen)
        lines += ["", f"No program here shows the original, so only the judge and the bytes speak for: {names}."]
    return lines


def written(path: Path, begin: str, end: str, lines: Sequence[str]) -> None:
    """Put ``lines`` between two marks of a page."""
    head, _, rest = path.read_text("utf-8").partition(begin)
    _, _, tail = rest.partition(end)
    path.write_text("\n".join([head + begin, "", *lines, "", end + tail]), "utf-8")


def main() -> None:
    """Print the tables, or write them into a page."""
    asked = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    asked.add_argument("--write", type=Path, help="page with the marks")
    asked.add_argument("--only", default="", help="files whose name holds this")
    told = asked.parse_args()
    bench = Workbench()
    tools: dict[str, tuple[Tool, frozenset[str]]] = {"Clinigate": (clinigate(bench), frozenset((*KINDS, "other")))}
    tools |= {name: (tool, kinds) for name, (program, tool, kinds) in OTHERS.items() if shutil.which(program)}
    try:
        with tempfile.TemporaryDirectory() as folder:
            found = compare(Path(folder), tools, told.only)
    finally:
        bench.close()
    lines = page(found, versions())
    if told.write:
        written(told.write, BEGIN, END, lines)
    print("\n".join(lines))


if __name__ == "__main__":
    main()
