"""Method ``route``: a named next-hop port whose MTA enforces verified TLS or leads into an already-secure network."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gateway.encryption.api import CannotProtect, ProtectedCopy
from gateway.model import Recipient
from policies.model import Decision, Facts, RecipientFacts

if TYPE_CHECKING:
    from gateway.context import Context
    from gateway.finish import Finisher


class RouteMethod:
    """The register names the route of the recipient's domain; the configuration must know it."""

    name = "route"

    def ready(self, context: Context, recipient: Recipient, known: RecipientFacts, at: datetime) -> str:
        """ "ok", ``route.none`` (the register names no route) or ``route.unknown`` (the configuration has no such route)."""
        if known.entry is None or known.entry.route is None:
            return "route.none"
        return "ok" if known.entry.route in context.spec.routes else "route.unknown"

    def protect(
        self, context: Context, finisher: Finisher, recipient: Recipient, facts: Facts, decision: Decision
    ) -> ProtectedCopy:
        """The cleared message as it is: the route is the protection."""
        reason = self.ready(context, recipient, facts.recipient, facts.at)
        entry = facts.recipient.entry
        if reason != "ok" or entry is None or entry.route is None:
            raise CannotProtect(reason)
        return ProtectedCopy(finisher.plain(decision, facts.consent), entry.route, f"route {entry.route}")
