"""Where a person's own words end in a reply: tables of how programs quote, sign and forward, in the languages of phones.

Whatever looks like quoting ends the text.  A library for this errs the other way (what it does not know counts as written by the
person), and here a quoted word must never count as an answer; a word cut away by mistake only costs a second reply.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Final

LONGEST: Final = 4000  # characters of own words that are looked at
LONGEST_LINE: Final = 400
MOST_LINES: Final = 60


def _any(*patterns: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns), re.IGNORECASE)


_VERBS: Final = (
    r"wrote|writes|écrit|schrieb|schreef|escribió|ha scritto|escreveu|skrev|napisał\(?a?\)?|ysgrifennodd|написал\(?а?\)?"
)
# "On 3 March 2026, at 10:12, Hold <…> wrote:" in one line, or begun in one and ended in one of the next.
_WROTE: Final = _any(
    rf"^(on|le|am|op|el|il|em|den|dnia|w dniu|ar)\b.{{4,300}}\b({_VERBS})\b(.{{0,4}}|.{{0,200}}:)$",
    rf"^.{{0,200}}<[^<>\s]+@[^<>\s]+>.{{0,60}}\b({_VERBS})\b.{{0,4}}$",
    rf"^.{{3,300}}\b({_VERBS})\s?:$",
)
_BEGUN: Final = re.compile(r"^(on|le|am|op|el|il|em|den|dnia|w dniu|ar)\s.{3,160}?(\d{4}|\d{1,2}[:.]\d{2})", re.IGNORECASE)
_ENDED: Final = re.compile(rf"\b({_VERBS})\s?:", re.IGNORECASE)
# Header lines of a quoted mail, rulers, banners.
_CUT: Final = _any(
    r"^[-_=*]{2,}\s*(original|forwarded|reply|ursprüngliche|weitergeleitete|message d'origine|mensaje)\b",
    r"^[_=*-]{8,}",
    r"^begin forwarded message\b",
    r"^\*?(from|von|de|da|van|från|fra|oddi wrth)\s?:\*?\s*\S",
    r"^\*?(sent|date|to|subject|cc|reply-to|gesendet|datum|betreff|an|envoyé|objet|à)\s?:\*?\s*\S.*(\d{4}|@|\bref\b)",
    r"^\[?cid:",
    r"^(caution|external( email| sender)?|warning)\b.{0,40}:",
)
# What phones, people and organisations put under what was written.
_SIGNATURE: Final = _any(
    r"^(--|—|___*|\*\*\**)$",
    r"^(sent|envoyé|gesendet|verzonden|enviado|inviato|anfonwyd)\s+(from|using|via|with|depuis|de|von|vanaf|desde|da|o)\b",
    r"^(get|download) (outlook|gmail|yahoo|aqua)\b",
    r"^outlook (for|mobile)\b",
    r"^typed (with|by|on)\b",
    r"^(please )?(excuse|forgive) (any |the |my )?(typos|brevity|spelling)",
    r"^(this|the) (e-?mail|message|communication|information)\b.{0,200}"
    r"(confidential|intended|privileged|scanned|virus|recipient|nhsmail|may contain)",
    r"^(disclaimer|confidentiality|important notice|private and confidential|official[- ]sensitive|legal notice)\b",
    r"^please consider|^think of the environment|^virus-free|^scanned by|^checked by",
    r"^\*{6}",
)
# What ends the text once something was written: a goodbye, or the telephone and address lines of a signature without a mark.
_GOODBYE: Final = _any(
    r"\b(tel|telephone|phone|ext|extension|bleep|mob|mobile|fax|dect)\b[:. ]*\+?\(?\d",
    r"^\W*[tmef]\s?:\s?[+(\d]|^\+?\d[\d ()-]{8,}$",
    r"\bwww\.|https?://|^\S+@\S+\.[a-z]{2,}$",
    r"\b(my )?(working|work|office) (days|hours|pattern)\b|\bi (do not|don't) work (on )?(mon|tue|wed|thu|fri)",
    r"^\W*((with )?(kind|best|warm|warmest|many|kindest))?\s*(regards|wishes|thanks|rgds)\W*$",
    r"^\W*(thanks|thank you|many thanks|cheers|ta|kr|bw|br|bws|yours( sincerely| faithfully)?)"
    r"(\s+(again|very much|so much|in advance))?\W*$",
)
_OURS: Final = _any(r"\bwaiting( for you)?: email sent\b", r"\(ref [a-z0-9]{4}-?[a-z0-9]{0,4}\)")
_NOT_SHOWN: Final = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff\u00ad]")


def is_ours(text: str, ours: Iterable[str] = ()) -> bool:
    """True for a text that only a notice of ours holds."""
    folded = text.casefold()
    return _OURS.search(text) is not None or any(one in folded for one in ours)


def own(lines: Sequence[str], ours: Iterable[str] = ()) -> list[str]:
    """The person's own lines: up to the first that is quoted, ours or a signature.  Lines marked ``>`` never count.

    ``ours``: texts, folded, that only our notice holds (reference, reply address).
    """
    plain = [clean(line) for line in lines]
    found: list[str] = []
    length = skipped = 0
    for at, line in enumerate(plain):
        if at < skipped or not line or line.startswith((">", "|")):
            continue
        if (stop := _introduced(plain, at)) is not None:
            if found or not _marked_below(plain, stop):
                break
            skipped = stop  # the answer stands below what it answers, each line of which is marked
            continue
        if _CUT.search(line) or _SIGNATURE.search(line) or is_ours(line, ours):
            break
        if found and _GOODBYE.search(line):
            break
        found.append(line)
        length += len(line)
        if length > LONGEST or len(found) >= MOST_LINES:
            break
    return found


def clean(line: str) -> str:
    """One line as a reader sees it: no marks that are not shown, single blanks; cut where nobody types so much."""
    return " ".join(_NOT_SHOWN.sub("", line[: 4 * LONGEST_LINE]).split())[:LONGEST_LINE]


def _introduced(lines: Sequence[str], at: int) -> int | None:
    """Where the line ends that says who wrote what is quoted below (it may be broken in up to four); None for any other line."""
    if _WROTE.search(lines[at]):
        return at + 1
    if not _BEGUN.search(lines[at]):
        return None
    for stop in range(at + 2, min(at + 5, len(lines) + 1)):
        if _ENDED.search(" ".join(lines[at:stop])):
            return stop
    return None


def _marked_below(lines: Sequence[str], at: int) -> bool:
    following = [line for line in lines[at : at + 6] if line]
    return bool(following) and following[0].startswith(">")
