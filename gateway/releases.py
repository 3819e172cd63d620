"""What a release says to the pipeline: the codes a reviewer accepted, the statement added, and who sent the message at first.

The payload was verified with the shared key (``quarantine.token``) before it came here.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from gateway.carriers import Carried, without_numbers
from gateway.identity import Identity
from gateway.model import Envelope
from policies.consent import read_header, read_tag
from policies.model import Carrier, Reading
from policies.vocabulary import INFORMED


@dataclass(frozen=True, slots=True)
class ReleaseTerms:
    """Empty for a message that comes from an MTA."""

    accepted: frozenset[str] = frozenset()
    hold: str | None = None
    statement: str | None = field(default=None, repr=False)
    identity: Identity | None = None
    informed: frozenset[str] = frozenset()  # what the patient was told, as the sender ticked it in the web form

    @classmethod
    def of(cls, envelope: Envelope) -> ReleaseTerms:
        """The terms of the release this message came under."""
        if envelope.release is None:
            return cls()
        payload = envelope.release
        return cls(
            frozenset(payload["accepted"]),
            payload["hold"],
            payload.get("statement"),
            _identity(payload.get("identity")),
            frozenset(INFORMED) & frozenset(map(str, payload.get("informed", ()))),
        )

    def added(self, carried: Carried) -> Carried:
        """``carried`` with the statement a person gave in answer to the hold."""
        if not self.statement:
            return carried
        reading, numbers = without_numbers(_read(self.statement))
        if self.informed:
            told = tuple(replace(one, informed=one.informed | self.informed) for one in reading.statements)
            reading = replace(reading, statements=told)
        return replace(
            carried, readings=(*carried.readings, reading), numbers=tuple(dict.fromkeys((*carried.numbers, *numbers)))
        )


def _read(statement: str) -> Reading:
    """A reviewer writes as in the header, a sender answers with a tag: "[consent verbal]".  A tag that is none says nothing."""
    if not statement.startswith("["):
        return read_header(statement, carrier=Carrier.RELEASE)
    return read_tag(statement.strip().removeprefix("[").removesuffix("]"), Carrier.RELEASE) or Reading(Carrier.RELEASE)


def _identity(recorded: Any) -> Identity | None:
    """As it was judged when the message came; a release vouches for nobody anew.  None: nothing was recorded, nothing counts."""
    if not isinstance(recorded, dict):
        return Identity(False, frozenset({"identity.not-recorded"}))
    return Identity(bool(recorded.get("vouched")), frozenset(map(str, recorded.get("codes", ()))))
