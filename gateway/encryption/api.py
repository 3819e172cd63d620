"""What a protection method is (step 8).  A new one = one file that fits ``Method`` + one line in ``METHODS``."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Protocol

from gateway.model import Recipient
from policies.model import Decision, Facts, RecipientFacts

if TYPE_CHECKING:
    from gateway.context import Context
    from gateway.finishing.finish import Finished, Finisher


class CannotProtect(Exception):
    """This method cannot serve this recipient now.  ``code`` is a reason of ``policies.reasons``; the text is that code alone."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ProtectedCopy:
    """Checked bytes for one recipient and the named next-hop route they must take."""

    finished: Finished = field(repr=False)
    route: str
    detail: str = ""  # for the record: cipher and key size, or the name of the route; never an address


class Method(Protocol):
    """One way to protect a message for one recipient.  Stateless: what it needs stands in the context."""

    name: str

    def ready(self, context: Context, recipient: Recipient, known: RecipientFacts, at: datetime) -> str:
        """ "ok", or the reason code why this method cannot serve ``recipient`` at ``at`` (aware).  A fact; never raises."""
        ...

    def protect(
        self, context: Context, finisher: Finisher, recipient: Recipient, facts: Facts, decision: Decision
    ) -> ProtectedCopy:
        """The finished copy.  Raises CannotProtect, or exitcheck.Leak when the result may not leave."""
        ...
