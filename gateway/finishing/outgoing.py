"""Steps 7-10: scrub once, protect per recipient, sign, and check the finished bytes.

One ``Outgoing`` per message.  Bytes that several recipients may share are made once; ciphertext is always one recipient's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import structlog

from gateway.context import Context
from gateway.encryption import METHODS
from gateway.encryption.api import CannotProtect
from gateway.exitcheck import Cleared, Leak, Original, original
from gateway.facts import Opened
from gateway.finishing.finish import Finished, Finisher
from gateway.model import Copy, Hold, Plan, Received, Refusal
from policies.domains.recipients import did_you_mean
from policies.model import Action, Decision, Facts, Mode, RecipientClass

log = structlog.get_logger()

DEFAULT_ROUTE = "default"


@dataclass(frozen=True, slots=True)
class Done:
    """What the plan does with one recipient: the decision as carried out."""

    state: str  # deliver | hold | refuse
    action: Action
    reasons: tuple[str, ...]
    method: str = "none"
    notice: str | None = None
    finished: Finished | None = field(default=None, repr=False)
    protection: str = ""  # how the method protects this copy: cipher and key, or the route's name


class Outgoing:
    """Turns decisions into copies, holds and refusals."""

    def __init__(self, context: Context, received: Received, opened: Opened) -> None:
        self._context, self._received, self._opened = context, received, opened
        self._finisher = Finisher(context, received, opened)
        self._copies: dict[tuple[int, str, str], tuple[list[int], Cleared | Original]] = {}
        self._holds: dict[Hold, list[int]] = {}
        self._refusals: dict[Refusal, list[int]] = {}
        self._meant: dict[int, str] = {}
        self.done: dict[int, Done] = {}

    def send(self, index: int, facts: Facts, decision: Decision) -> None:
        """Carry out one recipient's decision in the recipient's mode."""
        self._meant[index] = did_you_mean(facts.recipient, self._context.policy.register, facts.at.date())
        if facts.mode is Mode.OBSERVE:
            self._copy(index, original(self._finisher.untouched(), Mode.OBSERVE), DEFAULT_ROUTE, "observe")
            self.done[index] = Done("deliver", decision.action, decision.reasons, "observe")
        elif decision.action <= Action.PROTECT:
            self._deliver(index, facts, decision)
        elif facts.mode is Mode.ADVISE:
            self._advise(index, facts, decision)
        elif decision.action is Action.REFUSE:
            self._refuse(index, decision)
        else:
            self._hold(index, decision)

    def plan(self, record: Mapping[str, Any]) -> Plan:
        """The finished plan.  ``plain`` when the message went to everyone as it came and nothing was found.

        An encrypted part that goes is on record: it answers the hold that asked its sender what is in it.
        """
        sender = self._received.envelope.sender
        kind = self._opened.sender_kind
        if kind == "person" and self._context.policy.machine_owner(sender) is not None:
            kind = "machine"
        return Plan(
            copies=tuple(Copy(tuple(at), data, route, method, sender) for (_, route, method), (at, data) in self._copies.items()),
            holds=tuple(replace(hold, recipients=tuple(at)) for hold, at in self._holds.items()),
            refusals=tuple(replace(refusal, recipients=tuple(at)) for refusal, at in self._refusals.items()),
            record=record,
            plain=not self._holds and not self._refusals and not self._opened.recorded,
            sender_kind=kind,
            owner=self._context.policy.machine_owner(sender) or "",
            meant=tuple(self._meant[index] for index in sorted(self._meant)) if any(self._meant.values()) else (),
        )

    def _deliver(self, index: int, facts: Facts, decision: Decision) -> None:
        try:
            if decision.action is Action.DELIVER:
                scrub = decision.scrub and self._opened.clinical
                finished = self._finisher.plain(decision, facts.consent) if scrub else self._finisher.as_came()
                self._copy(index, finished.cleared, self._route(facts), "none")
                self.done[index] = Done("deliver", decision.action, decision.reasons, "none", decision.notice, finished)
                return
            self._protect(index, facts, decision)
        except (CannotProtect, Leak) as error:
            self._fail(index, facts, decision, error.code)

    def _route(self, facts: Facts) -> str:
        """Where an unprotected copy goes: an archive's own route, else the default one.  Raises CannotProtect."""
        entry = facts.recipient.entry
        if facts.recipient.cls is not RecipientClass.ARCHIVE or entry is None or entry.route is None:
            return DEFAULT_ROUTE
        if entry.route not in self._context.spec.routes:
            raise CannotProtect("route.unknown")
        return entry.route

    def _protect(self, index: int, facts: Facts, decision: Decision) -> None:
        """Walk the decision's methods in order; the first that can serve does.  Raises CannotProtect with the last reason."""
        why = CannotProtect("protect.no-method")
        for name in decision.methods:
            if facts.methods.get(name) != "ok":
                why = CannotProtect(facts.methods.get(name, "protect.no-method"))
                continue
            try:
                made = METHODS[name].protect(
                    self._context, self._finisher, self._received.envelope.recipients[index], facts, decision
                )
            except CannotProtect as error:
                why = error
                continue
            self._copy(index, made.finished.cleared, made.route, name)
            self.done[index] = Done(
                "deliver", decision.action, decision.reasons, name, decision.notice, made.finished, made.detail
            )
            return
        raise why

    def _fail(self, index: int, facts: Facts, decision: Decision, code: str) -> None:
        """A later step could not do what was decided: the decision's own ``on_failure``, never less."""
        log.warning("protect.failed", code=code, rule=decision.rule)
        failed = replace(
            decision,
            action=max(decision.on_failure, Action.ASK),
            reasons=(code, *decision.reasons),
            notice="N-7",
            answers=(),
            releases="mail-admin",
        )
        if facts.mode is Mode.ADVISE:
            self._advise(index, facts, failed)
        elif failed.action is Action.REFUSE:
            self._refuse(index, failed)
        else:
            self._hold(index, failed)

    def _advise(self, index: int, facts: Facts, decision: Decision) -> None:
        """Advise strips what can be stripped, delivers, and tells."""
        finished: Finished | None = None
        try:
            finished = self._finisher.plain(decision, facts.consent) if self._opened.clinical else None
        except (CannotProtect, Leak):
            finished = None
        data = finished.cleared.data if finished else self._finisher.untouched()
        self._copy(index, original(data, Mode.ADVISE), DEFAULT_ROUTE, "advise")
        self.done[index] = Done("deliver", decision.action, decision.reasons, "advise", None, finished)

    def _copy(self, index: int, data: Cleared | Original, route: str, method: str) -> None:
        self._copies.setdefault((id(data.data), route, method), ([], data))[0].append(index)

    def _hold(self, index: int, decision: Decision) -> None:
        hold = Hold(
            recipients=(),
            action=decision.action.name,
            rule=decision.rule,
            reasons=decision.reasons,
            key="online" if decision.action is Action.ASK else "review",
            releases=decision.releases,
            notice=decision.notice,
            answers=decision.answers,
            urgency=decision.urgency,
            alert=decision.alert,
        )
        self._holds.setdefault(hold, []).append(index)
        self.done[index] = Done("hold", decision.action, decision.reasons, notice=decision.notice)

    def _refuse(self, index: int, decision: Decision) -> None:
        refusal = Refusal((), decision.rule, decision.reasons, decision.notice or "N-4")
        self._refusals.setdefault(refusal, []).append(index)
        self.done[index] = Done("refuse", decision.action, decision.reasons, notice=refusal.notice)
