"""Two policies over recorded facts: who would newly be held, or let go.

Where the two registers differ about the recipient's domain on the day of the mail, the second policy judges by its own: a domain
approved or suspended there counts.  What a record cannot tell anew stays as recorded: single addresses, the sender's group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from operator import itemgetter
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from policies.conditions import ASKED, BURNED_IN, IDENTIFIERS  # the codes that features look at; a test tries every code
from policies.counsel import REFERRAL
from policies.decide import decide
from policies.domains.patterns import naming
from policies.load import Policy
from policies.model import Action, Decision, Facts, Mode, RecipientClass, RecipientFacts
from policies.record import from_record
from policies.rules import words

HELD: Final = (Action.ASK, Action.QUARANTINE, Action.REFUSE)
_STAND_IN: Final = "somebody"  # a local part that is in no register: records bear none
_MOST: Final = 200_000  # outcomes remembered
# What a rule can ask of an image, an entry and the rest: equal mail is judged once.  Codes, day and domain are seen to apart.
_IMAGE: Final = itemgetter("kind", "format", "opaque", "decorative", "disclosed", "modality")
_ENTRY: Final = itemgetter(
    "class", "purposes", "max_sensitivity", "children_allowed", "methods", "max_recipients", "consent_header_out"
)
_RECIPIENT: Final = itemgetter("class", "standing", "lookalike_of", "own_private")
_RECORD: Final = itemgetter(
    "version", "sender_group", "sender_kind", "vouched", "recipients", "thread", "withdrawn", "first_time", "consent", "methods",
    "released",
)  # fmt: skip


def _standing(record: Mapping[str, Any]) -> tuple[object, object]:
    """What the consent register said; most records say nothing of it."""
    return record.get("on_file"), record.get("looked_up")


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded mail that two policies judge differently; ``at`` counts the records from 0."""

    at: int
    before: Decision
    after: Decision

    @property
    def stricter(self) -> bool:
        return self.after.action > self.before.action


class Outcome(NamedTuple):
    """What a policy does with one recorded mail.  ``held``: it would stay here, were the mail enforced."""

    decision: Decision
    mode: Mode

    @property
    def held(self) -> bool:
        return self.decision.action in HELD

    @property
    def stays(self) -> bool:
        """Held in earnest: by this policy's own mode."""
        return self.held and self.mode is Mode.ENFORCE


class Pair(NamedTuple):
    """The same mail under both policies."""

    before: Outcome
    after: Outcome

    @property
    def changed(self) -> bool:
        return self.before.decision.action is not self.after.decision.action or self.before.stays is not self.after.stays


