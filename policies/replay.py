"""Two policies over recorded facts: who would newly be held, or let go."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from policies.decide import decide
from policies.load import Policy
from policies.model import Decision
from policies.record import from_record


@dataclass(frozen=True, slots=True)
class Change:
    """One recorded mail that two policies judge differently; ``at`` counts the records from 0."""

    at: int
    before: Decision
    after: Decision

    @property
    def stricter(self) -> bool:
        return self.after.action > self.before.action


def replay(before: Policy, after: Policy, records: Iterable[Mapping[str, Any]]) -> Iterator[Change]:
    """The records whose action changes from policy ``before`` to ``after``.  Raises as ``from_record`` does."""
    for at, record in enumerate(records):
        facts = from_record(record)
        first, second = decide(before, facts), decide(after, facts)
        if first.action is not second.action:
            yield Change(at, first, second)
