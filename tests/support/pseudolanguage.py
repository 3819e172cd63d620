"""A language that nobody speaks, made of the English templates: every word of a person's text is disguised.

A notice in it that shows an English word shows a word that stands in the code.  ``python -m tests.support.pseudolanguage FOLDER``
writes it, complete with reasons, as a site would write a real one.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from policies.reasons import HELP, REASONS
from quarantine.notices.wording import SHIPPED

NAME = "qps"  # of the range that ISO 639-2 leaves for local use
_KEPT = re.compile(r"\{[^{}]*\}|\[[^\]]*\]|\S+@\S+|[A-Z]{2,}(?:[ -][A-Z]{2,})*\b|S/MIME|\"?clinigate\s+[a-z]+\s+[a-z]+")
_DISGUISE = str.maketrans("aeiouyAEIOUYnscNSC", "àëïöüÿÀËÏÖÜŸñšçÑŠÇ")
_HEAD = re.compile(r"\[(?:[a-z]+: )?[a-z][a-z -]*\]\s*\Z")


def disguised(text: str) -> str:
    """``text`` with other letters and longer words; placeholders, tags and words in capitals stay."""
    found, at = [], 0
    for kept in _KEPT.finditer(text):
        found += [_longer(text[at : kept.start()]), kept[0]]
        at = kept.end()
    return "".join([*found, _longer(text[at:])])


def _longer(text: str) -> str:
    return re.sub(r"[^\W\d_]+", lambda word: f"{word[0].translate(_DISGUISE)}ø", text)


def plain_words(text: str) -> list[str]:
    """The words of a notice that are not disguised."""
    return [word for word in re.findall(r"[^\W\d_]{2,}", _KEPT.sub(" ", text)) if not word.endswith("ø")]


def write(folder: Path) -> Path:
    """The language below ``folder``; its folder."""
    made = folder / NAME
    made.mkdir(parents=True)
    for path in SHIPPED.joinpath("en").glob("*.txt"):
        pairs = path.stem == "answers"
        lines = [_line(line, pairs) for line in path.read_text(encoding="utf-8").splitlines()]
        (made / path.name).write_text("\n".join(lines) + "\n", encoding="utf-8")
    sentences = [f"{code} = {disguised(text)}" for code, text in REASONS.items()]
    helps = [f"{code} = {disguised(text)}" for code, text in HELP.items()]
    text = "\n".join(["[sentences]", *sentences, "", "[helps]", *helps, ""])
    (made / "reasons.txt").write_text(text, encoding="utf-8")
    return made


def _line(line: str, pairs: bool) -> str:
    if line.startswith("#") or _HEAD.match(line.strip()):
        return line
    left, equals, right = line.partition(" = ") if pairs else ("", "", line)
    return f"{left}{equals}{disguised(right)}"


if __name__ == "__main__":
    print(write(Path(sys.argv[1])))
