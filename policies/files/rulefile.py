"""Checks of the rules of policy.yaml that go beyond their shape: every word known, nothing let out by accident."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from policies.conditions import DOMAIN, KIND_ALIASES, WHEN
from policies.domains.patterns import pattern
from policies.files.settings import PolicyModel, RuleModel
from policies.files.yamlmap import Lines, nearest, say
from policies.model import Action, Rule
from policies.reasons import REASONS
from policies.rules import PROFILE, read_answer, words

_SETTINGS: Final = (
    "reasons", "methods", "on_failure", "notice", "answers", "releases", "urgency", "alert", "scrub", "consent_out",
    "second_look",
)  # fmt: skip
ADVISE: Final = "ADVISE"
METHODS: Final = ("internal", "route", "smime", "pgp", "pickup", "portal", "pdf", "zip-aes", "tls")


def check_rules(policy: PolicyModel, lines: Lines, file: str, problems: list[str]) -> tuple[Rule, ...]:
    """The rules, and in ``problems`` what is wrong with them."""
    seen: dict[str, int] = {}
    rules = []
    for at, model in enumerate(policy.rules):
        here = ("rules", at)
        if model.id in seen:
            what = f'the id "{model.id}" is taken by rules[{seen[model.id]}]; every rule needs its own'
            problems.append(say(file, lines, (*here, "id"), what))
        seen.setdefault(model.id, at)
        problems += [say(file, lines, (*here, *path), what) for path, what in _faults(model, policy)]
        rules.append(_rule(model))
    return tuple(rules)


def _rule(model: RuleModel) -> Rule:
    settings: Mapping[str, object] = {key: getattr(model, key) for key in _SETTINGS}
    if model.then == ADVISE:
        return Rule(model.id, model.when, Action.DELIVER, model.source, model.reviewed, {**settings, "advises": True})
    return Rule(model.id, model.when, Action[model.then], model.source, model.reviewed, settings)


def _faults(model: RuleModel, policy: PolicyModel) -> Iterable[tuple[tuple[str | int, ...], str]]:
    groups = (*policy.sender_groups, "ungrouped")
    for key, value in model.when.items():
        if key not in WHEN:
            yield ("when", key), f"no such condition{nearest(key, WHEN)}; the conditions are {', '.join(WHEN)}"
            continue
        if key == DOMAIN:
            yield from _wrong_domains(value)
            continue
        allowed = groups if key == "group" else WHEN[key][0]
        yield from ((("when", key), what) for what in _wrong_words(value, allowed))
    for at, code in enumerate(model.reasons):
        if code not in REASONS:
            yield ("reasons", at), f'"{code}" is no reason code{nearest(code, REASONS)}; the codes are listed in docs/policy.md'
    for at, method in enumerate(model.methods or ()):
        if method not in METHODS:
            what = f'"{method}" is no protection method; write one of {", ".join(METHODS)}{nearest(method, METHODS)}'
            yield ("methods", at), what
    if model.methods is not None and not model.methods:
        yield ("methods",), "an empty list leaves no way to protect anything; leave the key out to use the entry's own"
    for at, text in enumerate(model.answers):
        if read_answer(text) is None:
            yield ("answers", at), f'"{text}" would not be understood if a sender wrote it in the subject'
    yield from _dangers(model)


def _wrong_words(value: object, allowed: tuple[str, ...]) -> Iterable[str]:
    if isinstance(value, dict) or value == []:
        yield "write one word or a list of words"
        return
    for word in value if isinstance(value, list) else [value]:
        for plain in words(word):
            if allowed and plain not in allowed:
                shown = [name for name in allowed if name not in KIND_ALIASES] if len(allowed) > 40 else allowed
                yield f'"{word}" is not allowed here; write one of {", ".join(shown)}{nearest(word, allowed)}'
            elif not allowed and not isinstance(word, str):
                yield f'"{word}" is not a word'


def _wrong_domains(value: object) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """What is no domain: never matched by any mail, such a rule would only seem to protect."""
    if isinstance(value, dict) or value == []:
        yield ("when", DOMAIN), "write one domain or a list of domains"
        return
    for at, word in enumerate(value if isinstance(value, list) else [value]):
        if not isinstance(word, str) or pattern(word) is None:
            path = ("when", DOMAIN, at) if isinstance(value, list) else ("when", DOMAIN)
            hint = "newclinic.example for one domain, *.trust.example for trust.example and every domain below it"
            yield path, f'"{word}" is not a domain; write {hint}'


def _dangers(model: RuleModel) -> Iterable[tuple[tuple[str | int, ...], str]]:
    """Rules that would let out more than their author can have meant."""
    lets_out = model.then in ("DELIVER", "PROTECT")
    kinds = set(words(model.when["kind"])) if "kind" in model.when else set()
    if model.when.keys() <= {PROFILE}:
        yield ("when",), "a rule without conditions would decide for all mail; the floor does that already"
    elif lets_out and "recipient" not in model.when and kinds != {"K0"}:
        yield ("then",), f"a rule that says {model.then} must say for which recipients (when: recipient: ...)"
    elif lets_out and "F" in words(model.when.get("recipient", [])) and kinds != {"K0"}:
        yield ("when", "recipient"), "nothing clinical may go to class F (denied destinations); take F out"
    if model.then in ("ASK", "QUARANTINE", "REFUSE") and not model.reasons:
        yield ("then",), f"a rule that says {model.then} must say why (reasons: [...])"
    if model.second_look and model.then not in ("ASK", "QUARANTINE", "REFUSE"):
        yield ("second_look",), "a second look can only hold what would go; write then: ASK, QUARANTINE or REFUSE"
    if model.then == ADVISE and not model.reasons:
        yield ("then",), "a rule that advises must say what (reasons: [...])"
    if model.then == "ASK" and not model.answers:
        yield ("then",), "a rule that asks must say what the sender may answer (answers: [...]); else write QUARANTINE"