class Replay:
    """Judges records under two policies; equal mail is judged once."""

    def __init__(self, before: Policy, after: Policy) -> None:
        self._before, self._after = before, after
        self._known: dict[bytes, Pair] = {}
        self._codes: dict[str, bool] = {}
        self._named = frozenset(code for policy in (before, after) for code in _named_codes(policy))
        self._domains = before.domains_named | after.domains_named
        self._same_register = before.register is after.register or before.register.digest == after.register.digest
        self._moves: dict[tuple[str, date], RecipientFacts | None] = {}

    def judge(self, record: Mapping[str, Any]) -> Pair:
        """Both outcomes of one record of ``policies.record``.  Raises KeyError, TypeError or ValueError for what is none."""
        key = self._key(record)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            facts = from_record(record)
            found = self._known[key] = Pair(_outcome(self._before, facts), _outcome(self._after, self._looked_up(facts)))
        return found

    def _key(self, record: Mapping[str, Any]) -> bytes:
        """Everything of a record that a decision under either policy can depend on."""
        recipient, consent, images = record["recipient"], record["consent"], record["images"]
        entry, domain, at = recipient["entry"], recipient["domain"], record["at"]
        statement, parts = consent["statement"], consent["per_part"]
        dated = bool(parts) or (statement is not None and statement["dated"] is not None)
        moves = not self._same_register and self._move(domain, date.fromisoformat(at[:10])) is not None
        shown = [(*_IMAGE(one), *_standing(one), self._asked(one["codes"]), one["part"] if parts else "") for one in images]
        return to_json(
            (
                _RECORD(record),
                *_standing(record),
                _RECIPIENT(recipient),
                _ENTRY(entry) if entry is not None else None,
                self._asked(record["codes"]),
                shown if len(shown) < 2 else [one for at, one in enumerate(shown) if one not in shown[:at]],
                at[:10] if dated or moves else "",
                (domain, entry["domain"] if entry is not None else "") if moves else "",
                domain if self._has_mode(domain) else "",
                sorted(self._domains & naming(domain)) if self._domains else "",
                (domain, (entry or {}).get("e_referral")) if REFERRAL in record["codes"] else "",
            )
        )

    def _has_mode(self, domain: str) -> bool:
        name = f"domain:{domain}"
        return name in self._before.modes or name in self._after.modes

    def _asked(self, codes: Sequence[str]) -> list[str]:
        """Those finding codes that a rule or a feature can ask about."""
        known = self._codes
        for code in codes:
            if code not in known:
                known[code] = code in self._named or _felt(code)
        return [code for code in codes if known[code]]

    def _move(self, domain: str, day: date) -> RecipientFacts | None:
        """What the second register says of a domain on a day, where it differs from the first."""
        key = (domain, day)
        if key not in self._moves:
            if len(self._moves) >= _MOST:
                self._moves.clear()
            first, second = (one.register.match(f"{_STAND_IN}@{domain}", today=day) for one in (self._before, self._after))
            self._moves[key] = second if _told(first) != _told(second) else None
        return self._moves[key]

    def _looked_up(self, facts: Facts) -> Facts:
        """The recipient as the second register knows the domain, where the two differ about it."""
        known = facts.recipient
        second = None if self._same_register or _by_name(known) else self._move(known.domain, facts.at.date())
        if second is None:
            return facts
        found = replace(second, own_private=known.own_private and second.cls is RecipientClass.PRIVATE)
        methods = dict(facts.methods)
        if found.entry is not None and found.entry.route is not None and (known.entry is None or known.entry.route is None):
            methods["route"] = "ok"  # recorded as none because the domain had none then
        return replace(facts, recipient=found, methods=methods)


def replay(before: Policy, after: Policy, records: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    """The records whose action changes from policy ``before`` to ``after``.  Raises as ``Replay.judge`` does."""
    judge = Replay(before, after).judge
    for at, record in enumerate(records):
        first, second = judge(record)
        if first.decision.action is not second.decision.action:
            yield Change(at, first.decision, second.decision)


def _felt(code: str) -> bool:
    """Does a feature look at this code?  The others only rules can ask for, by name."""
    return code in ASKED or code in BURNED_IN or code.startswith(IDENTIFIERS)


def _named_codes(policy: Policy) -> Iterator[str]:
    for rule in policy.rules:
        if "codes" in rule.when:
            yield from words(rule.when["codes"])


def _outcome(policy: Policy, facts: Facts) -> Outcome:
    mode = policy.mode_of(facts.sender_group, facts.recipient.domain, certain=facts.vouched)
    return Outcome(decide(policy, facts), mode)


def _by_name(known: RecipientFacts) -> bool:
    """True where not the domain decided but the address itself, which is not in the record."""
    single = known.entry is not None and "@" in known.entry.domain
    limited = known.entry is not None and known.cls is RecipientClass.UNKNOWN and known.standing == ""  # mailbox not allowed
    return single or limited or known.cls is RecipientClass.PATIENT or known.standing == "invalid"


def _told(known: RecipientFacts) -> tuple[object, ...]:
    """What a rule can ask of a recipient, and what protects the copy."""
    entry = known.entry
    terms = None
    if entry is not None:
        terms = (entry.purposes, entry.max_sensitivity, entry.children_allowed, entry.methods, entry.max_recipients, entry.route)
    return known.cls, known.standing, known.lookalike_of, terms, entry.consent_header_out if entry is not None else None
