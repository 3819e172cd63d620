"""Read and check the templates.  What is wrong is found at load, never when somebody waits for a notice.

A template is a text file of parts.  ``[name]`` or ``[variant: name]`` starts a part, ``#`` a comment line.  Each line holds a
sentence or two; blank lines part paragraphs; ``- `` makes a list.  ``{placeholder}`` is replaced; ``{{`` and ``}}`` are braces.
A line whose placeholder has nothing to say is left out.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType

from quarantine.notices.placeholders import (
    FORBIDDEN,
    HELPS,
    LINES,
    OPTIONAL,
    OPTIONAL_FILES,
    PARTS,
    PLACEHOLDERS,
    REQUIRED,
    VARIANTS,
)

SHIPPED = Path(__file__).with_name("templates")
ENGLISH = "en"

_FILES = {**REQUIRED, **OPTIONAL_FILES}
_PAIRS = frozenset({"answers", "reasons"})  # files of lines "left = right"
_HEAD = re.compile(r"\[(?:([a-z]+): )?([a-z][a-z -]*)\]\s*\Z")
_BRACES = re.compile(r"\{\{|\}\}|\{([^{}]*)\}|[{}]")


class TemplateError(ValueError):
    """A template cannot be used; the text begins with file:line and says what to write instead."""

    def __init__(self, path: Path, line: int, problem: str) -> None:
        super().__init__(f"{path.parent.name}/{path.name}:{line}: {problem}")


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a template: its lines, stripped; "" parts paragraphs."""

    line: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Language:
    """All templates of one language, checked."""

    name: str
    files: Mapping[str, Mapping[tuple[str, str], Part]] = field(repr=False)

    def part(self, file: str, name: str, variant: str = "") -> Part | None:
        """The part of a variant, else the one without a variant, else None."""
        parts = self.files[file]
        return parts.get((variant, name)) or parts.get(("", name))

    def need(self, file: str, name: str, variant: str = "") -> Part:
        """As ``part`` for parts whose presence was checked at load."""
        part = self.part(file, name, variant)
        if part is None:
            raise KeyError(f"{file}: {variant} {name}")
        return part

    def meaning(self, answer: str) -> str:
        """What a word offered to the sender means; "" when nobody wrote it down.

        A tag that nobody wrote down as a whole is told by its beginning and its last word: "consent verbal", "right address".
        """
        return _meaning(_pairs(self.need("answers", "meanings")), _key(answer))

    def reasons(self, codes: Iterable[str]) -> str:
        """The language's own sentences for reason codes; "" where it has none (the policy's own sentences then stand)."""
        if "reasons" not in self.files:
            return ""
        known = _pairs(self.need("reasons", "sentences"))
        return " ".join(known[code] for code in codes if code in known)

    def help(self, codes: Iterable[str]) -> str:
        """The language's own words for the one step that helps, of the first code that has some; "" where it has none."""
        known = _pairs(part) if (part := self.part("reasons", HELPS) if "reasons" in self.files else None) is not None else {}
        return next((known[code] for code in codes if code in known), "")


@dataclass(frozen=True, slots=True)
class Templates:
    """Every language found.  ``gaps``: where the English words stand in for what a language does not have, one line each."""

    languages: Mapping[str, Language] = field(repr=False)
    gaps: tuple[str, ...] = ()

    def language(self, name: str) -> Language:
        """Raises KeyError naming the languages there are."""
        try:
            return self.languages[name]
        except KeyError:
            raise KeyError(f"no notice templates for language {name!r}; there are: {', '.join(sorted(self.languages))}") from None


def load(folder: Path = SHIPPED) -> Templates:
    """The shipped languages, with those below ``folder`` (one folder each) before them, file by file and part by part.

    What a file of ``folder`` does not have is taken from the shipped language of the same name, else from the English one: an
    update that brings a new part stops nobody's notices.  Raises TemplateError or, if there is no language, ValueError.
    """
    shipped = _shipped()
    own = {path.name: _own_files(path) for path in _folders(folder)} if folder != SHIPPED else {}
    if folder != SHIPPED and not own:
        raise ValueError(f"{folder.name}: no language folder with notice templates in it")
    languages: dict[str, Language] = {}
    gaps: list[str] = []
    for name in (*shipped, *(name for name in own if name not in shipped)):
        base = shipped.get(name) or shipped[ENGLISH]
        files, missing = _completed(own.get(name, {}) if name in own or folder != SHIPPED else base, base)
        languages[name] = Language(name, files)
        gaps += [f"{name}/{what}" for what in missing if name not in shipped]
    return Templates(MappingProxyType(languages), tuple(gaps))


