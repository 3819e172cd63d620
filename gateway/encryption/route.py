"""Method ``route``: a named next-hop port whose MTA enforces verified TLS or leads into an already-secure network."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from gateway.encryption.api import CannotProtect, ProtectedCopy
from gateway.model import Recipient
from policies.model import Decision, Facts, RecipientFacts, WayTerms

if TYPE_CHECKING:
    from gateway.context import Context, RouteSpec
    from gateway.finishing.finish import Finisher


class RouteMethod:
    """The register names the route of the recipient's domain; the configuration must know it."""

    name = "route"

    def ready(self, context: Context, recipient: Recipient, known: RecipientFacts, at: datetime) -> str:
        """ "ok", ``route.none`` (the register names no route), ``route.unknown`` (the configuration has no such route) or
        ``route.weaker`` (the admin does not say that it enforces what the register requires)."""
        if known.entry is None or known.entry.route is None:
            return "route.none"
        route = context.spec.routes.get(known.entry.route)
        if route is None:
            return "route.unknown"
        return "ok" if known.entry.way is None or _enforces(route, known.entry.way) else "route.weaker"

    def protect(
        self, context: Context, finisher: Finisher, recipient: Recipient, facts: Facts, decision: Decision
    ) -> ProtectedCopy:
        """The cleared message as it is: the route is the protection."""
        reason = self.ready(context, recipient, facts.recipient, facts.at)
        entry = facts.recipient.entry
        if reason != "ok" or entry is None or entry.route is None:
            raise CannotProtect(reason)
        return ProtectedCopy(finisher.plain(decision, facts.consent), entry.route, f"route {entry.route}")


def _enforces(route: RouteSpec, wanted: WayTerms) -> bool:
    """A server proven by DANE (RFC 7672) or MTA-STS (RFC 8461) is proven by a certificate, too; not the other way round."""
    if wanted.verify == "none" and wanted.tls == "opportunistic":
        return True
    proven = wanted.verify in route.verify or (wanted.verify in ("pkix", "none") and bool(route.verify))
    return proven and route.min_version >= wanted.min_version
