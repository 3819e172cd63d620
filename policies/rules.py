"""Rules made ready: each condition a set of allowed words, each offered tag read once, the whole split by recipient class."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from functools import lru_cache
from typing import Final, NamedTuple

from policies.conditions import DOMAIN, KIND_ALIASES
from policies.domains.patterns import naming, patterns
from policies.model import Action, Kind, RecipientClass, Rule, Statement
from policies.statements.tags import read_subject

_SPLIT: Final = ("recipient", "kind")
PROFILE: Final = "profile"  # the one condition that is settled when the policy is loaded
_APART: Final = ("codes", DOMAIN, PROFILE)  # not held against one word of the features
ADDRESS: Final = "{address}"  # in an offered tag: the recipient's address, filled in by the notice


class Answer(NamedTuple):
    """A tag that a notice may offer, and the statement it makes."""

    text: str
    statement: Statement


class Ready(NamedTuple):
    """One rule, ready to be tried."""

    rule: Rule
    tests: tuple[tuple[str, frozenset[str]], ...]
    codes: frozenset[str] | None
    reasons: tuple[str, ...]
    accepted_by: frozenset[str]
    methods: tuple[str, ...] | None
    on_failure: Action
    notice: str | None
    answers: tuple[Answer, ...]
    releases: str | None
    urgency: str
    alert: bool
    scrub: bool | None
    consent_out: str | None
    advises: bool = False
    domains: frozenset[str] | None = None  # patterns of the recipient's domain

    def apart(self, codes: frozenset[str], domain: str) -> bool:
        """True if what was found, or the recipient's domain, is none that the rule names."""
        if self.codes is not None and self.codes.isdisjoint(codes):
            return True
        return self.domains is not None and self.domains.isdisjoint(naming(domain))


def words(condition: object) -> tuple[str, ...]:
    """A condition's value as words: one or a list; YAML's true and false are yes and no; kind aliases are spelt out."""
    items: Iterable[object] = condition if isinstance(condition, list | tuple | set | frozenset) else (condition,)
    found: list[str] = []
    for item in items:
        word = {True: "yes", False: "no", None: "none"}.get(item, str(item)) if isinstance(item, bool | None) else str(item)
        found.extend(KIND_ALIASES.get(word, (word,)))
    return tuple(found)


@lru_cache(maxsize=1024)  # a policy offers the same answers in many rules
def read_answer(text: str) -> Statement | None:
    """The statement an offered tag makes, or None if it makes none or is misread in any way."""
    reading = read_subject(text.replace(ADDRESS, "address@patient.invalid"))
    return replace(reading.statements[0], fresh=True) if len(reading.statements) == 1 and not reading.problems else None


def ready(rule: Rule) -> Ready:
    """Compile one rule; ``policies.load`` has checked its words."""
    settings = rule.settings
    tests = tuple((key, frozenset(words(value))) for key, value in rule.when.items() if key not in _APART)
    codes = frozenset(words(rule.when["codes"])) if "codes" in rule.when else None
    answers = [(text, read_answer(text)) for text in _texts(settings.get("answers"))]
    reasons = _texts(settings.get("reasons"))
    return Ready(
        rule=rule,
        tests=tests,
        codes=codes,
        reasons=reasons,
        accepted_by=frozenset(reasons) if rule.then in (Action.ASK, Action.QUARANTINE) else frozenset(),
        methods=_texts(settings["methods"]) if settings.get("methods") is not None else None,
        on_failure=Action[str(settings.get("on_failure", "QUARANTINE"))],
        notice=_text(settings.get("notice")),
        answers=tuple(Answer(text, statement) for text, statement in answers if statement is not None),
        releases=_text(settings.get("releases")),
        urgency=str(settings.get("urgency", "routine")),
        alert=settings.get("alert") is True,
        scrub=_flag(settings.get("scrub")),
        consent_out=_text(settings.get("consent_out")),
        advises=settings.get("advises") is True,
        domains=patterns(rule.when[DOMAIN]) if DOMAIN in rule.when else None,
    )


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, list | tuple) else ()


def _flag(value: object) -> bool | None:
    return value if isinstance(value, bool) else None


Table = Mapping[tuple[str, str], tuple[Ready, ...]]  # (recipient class, image kind) -> the rules that could fit


def holds(rule: Rule, profiles: Collection[str]) -> bool:
    """True if the rule stands under the profiles in force: it names one of them, or none at all."""
    named = rule.when.get(PROFILE)
    return named is None or not set(words(named)).isdisjoint(profiles)


def looks_again(rule: Rule) -> bool:
    """True if the rule is tried on what the others would let go: it advises, or is a second look."""
    return rule.settings.get("advises") is True or rule.settings.get("second_look") is True


def table(rules: Iterable[Rule], profiles: Collection[str], *, again: bool = False) -> Table:
    """The rules that could fit each recipient class and image kind, in order; their tests of these two are then needless.

    ``again``: those that look again, else the others.
    """
    prepared = [_split(ready(rule)) for rule in rules if looks_again(rule) is again and holds(rule, profiles)]
    return {
        (cls.value, kind.value): tuple(one for to, of, one in prepared if cls.value in to and kind.value in of)
        for cls in RecipientClass
        for kind in Kind
    }


def _split(one: Ready) -> tuple[frozenset[str], frozenset[str], Ready]:
    """The recipient classes and image kinds a rule could fit, and the rule with its other tests."""
    allowed = {"recipient": frozenset(RecipientClass), "kind": frozenset(Kind)} | dict(one.tests)
    others = tuple(test for test in one.tests if test[0] not in _SPLIT)
    return allowed["recipient"], allowed["kind"], one._replace(tests=others)


def domains_named(rules: Iterable[Rule]) -> frozenset[str]:
    """Every pattern of a domain that a rule names."""
    return frozenset(one for rule in rules if DOMAIN in rule.when for one in patterns(rule.when[DOMAIN]))