_Files = Mapping[str, Mapping[tuple[str, str], Part]]


@cache
def _shipped() -> Mapping[str, _Files]:
    return {path.name: _own_files(path) for path in _folders(SHIPPED)}


def _folders(folder: Path) -> list[Path]:
    return [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]


def _own_files(folder: Path) -> _Files:
    """Every template that is there.  Raises TemplateError."""
    paths = sorted(folder.glob("*.txt"))
    for path in paths:
        if path.stem not in _FILES:
            raise TemplateError(
                path, 1, f"no notice has this name; names are {', '.join(sorted(_FILES))}{_nearest(path.stem, _FILES)}"
            )
    if not paths:
        raise TemplateError(folder / "N-1.txt", 1, "no template is in this folder; copy the shipped ones that you want to change")
    return {path.stem: _file(path) for path in paths}


def _completed(own: _Files, base: _Files) -> tuple[_Files, list[str]]:
    """``own`` with what it does not have from ``base``, and what that is: whole files, or parts that every file needs."""
    files: dict[str, Mapping[tuple[str, str], Part]] = {}
    missing: list[str] = []
    for stem, parts in base.items():
        if stem not in own:
            files[stem] = parts
            missing += [f"{stem}.txt"] if stem in REQUIRED else []
            continue
        lacking = {key: part for key, part in parts.items() if key in set(_needed(stem, own[stem]))}
        files[stem] = MappingProxyType({**own[stem], **lacking})
        missing += [f"{stem}.txt: {_shown(key)}" for key in lacking]
    return MappingProxyType({**files, **{stem: parts for stem, parts in own.items() if stem not in base}}), missing


def _needed(stem: str, parts: Mapping[tuple[str, str], Part]) -> list[tuple[str, str]]:
    """What a file must have and does not: a part for every variant, or one without a variant."""
    wanted = [(variant, name) for variant in VARIANTS.get(stem, ("",)) for name in _FILES[stem]]
    lacking = [key for key in wanted if key not in parts and ("", key[1]) not in parts]
    return [*lacking, *(("", name) for _, name in lacking)]


def _file(path: Path) -> Mapping[tuple[str, str], Part]:
    try:
        text = path.read_bytes().decode("utf-8-sig")  # Windows editors put a byte order mark in front
    except UnicodeDecodeError as error:
        raise TemplateError(path, 1, f"not UTF-8 at byte {error.start}: save the file as UTF-8") from None
    parts: dict[tuple[str, str], Part] = {}
    for start, key, lines in _split(path, text):
        if key in parts:
            raise TemplateError(path, start, f"{_shown(key)} stands here twice; the first is in line {parts[key].line}")
        _check_name(path, start, key)
        parts[key] = Part(start, _trim(tuple(line for _, line in lines)))
        for number, line in lines:
            _check_line(path, number, key, line)
        _check_part(path, key, parts[key])
    return MappingProxyType(parts)


def _split(path: Path, text: str) -> Iterator[tuple[int, tuple[str, str], list[tuple[int, str]]]]:
    """(line of the head, (variant, name), numbered lines) of each part."""
    current: tuple[int, tuple[str, str], list[tuple[int, str]]] | None = None
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if line.startswith("#"):
            continue
        head = _HEAD.match(line)
        if head:
            if current:
                yield current
            current = (number, (head[1] or "", head[2]), [])
        elif current:
            current[2].append((number, line))
        elif line:
            raise TemplateError(path, number, "text before the first part: begin with a line such as [subject]")
    if current:
        yield current


