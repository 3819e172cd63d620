"""What changes from one policy to another, in sentences: rules, settings, groups, modes, register, lists."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, fields
from datetime import datetime
from difflib import SequenceMatcher
from typing import Any, Final

from policies.decide import decide
from policies.domains.patterns import BELOW
from policies.load import Policy
from policies.model import Action, Decision, DomainEntry, RecipientClass, RecipientFacts, Rule
from policies.rules import domains_named
from policies.trial.phrases import THEN, condition, then
from policies.trial.typical import typical

SHOWN: Final = 20  # names told of one long list; the others are counted
_EXAMPLES: Final = 3
_STAND_IN: Final = "somebody"  # a mailbox of a domain that a rule names
_RULE_WORDS: Final[Mapping[str, str]] = {"source": "its source", "reviewed": "the day it was checked"}


@dataclass(frozen=True, slots=True)
class Shift:
    """Typical mails whose outcome changes alike: how many, and some in words."""

    before: Decision
    after: Decision
    count: int
    examples: tuple[str, ...]

    @property
    def words(self) -> str:
        """What happened before, what happens now, and by which rules."""
        how = "stricter" if self.after.action > self.before.action else "freer"
        before, after = (f"{THEN[one.action]} (rule {one.rule})" for one in (self.before, self.after))
        return f"{how}: {before} -> {after}: {self.count} typical mails"


def difference(old: Policy, new: Policy) -> tuple[str, ...]:
    """Sentences, most important first; () when both say the same.  No patient's address stands in one."""
    return (
        *_profiles(old, new),
        *_modes(old, new),
        *_rules(old.rules, new.rules),
        *_settings(old, new),
        *_groups(old, new),
        *_register(old, new),
        *_lists(old, new),
        *_cameras(old, new),
    )


def shifts(old: Policy, new: Policy, at: datetime, methods: tuple[str, ...] = ("route", "smime")) -> tuple[Shift, ...]:
    """Typical mails that ``new`` decides otherwise, alike ones together, the stricter changes first."""
    found: dict[tuple[Action, str, Action, str], tuple[Decision, Decision, list[str]]] = {}
    for one in typical(at, methods, _in_named_domains(old, new, at)):
        before, after = decide(old, one.facts), decide(new, one.facts)
        if before.action is not after.action:
            key = (before.action, before.rule, after.action, after.rule)
            found.setdefault(key, (before, after, []))[2].append(one.words)
    made = [Shift(before, after, len(words), tuple(words[:_EXAMPLES])) for before, after, words in found.values()]
    return tuple(sorted(made, key=lambda one: (one.before.action - one.after.action, -one.count)))


def _in_named_domains(old: Policy, new: Policy, at: datetime) -> Iterator[RecipientFacts]:
    """One recipient in a domain of each rule that names some, for each class that the second register puts them in."""
    found: dict[tuple[str, RecipientClass], RecipientFacts] = {}
    for rule in (*old.rules, *new.rules):
        for name in sorted(domains_named([rule])):
            known = new.register.match(f"{_STAND_IN}@{name.removeprefix(BELOW)}", today=at.date())
            found.setdefault((rule.id, known.cls), known)
    yield from {known.domain: known for known in found.values()}.values()


def _profiles(old: Policy, new: Policy) -> Iterator[str]:
    if old.profiles != new.profiles:
        yield f"The profiles in force were {_listed(old.profiles)}; now they are {_listed(new.profiles)}."
    if old.name != new.name:
        yield f"The policy was called {old.name}; now it is called {new.name}."


def _modes(old: Policy, new: Policy) -> Iterator[str]:
    for key in sorted({*old.modes, *new.modes}):
        before, after = old.modes.get(key), new.modes.get(key)
        if before is not after:
            who = {"default": "everybody else"}.get(key, key.replace(":", " "))
            yield f"Mode for {who}: {before.value if before else 'not set'} -> {after.value if after else 'not set'}."


