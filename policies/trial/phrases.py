"""Rules in plain words, for people who do not read YAML: what must hold, what then happens, what people are told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from policies.conditions import DOMAIN, KIND_ALIASES, WHEN
from policies.domains.patterns import BELOW
from policies.model import Action, Rule
from policies.reasons import REASONS
from policies.rules import PROFILE, words

THEN: Final[Mapping[Action, str]] = {
    Action.DELIVER: "it goes as it came",
    Action.PROTECT: "it goes, cleaned and protected",
    Action.ASK: "it waits for the sender's answer",
    Action.QUARANTINE: "it waits for a reviewer",
    Action.REFUSE: "it is not sent, and no copy is kept",
}
CLASSES: Final[Mapping[str, str]] = {
    "O": "your own organisation",
    "A": "an approved clinical service",
    "B": "an organisation approved for another use",
    "C": "a patient",
    "D": "an organisation that is not approved",
    "E": "a private address",
    "F": "a denied destination",
    "archive": "your archive",
}
KINDS: Final[Mapping[str, str]] = {
    "K0": "no clinical picture",
    "K1": "an X-ray, scan or the like",
    "K2": "a photograph said to show nobody who can be recognised",
    "K3": "a photograph",
    "K4": "an intimate picture",
    "K5": "a picture of a child",
    "K6": "an intimate picture of a child",
    "K7": "a picture of somebody who has died",
    "K8": "a file that could not be looked into",
    "K9": "a page of text",
    "photo": "any photograph",
    "image": "any picture or unopened file",
}
CONSENTS: Final[Mapping[str, str]] = {
    "written": "agreed in writing",
    "verbal": "agreed in words",
    "implied": "agreement is implied",
    "unspecified": "agreed without saying how",
    "none": "nothing stated",
    "emergency": "an emergency is stated",
    "not-required": "stated that none is needed",
    "refused": "said no, or taken back",
}
PURPOSES: Final[Mapping[str, str]] = {
    "none": "not named",
    "care": "care",
    "emergency": "an emergency",
    "patient": "the patient's own wish",
    "training": "teaching",
    "research": "research",
    "publication": "publication",
    "legal": "legal, audit or administration",
    "marketing": "marketing",
    "test": "a test",
}
ON_FILE: Final[Mapping[str, str]] = {
    "none": "nothing is on file",
    "limited": "the patient left this use",
    "outside": "the patient left other uses only",
    "unknown": "it could not be asked",
    "refused": "the patient said no",
}
# Condition -> (how its line begins, its words in plain words).  Others are told by what docs/policy.md says of them.
_LINES: Final[Mapping[str, tuple[str, Mapping[str, str]]]] = {
    "recipient": ("to", CLASSES),
    "kind": ("with", KINDS),
    "consent": ("consent:", CONSENTS),
    "purpose": ("for", {**PURPOSES, "none": "a use that is not named"}),
    "on_file": ("the consent register says that", ON_FILE),
}
_PLAIN: Final[Mapping[tuple[str, ...], str]] = {("yes",): "", ("no",): "this is not so: "}
_RELEASES: Final[Mapping[str, str]] = {
    "sender": "the sender",
    "mail-admin": "a mail administrator",
    "ig": "the information-governance team",
    "two-person": "two people of the information-governance team",
}


def condition(key: str, value: object) -> str:
    """One condition: ("recipient", ["A", "B"]) -> "to an approved clinical service (A) or ... (B)"."""
    named = _as_written(value) if key == "kind" else words(value)
    if key in _LINES:
        start, table = _LINES[key]
        return f"{start} {_either(_named(word, table, key) for word in named)}"
    if key == PROFILE:
        return f"under profile {_either(named)}"
    if key == "group":
        return f"from senders of group {_either(named)}"
    if key == DOMAIN:
        return f"to {_either(_place(word) for word in _as_written(value))}"
    if key == "codes":
        return f"something was found: {_either(named)}"
    meaning = WHEN[key][1] if key in WHEN else key
    if tuple(named) in _PLAIN:
        return f"{_PLAIN[tuple(named)]}{meaning}"
    return f"{meaning}: {_either(named)}"


def _as_written(value: object) -> tuple[str, ...]:
    """Words as they stand: an alias of a kind is told by its own name, and a domain may be called like one."""
    return tuple(map(str, value)) if isinstance(value, list | tuple) else (str(value),)


def _place(word: str) -> str:
    """A pattern of domains: "*.trust.example" -> "trust.example and every domain below it"."""
    domain = word.strip().lower()
    return f"{domain.removeprefix(BELOW)} and every domain below it" if domain.startswith(BELOW) else domain


def _named(word: str, table: Mapping[str, str], key: str) -> str:
    told = table.get(word, word)
    coded = word if key in ("recipient", "kind") and word not in KIND_ALIASES and word != "archive" else ""
    return f"{told} ({coded})" if coded else told


def _either(named: Iterable[str]) -> str:
    *first, last = [*named] or ["nothing"]
    return f"{', '.join(first)} or {last}" if first else last


def then(rule: Rule) -> str:
    """What becomes of the mail under the rule."""
    if rule.settings.get("advises") is True:
        return "whatever becomes of it, the sender is advised"
    return THEN[rule.then] + (" (a second look at what would go)" if rule.settings.get("second_look") is True else "")


def outcome(rule: Rule) -> str:
    """What happens under the rule, in one sentence without its full stop."""
    told = [then(rule)]
    settings = rule.settings
    if rule.then in (Action.ASK, Action.QUARANTINE) and settings.get("releases"):
        who = _RELEASES.get(str(settings["releases"]), str(settings["releases"]))
        said_no = "consent.refused" in _many(settings.get("reasons"))
        told.append(f"{who} may release it" + (", once the no is taken back" if said_no else ""))
    if isinstance(settings.get("methods"), tuple) and settings["methods"]:
        told.append(f"protected by {_either(map(str, _many(settings['methods'])))}")
    if settings.get("urgency") == "urgent":
        told.append("with the short deadlines")
    if settings.get("alert") is True:
        told.append("information governance is told at once")
    if settings.get("scrub") is False:
        told.append("hidden data stay in the files")
    return "; ".join(told)


def _many(value: object) -> tuple[object, ...]:
    return tuple(value) if isinstance(value, list | tuple) else ()


def rule_lines(number: int, rule: Rule) -> list[str]:
    """One rule as several lines; ``number`` from 1, its place among the rules."""
    lines = [f"{number}. {rule.id}"]
    for at, (key, value) in enumerate(rule.when.items()):
        lines.append(f"   {'if ' if at == 0 else 'and'} {condition(key, value)}")
    lines.append(f"   then {outcome(rule)}.")
    lines += [f"   told: {REASONS[code]}" for code in map(str, _many(rule.settings.get("reasons"))) if code in REASONS]
    answers = [str(one) for one in _many(rule.settings.get("answers"))]
    if answers:
        lines.append(f"   the sender may answer: {', '.join(answers)}")
    lines.append(f"   from: {'; '.join(rule.source)} (checked {rule.reviewed.isoformat()})")
    return lines