def _check_name(path: Path, line: int, key: tuple[str, str]) -> None:
    variant, name = key
    if variant and variant not in VARIANTS.get(path.stem, ()):
        variants = [one for one in VARIANTS.get(path.stem, ()) if one]
        told = f"{', '.join(variants) or 'none'}{_nearest(variant, variants)}"
        raise TemplateError(path, line, f"{_shown(key)}: no such variant here; there are: {told}")
    allowed = (*_FILES[path.stem], *OPTIONAL.get(path.stem, ()))
    if name not in allowed and not any(a.endswith("*") and name.startswith(a[:-1]) for a in allowed):
        raise TemplateError(
            path, line, f"{_shown(key)}: no such part here; there are: {', '.join(allowed)}{_nearest(name, allowed)}"
        )


def _check_line(path: Path, number: int, key: tuple[str, str], line: str) -> None:
    if path.stem in _PAIRS and line and "=" not in line:
        raise TemplateError(path, number, "a line here is: words = what they mean")
    for match in _BRACES.finditer(line):
        if match[0] in ("{{", "}}"):
            continue
        name = match[1]
        if name is None:
            raise TemplateError(path, number, f"a single {match[0]!r}: write {match[0] * 2} for the character itself")
        if name in FORBIDDEN:
            raise TemplateError(path, number, f"{{{name}}} may not stand in a notice: it could show what the email is about")
        known = PLACEHOLDERS.get(name)
        here = sorted(n for n, p in PLACEHOLDERS.items() if path.stem in p.where and n in PARTS.get((path.stem, key[1]), {n}))
        if known is None or name not in here:
            told = f"{', '.join(here) or 'none'}{_nearest(name, here)}"
            raise TemplateError(path, number, f"{{{name}}} is not known here; there are: {told}")
        if known.many and line != match[0]:
            raise TemplateError(path, number, f"{{{name}}} makes a list and must stand alone on its line")
        if known.many and key[1] in ("subject", "line", "head"):
            raise TemplateError(path, number, f"{{{name}}} makes a list and cannot stand in {_shown(key)}")


def _check_part(path: Path, key: tuple[str, str], part: Part) -> None:
    if not any(part.lines):
        raise TemplateError(path, part.line, f"{_shown(key)} is empty")
    wanted = LINES.get(key[1]) if path.stem == "frame" else None
    if wanted and len(part.lines) != wanted:
        raise TemplateError(path, part.line, f"{_shown(key)} needs {wanted} lines, there are {len(part.lines)}")
    if key[1] in ("subject", "line", "head") and len(part.lines) != 1:
        raise TemplateError(path, part.line, f"{_shown(key)} must be one line")


def _trim(lines: tuple[str, ...]) -> tuple[str, ...]:
    """Without blank lines at either end."""
    full = [at for at, line in enumerate(lines) if line]
    return lines[full[0] : full[-1] + 1] if full else ()


def _nearest(word: str, known: Iterable[str]) -> str:
    """``; did you mean "x"?`` or nothing."""
    close = difflib.get_close_matches(word, list(known), 1)
    return f'; did you mean "{close[0]}"?' if close else ""


def _shown(key: tuple[str, str]) -> str:
    return f"[{key[0]}: {key[1]}]" if key[0] else f"[{key[1]}]"


def _pairs(part: Part) -> dict[str, str]:
    return {_key(left): right.strip() for left, _, right in (line.partition("=") for line in part.lines if line)}


def _meaning(known: Mapping[str, str], key: str) -> str:
    if key in known or "," not in key:
        return known.get(key, "")
    start, _, last = key.rpartition(", ")
    told = [_meaning(known, start), known.get(last, "")]
    return "; ".join(told) if all(told) else ""


def _key(answer: str) -> str:
    return " ".join(answer.lower().replace("[", " ").replace("]", " ").split())


def fill(text: str, values: Mapping[str, str]) -> str | None:
    """One template line with its placeholders replaced, or None when one of them has nothing to say."""
    names = [m[1] for m in _BRACES.finditer(text) if m[1] is not None]
    if any(not values.get(name) for name in names):
        return None
    return _BRACES.sub(lambda m: m[0][0] if m[1] is None else values[m[1]], text)