def _rules(old: Sequence[Rule], new: Sequence[Rule]) -> Iterator[str]:
    before, after = {rule.id: rule for rule in old}, {rule.id: rule for rule in new}
    for rule in new:
        if rule.id not in before:
            yield f"Rule {rule.id} is new: {_told(rule)}; it stands {_place(rule.id, list(after))}."
    for rule in old:
        if rule.id not in after:
            yield f"Rule {rule.id} is gone; it said: {_told(rule)}."
    for rule in new:
        if rule.id in before:
            yield from (f"Rule {rule.id}: {what}." for what in _changed(before[rule.id], rule))
    yield from _moved([one for one in before if one in after], list(after))


def _told(rule: Rule) -> str:
    return f"{', '.join(condition(key, value) for key, value in rule.when.items())}: {then(rule)}"


def _place(name: str, order: Sequence[str]) -> str:
    at = order.index(name)
    return f"after {order[at - 1]}" if at else "first"


def _changed(old: Rule, new: Rule) -> Iterator[str]:
    for key in dict.fromkeys([*old.when, *new.when]):
        if key not in new.when:
            yield f'the condition "{condition(key, old.when[key])}" is gone'
        elif key not in old.when:
            yield f'the condition "{condition(key, new.when[key])}" is new'
        elif old.when[key] != new.when[key]:
            yield f'the condition "{condition(key, old.when[key])}" is now "{condition(key, new.when[key])}"'
    if then(old) != then(new):
        yield f"{then(old)} -> {then(new)}"
    for key in dict.fromkeys([*old.settings, *new.settings]):
        if old.settings.get(key) != new.settings.get(key):
            yield f"{key}: {_value(old.settings.get(key))} -> {_value(new.settings.get(key))}"
    for key in ("source", "reviewed"):
        if getattr(old, key) != getattr(new, key):
            yield f"{_RULE_WORDS[key]}: {_value(getattr(old, key))} -> {_value(getattr(new, key))}"


def _moved(old: list[str], order: list[str]) -> Iterator[str]:
    """Rules that stand in both and changed places: those outside the longest runs that kept their order."""
    new = [name for name in order if name in set(old)]
    kept: set[str] = set()
    for block in SequenceMatcher(None, old, new, autojunk=False).get_matching_blocks():
        kept.update(new[block.b : block.b + block.size])
    for name in new:
        if name not in kept:
            yield f"Rule {name} moved: it stands {_place(name, order)} now. The first rule that fits decides."


def _settings(old: Policy, new: Policy) -> Iterator[str]:
    before, after = _flat(old.settings.model_dump(mode="json")), _flat(new.settings.model_dump(mode="json"))
    for key in dict.fromkeys([*before, *after]):
        if before.get(key) != after.get(key):
            yield from _listing(f"settings.{key}", before.get(key), after.get(key))


def _flat(values: Mapping[str, Any], start: str = "") -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in values.items():
        found |= _flat(value, f"{start}{key}.") if isinstance(value, dict) else {f"{start}{key}": value}
    return found


def _listing(name: str, before: Any, after: Any) -> Iterator[str]:
    """A value; of a list what came and what went."""
    if isinstance(before, list) and isinstance(after, list):
        first, second = [*map(str, before)], [*map(str, after)]
        gone, come = [one for one in first if one not in second], [one for one in second if one not in first]
        if gone or come:
            yield f"{name}: {'; '.join(filter(None, (_some('added', come), _some('removed', gone))))}."
            return
    yield f"{name}: {_value(before)} -> {_value(after)}."


def _groups(old: Policy, new: Policy) -> Iterator[str]:
    for name in dict.fromkeys([*old.sender_groups, *new.sender_groups]):
        before, after = old.sender_groups.get(name), new.sender_groups.get(name)
        if before is None or after is None:
            yield f"Sender group {name} is {'new' if before is None else 'gone'}."
            continue
        for what, first, second in zip(("addresses", "domains"), before, after, strict=True):
            if first != second:
                yield from _listing(f"Sender group {name}, {what}", list(first), list(second))
    if list(old.sender_groups) != list(new.sender_groups) and set(old.sender_groups) == set(new.sender_groups):
        yield f"The sender groups stand in another order: {', '.join(new.sender_groups)}. The first that names a sender counts."


