"""The short word of every tag that a hold offers: what people reply or click.

The shortest that no other offer of the same hold has: how the patient agreed, who agreed, then what it is for.  An agreement in
writing always says WRITTEN, so that nobody claims a form by leaving a word out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from quarantine.answers.model import ASK_IG, DELETE, HELP, Offer

EMERGENCY: Final = "EMERGENCY"
ALWAYS: Final = (
    Offer(ASK_IG, "", "ask ig"),
    Offer(DELETE, "", "delete"),
    Offer(HELP, "", "help"),
)
FORMS: Final = ("verbal", "written", "telephone", "implied", "electronic")
GIVERS: Final = ("parent", "gillick")
FLAGS: Final = ("intimate", "child", "deceased")
CHECKED: Final = ("right address",)  # always said: nobody has looked twice by leaving words out
# Tags that are no consent: start of the tag → word, what it needs beside.
OTHERS: Final = (
    ("not a patient image", "NOT PATIENT", ""),
    ("no patient picture", "NO PATIENT PICTURE", ""),
    ("teaching, no patients", "TEACHING NO PATIENTS", ""),
    ("document", "DOCUMENT", ""),
    ("emergency", EMERGENCY, "reason"),
)
_CARE: Final = frozenset({*FORMS, *GIVERS, *FLAGS, *CHECKED, "referral"})
ADDRESS: Final = re.compile(r"\{address\}|[^\s,\[\]]+@[^\s,\[\]]+", re.IGNORECASE)
NUMBER: Final = re.compile(r"\bNUMBER-1\b", re.IGNORECASE)
EMERGENCY_REASON: Final = 10  # characters that a reason needs (domain: matrix 4.6; policies.statements.tags has the same)


def offers(tags: Sequence[str]) -> tuple[Offer, ...]:
    """One offer for each tag, in order, each with a word of its own.

    A word that several uses share is that of care, the narrowest; the others always say their use.
    """
    found: dict[str, Offer] = {}
    if (lone := _lone(tags)) is not None:  # how the patient agreed was said before: what is asked is the address alone
        word = CHECKED[0].upper()
        found[word] = Offer(word, lone, CHECKED[0], needs(lone))
        tags = [tag for tag in tags if tag != lone]
    shared = Counter(next(candidates(tag)) for tag in dict.fromkeys(tags))
    for tag in dict.fromkeys(tags):
        for word in candidates(tag):
            if word not in found and (shared[word] < 2 or set(atoms(tag)) <= _CARE):
                found[word] = Offer(word, tag, bare(tag), needs(tag))
                break
    return tuple(found.values())


def _lone(tags: Sequence[str]) -> str | None:
    """The one tag of a hold that says how the patient agreed, where it also says that the address is right; first of all."""
    consents = [tag for tag in dict.fromkeys(tags) if bare(tag).casefold().startswith("consent")]
    checked = [tag for tag in consents if _of(atoms(tag), CHECKED)]
    return consents[0] if len(consents) == len(checked) == 1 and tags[0] == consents[0] else None


def bare(tag: str) -> str:
    """A tag without brackets; the address in it as the notices show it."""
    return " ".join(ADDRESS.sub("ADDRESS", tag).strip().strip("[]").split())


def needs(tag: str) -> str:
    """What must stand beside the word."""
    if NUMBER.search(tag):
        return "number"
    if ADDRESS.search(tag):
        return "address"
    return "reason" if bare(tag).lower().startswith("emergency") else ""


def atoms(tag: str) -> tuple[str, ...]:
    """The words of a consent tag that carry its meaning: "[consent verbal, referral]" → ("verbal", "referral")."""
    text = NUMBER.sub(" ", bare(tag)).casefold()
    parts = [part.strip() for part in re.split(r",", text)]
    parts = [re.sub(r"^consent(?:\s|:|$)", "", part).strip() for part in parts]
    return tuple(part for part in parts if part and part != "ref")


def candidates(tag: str) -> Iterator[str]:
    """Words for a tag, the shortest first; the last one is the tag itself."""
    text = bare(tag).casefold()
    for start, word, _ in OTHERS:
        if text.startswith(start):
            yield word
            return
    said = atoms(tag)
    if text.startswith("to patient"):
        yield "TO PARENT" if "parent" in said else "TO PATIENT"
    elif text.startswith("consent"):
        yield from _consents(said)
    yield _spelt(said) or text.upper()


def _consents(said: Sequence[str]) -> Iterator[str]:
    forms, givers = _of(said, FORMS), _of(said, GIVERS)
    flags, checked = _of(said, FLAGS), _of(said, CHECKED)
    rest = [one for one in said if one not in (*forms, *givers, *flags, *checked)]
    short = [*([] if givers and forms == ["verbal"] else forms), *givers, *checked]
    for words in (short, short + rest, short + rest + flags, forms + givers + checked + rest + flags):
        if words:
            yield _spelt(words)


def _of(said: Iterable[str], known: Sequence[str]) -> list[str]:
    return [one for one in said if one in known]


def _spelt(words: Iterable[str]) -> str:
    return " ".join(words).upper()
