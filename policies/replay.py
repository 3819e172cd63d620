"""Two policies over recorded facts: who would newly be held, or let go.

Where the two registers differ about the recipient's domain on the day of the mail, the second policy judges by its own: a domain
approved or suspended there counts.  What a record cannot tell anew stays as recorded: single addresses, the sender's group.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

from pydantic_core import to_json

from policies.decide import decide
from policies.load import Policy
from policies.model import Action, Decision, Facts, Mode, RecipientClass, RecipientFacts
from policies.record import from_record
from policies.register import Register

HELD: Final = (Action.ASK, Action.QUARANTINE, Action.REFUSE)
_STAND_IN: Final = "somebody"  # a local part that is in no register: records bear none
_MOST: Final = 200_000  # outcomes remembered
# Of an image and of a record: what no rule can ask about, so that equal mail is judged once.
_UNASKED_IMAGE: Final = frozenset({"sha256", "pixels", "taken", "laterality"})
_UNASKED: Final = frozenset({"at", "mode", "sender_domain", "register_version", "hold_ref"})


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
        self._policies = (before, after)
        self._known: dict[bytes, Pair] = {}

    def judge(self, record: Mapping[str, Any]) -> Pair:
        """Both outcomes of one record of ``policies.record``.  Raises KeyError, TypeError or ValueError for what is none."""
        key = _key(record)
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _MOST:
                self._known.clear()
            facts = from_record(record)
            before, after = self._policies
            moved = _looked_up(before.register, after.register, facts)
            found = self._known[key] = Pair(_outcome(before, facts), _outcome(after, moved))
        return found


def replay(before: Policy, after: Policy, records: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    """The records whose action changes from policy ``before`` to ``after``.  Raises as ``Replay.judge`` does."""
    judge = Replay(before, after).judge
    for at, record in enumerate(records):
        first, second = judge(record)
        if first.decision.action is not second.decision.action:
            yield Change(at, first.decision, second.decision)


def _key(record: Mapping[str, Any]) -> bytes:
    """Everything of a record that a decision can depend on; of the time the day."""
    asked = {name: value for name, value in record.items() if name not in _UNASKED}
    asked["day"] = record["at"][:10]
    asked["images"] = [{n: v for n, v in one.items() if n not in _UNASKED_IMAGE} for one in record["images"]]
    return to_json(asked)


def _outcome(policy: Policy, facts: Facts) -> Outcome:
    mode = policy.mode_of(facts.sender_group, facts.recipient.domain, certain=facts.vouched)
    return Outcome(decide(policy, facts), mode)


def _looked_up(before: Register, after: Register, facts: Facts) -> Facts:
    """The recipient as ``after`` knows the domain, where the two differ about it."""
    known, day = facts.recipient, facts.at.date()
    if before is after or before.digest == after.digest or _by_name(known):
        return facts
    first = before.match(f"{_STAND_IN}@{known.domain}", today=day)
    second = after.match(f"{_STAND_IN}@{known.domain}", today=day)
    if first == second:
        return facts
    found = replace(second, own_private=known.own_private and second.cls is RecipientClass.PRIVATE)
    methods = dict(facts.methods)
    if found.entry is not None and found.entry.route is not None and (known.entry is None or known.entry.route is None):
        methods["route"] = "ok"  # recorded as none because the domain had none then
    return replace(facts, recipient=found, methods=methods)


def _by_name(known: RecipientFacts) -> bool:
    """True where not the domain decided but the address itself, which is not in the record."""
    single = known.entry is not None and "@" in known.entry.domain
    limited = known.entry is not None and known.cls is RecipientClass.UNKNOWN and known.standing == ""  # mailbox not allowed
    return single or limited or known.cls is RecipientClass.PATIENT or known.standing == "invalid"