def _register(old: Policy, new: Policy) -> Iterator[str]:
    first, second = old.register, new.register
    yield from _entries("Domain", first.domains, second.domains)
    singles = [{name: one for name, one in table.items() if not _patient(one)} for table in (first.addresses, second.addresses)]
    yield from _entries("Address", *singles)
    patients = [{name: one for name, one in table.items() if _patient(one)} for table in (first.addresses, second.addresses)]
    come, gone = len(patients[1].keys() - patients[0].keys()), len(patients[0].keys() - patients[1].keys())
    both = patients[0].keys() & patients[1].keys()
    changed = sum(1 for name in both if patients[0][name] != patients[1][name])
    if come or gone or changed:
        yield f"Addresses of patients: {come} added, {gone} removed, {changed} changed."
    if first.grace != second.grace:
        yield f"Grace after the end of an entry: {first.grace.days} -> {second.grace.days} days."
    if first.warn_days != second.warn_days:
        yield f"Warnings before the end of an entry: {_value(first.warn_days)} -> {_value(second.warn_days)} days."


def _patient(entry: DomainEntry) -> bool:
    return entry.cls is RecipientClass.PATIENT


def _entries(what: str, old: Mapping[str, DomainEntry], new: Mapping[str, DomainEntry]) -> Iterator[str]:
    come, gone = [name for name in new if name not in old], [name for name in old if name not in new]
    for name in come[:SHOWN]:
        yield f"{what} {name} is new: {new[name].status}, class {new[name].cls.value}, for {_listed(new[name].purposes)}."
    for name in gone[:SHOWN]:
        yield f"{what} {name} is gone; it was {old[name].status}, class {old[name].cls.value}."
    changed = [name for name in new if name in old and old[name] is not new[name] and old[name] != new[name]]
    for name in changed[:SHOWN]:
        yield from (f"{what} {name}: {told}." for told in _terms(old[name], new[name]))
    for how, names in (("added", come), ("removed", gone), ("changed", changed)):
        if len(names) > SHOWN:
            yield f"{what}: {len(names) - SHOWN} more {how}."


def _terms(old: DomainEntry, new: DomainEntry) -> Iterator[str]:
    for field in fields(DomainEntry):
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before != after:
            yield f"{'class' if field.name == 'cls' else field.name} {_value(before)} -> {_value(after)}"


def _lists(old: Policy, new: Policy) -> Iterator[str]:
    for name in ("own", "freemail", "denied", "suffixes"):
        before: Set[str] = getattr(old.register, name)
        after: Set[str] = getattr(new.register, name)
        if name != "own" and before != after:  # your own domains are among the settings
            told = filter(None, (_some("added", sorted(after - before)), _some("removed", sorted(before - after))))
            yield f"List {name}: {'; '.join(told)}."
    for name in dict.fromkeys([*old.lines, *new.lines]):
        before, after = old.lines.get(name, frozenset()), new.lines.get(name, frozenset())
        if before != after:
            told = filter(None, (_some("added", sorted(after - before)), _some("removed", sorted(before - after))))
            yield f"List {name.removesuffix('.txt')}: {'; '.join(told)}."


def _cameras(old: Policy, new: Policy) -> Iterator[str]:
    """By their ids and the words for their keys; no serial number."""
    before, after = ({one.id: one for found in policy.devices.entries.values() for one in found} for policy in (old, new))
    for name in dict.fromkeys([*before, *after]):
        first, second = before.get(name), after.get(name)
        if first is None or second is None:
            yield f"Camera {name} is {'new' if first is None else 'gone'}."
            continue
        fields_of = type(first).model_fields.items()
        changed = [field.alias or key for key, field in fields_of if getattr(first, key) != getattr(second, key)]
        if changed:
            yield f"Camera {name}: other {', '.join(changed)}."


def _some(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return f"{what} {', '.join(names[:SHOWN])}{more}"


def _value(value: Any) -> str:
    if value is None or value == () or value == [] or value == frozenset():
        return "nothing"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple | set | frozenset):
        return _listed(value)
    return str(value.value if isinstance(value, RecipientClass) else value)


def _listed(values: Iterable[Any]) -> str:
    told = [str(one) for one in values]
    return ", ".join(sorted(told) if isinstance(values, set | frozenset) else told) or "nothing"
