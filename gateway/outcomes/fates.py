"""What becomes of each recipient of one message while it is committed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from gateway.ids import object_id
from gateway.model import Copy, Hold, Plan, Received, Recipient, Refusal, Reply, Result
from gateway.outcomes.ledger import Claim
from gateway.outcomes.replies import Row, find, reply
from gateway.outcomes.rows import Note, Standing
from policies.explain import sentences

MOST_SENDS: Final = 2  # a message whose answer was lost may be sent once more, never a third time (RFC 1047; DESIGN P8)
SPENT: Final = "delivery-unknown"  # the rule that holds it then
DEFERRED: Final = "DEFERRED"

# What the ledger keeps of a fate, so that a later try can repeat its outcome object.
_NOTED: Final = (
    "outcome", "state", "rule", "reasons", "method", "notice", "answers", "releases", "action", "urgency", "alert", "hold",
    "code", "enhanced",
)  # fmt: skip
_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
_NAME = re.compile(r"[^A-Za-z0-9._-]")
_PRINTABLE = re.compile(r"[^\x20-\x7e]")
LONGEST_TEXT = 400  # of a reply's line, which holds 512 octets (RFC 5321 4.5.3.1.5)


@dataclass(slots=True)
class Fate:
    """One recipient on its way.

    ``outcome`` is a word of ``replies.REPLIES``, "" until known; ``state`` one of an outcome object, "" until terminal.
    """

    index: int
    label: str = field(repr=False)  # the address, and its number when the envelope names it more than once
    recipient: Recipient = field(repr=False)
    outcome: str = ""
    state: str = ""
    rule: str = ""
    reasons: tuple[str, ...] = ()
    method: str = ""
    notice: str | None = None
    answers: tuple[str, ...] = ()
    releases: str = ""
    action: str = ""
    urgency: str = "routine"
    alert: bool = False
    hold: str = ""
    code: int = 0
    enhanced: str = ""
    sends: int = 0
    untaken: bool = False  # sent in this try and surely not taken
    report: str = ""
    finished: bool = False

    def heard(self, result: Result, method: str, why: Mapping[str, Any]) -> None:
        """Take the next hop's answer to a copy made by ``method``; ``why`` is the recipient's line of the plan's record."""
        self.method, self.rule, self.notice = method, str(why.get("rule", "")), why.get("notice")
        self.reasons, self.code = tuple(why.get("reasons", ())), result.code
        match = _ENHANCED.match(result.text)
        self.enhanced = match.group() if match else ""
        if result.delivered:
            self.outcome, self.state = "delivered", "delivered"
        elif result.unknown or not (result.code == 0 or 400 <= result.code < 600):
            self.outcome = "unknown"  # nonsense is no answer
        else:
            self.outcome = "permanent" if result.permanent else "temporary"
        self.untaken = self.outcome in ("temporary", "permanent")

    def decided(self, what: Hold | Refusal, hold: str = "") -> None:
        """Take a hold or a refusal."""
        self.hold = hold
        if not isinstance(what, Hold):
            self.outcome = "refused"
        elif what.action != DEFERRED or not self.outcome:  # what is deferred keeps the word for why
            self.outcome = "spent" if what.rule == SPENT else "held"
        self.rule, self.reasons, self.notice = what.rule, what.reasons, what.notice
        if isinstance(what, Hold):
            self.state = "deferred" if what.action == DEFERRED else "held"
            self.answers, self.releases = what.answers, what.releases
            self.action, self.urgency, self.alert = what.action, what.urgency, what.alert
        else:
            self.state = "refused"

    def note(self) -> Note:
        """For the ledger and the outcome object: codes only, no address."""
        return {"do": "done", **{word: getattr(self, word) for word in _NOTED}}

    def remember(self, standing: Standing) -> None:
        """Take what an earlier try left."""
        self.sends = standing.sends
        if standing.state == "done" and standing.note is not None:
            for word, value in standing.note.items():
                if word != "do":
                    setattr(self, word, tuple(value) if isinstance(value, list) else value)
            self.report, self.finished = standing.report, standing.finished


@dataclass(slots=True)
class Job:
    """One message in step 11."""

    plan: Plan = field(repr=False)
    received: Received = field(repr=False)
    listener: str
    deadline: float
    fates: tuple[Fate, ...] = field(repr=False)
    digest: str = ""  # SHA-256 of the message as received; filled when first needed
    ended: bool = False  # the claim was finished

    @classmethod
    def of(cls, plan: Plan, received: Received, listener: str, deadline: float) -> Job:
        """Raises ValueError unless every recipient stands in exactly one copy, hold or refusal.

        Raises LookupError for a listener and protocol that do not go together.
        """
        groups: tuple[Copy | Hold | Refusal, ...] = (*plan.copies, *plan.holds, *plan.refusals)
        named = sorted(index for group in groups for index in group.recipients)
        recipients = received.envelope.recipients
        if named != list(range(len(recipients))) or not recipients:
            raise ValueError("the plan does not name every recipient once")
        labels = _labels(recipients)
        fates = tuple(Fate(index, labels[index], recipient) for index, recipient in enumerate(recipients))
        job = cls(plan, received, listener, deadline, fates)
        job.row("unwritten")
        return job

    @property
    def released(self) -> bool:
        return self.listener == "release"

    @property
    def lmtp(self) -> bool:
        return self.received.envelope.protocol == "LMTP"

    @property
    def key(self) -> str:
        """The ledger's key: releases have their own id (signed by the quarantine service)."""
        release = self.received.envelope.release
        return f"release:{release['release']}" if self.released and release else self.received.key

    @property
    def hold(self) -> str:
        """The hold a release belongs to."""
        release = self.received.envelope.release
        return str(release["hold"]) if self.released and release else ""

    @property
    def simple(self) -> bool:
        """Image-free and the same bytes for everybody: the next hop's answer is ours."""
        plan = self.plan
        return plan.plain and not self.released and len(plan.copies) == 1 and not (plan.holds or plan.refusals)

    def open(self, group: Copy | Hold | Refusal) -> list[Fate]:
        """Recipients of ``group`` whose fate is not known yet."""
        return [fate for fate in (self.fates[index] for index in group.recipients) if not fate.outcome]

    def why(self, index: int) -> Mapping[str, Any]:
        """The recipient's line of the plan's record: class, rule, reasons, notice."""
        lines = self.plan.record.get("recipients", ())
        return lines[index] if index < len(lines) else {}

    def told_elsewhere(self, fate: Fate) -> bool:
        """The client's own answer says it all, or the quarantine service tells what became of its release."""
        return self._row(fate).told in ("reply", "service")

    def row(self, outcome: str, others: bool = False) -> Row:
        return find(outcome, others, self.listener, self.received.envelope.protocol)

    # -- what is to be held ------------------------------------------------------------------------------------------

    def holds(self, claim: Claim) -> list[tuple[str, Hold]]:
        """Every hold to be written now, with its id: what an earlier try began to write stays as it was then."""
        groups = self._recall(claim)
        taken = {index for _, hold in groups for index in hold.recipients}
        for planned in (*self._spent(), *self.plan.holds):
            still = tuple(fate.index for fate in self.open(planned) if fate.index not in taken)
            if still:
                taken.update(still)
                hold = replace(planned, recipients=still)
                groups.append((object_id(claim, self.labels(still), hold.action), hold))
        return groups

    def labels(self, indexes: Iterable[int]) -> list[str]:
        return [self.fates[index].label for index in indexes]

    def _recall(self, claim: Claim) -> list[tuple[str, Hold]]:
        """Take the ledger's standings; the holds that may or may not have been written."""
        pending: dict[str, list[Fate]] = {}
        notes: dict[str, Note] = {}
        for fate in self.fates:
            standing = claim.standings[fate.label]
            if fate.outcome:
                continue  # heard of in this very try
            fate.remember(standing)
            if standing.state == "intended" and standing.note is not None:
                pending.setdefault(standing.note["id"], []).append(fate)
                notes[standing.note["id"]] = standing.note
        # A hold is only repeated whole: the same id must never stand for other recipients.
        whole = {key: group for key, group in pending.items() if notes[key]["of"] == len(group)}
        for key in pending.keys() - whole.keys():
            for fate in pending[key]:
                if claim.standings[fate.label].released:  # the client groups anew; this one has got it
                    fate.outcome = "temporary"
                    fate.decided(_hold(notes[key], [fate]), key)
        return [(key, _hold(notes[key], group)) for key, group in whole.items()]

    def _spent(self) -> Iterator[Hold]:
        """Recipients that may not be sent to again because the answer was lost twice."""
        for copy in self.plan.copies:
            lost = tuple(fate.index for fate in self.open(copy) if fate.sends >= MOST_SENDS)
            if lost:
                yield Hold(lost, "QUARANTINE", SPENT, (SPENT,), "review", "mail-admin", "N-7")

    # -- what follows ------------------------------------------------------------------------------------------------

    def deferred(self) -> list[Fate]:
        """Recipients to be deferred because another one is terminal and the client gets one answer for all."""
        waiting = [fate for fate in self.fates if fate.outcome in ("temporary", "unknown", "late") and not fate.state]
        if self.lmtp or self.released or not waiting:
            return []
        forced = any(fate.outcome == "late" for fate in waiting) or any(fate.state for fate in self.fates)
        return waiting if forced else []

    def fail(self) -> None:
        """With somebody terminal, a permanent answer for another becomes a failure report of ours (one answer for all)."""
        if not self.lmtp and not self.released and any(fate.state for fate in self.fates):
            for fate in self.fates:
                if fate.outcome == "permanent":
                    fate.state, fate.notice = "failed", None

    def lasting(self) -> list[Fate]:
        """Recipients whose outcome the ledger keeps: a release that holds again or is refused may be asked again."""
        return [f for f in self.fates if f.state and (not self.released or f.state == "delivered")]

    def reports(self, lasting: Iterable[Fate]) -> tuple[dict[str, list[Fate]], list[Fate]]:
        """Outcome objects that an earlier try assigned (id -> recipients), and recipients without one.

        ``Fate.report`` is "id/number of recipients": an object is only repeated whole, like a hold.
        """
        assigned: dict[str, list[Fate]] = {}
        for fate in lasting:
            assigned.setdefault(fate.report, []).append(fate)
        whole = {report: fates for report, fates in assigned.items() if report.endswith(f"/{len(fates)}")}
        fresh = [fate for report, fates in assigned.items() if report not in whole for fate in fates]
        return {report.partition("/")[0]: fates for report, fates in whole.items()}, fresh

    def telling(self) -> bool:
        """Does this message need an outcome object?  A release only where pictures went: the ledger is made of outcomes."""
        if self.released:
            return not self.plan.plain and any(fate.state == "delivered" for fate in self.fates)
        return not (self.plan.plain and all(fate.state in ("", "delivered") for fate in self.fates))

    def unwritten(self, only: Iterable[Fate] | None = None) -> None:
        """What should have been durable is not: nothing that depends on it may be answered 250."""
        for fate in self.fates if only is None else only:
            if not fate.finished and (fate.state or not fate.outcome or not self.lmtp):
                fate.outcome, fate.state = "unwritten", ""

    def busy(self) -> list[Reply]:
        """Somebody else is at work on it."""
        for fate in self.fates:
            fate.outcome = "busy"
        return self.replies()

    def replies(self) -> list[Reply]:
        """One reply over SMTP (the first of 4yz, 5yz, 2yz among the recipients'), one a recipient over LMTP."""
        each = [self._reply(fate) for fate in self.fates]
        if self.lmtp:
            return each
        rank = {4: 0, 5: 1, 2: 2}
        return [min(each, key=lambda one: rank[one.code // 100])]

    def _row(self, fate: Fate) -> Row:
        if fate.outcome == "refused":
            others = any(other.outcome != "refused" for other in self.fates)
        else:
            others = any(other.state for other in self.fates if other is not fate)
        others = others or fate.state == "deferred"
        return self.row(fate.outcome, others)

    def _reply(self, fate: Fate) -> Reply:
        row = self._row(fate)
        if row.told == "reply":  # the sender's program shows our answer: it says why, in words
            said = _PRINTABLE.sub("-", " ".join(sentences(fate.reasons)))[:LONGEST_TEXT]
            return reply(row, why=said or _NAME.sub("-", fate.rule))
        why = fate.reasons[0] if self.released and fate.reasons else fate.rule  # a reviewer accepts reasons, not rules
        return reply(row, fate.code, fate.enhanced, _NAME.sub("-", why))


def intent(key: str, hold: Hold) -> Note:
    """What the ledger notes before a hold is written: enough to write the same hold again, and no more than codes."""
    words = ("action", "rule", "reasons", "key", "releases", "notice", "answers", "urgency", "alert")
    return {"do": "hold", "id": key, "of": len(hold.recipients), **{word: getattr(hold, word) for word in words}}


def _hold(note: Note, group: Sequence[Fate]) -> Hold:
    words: Mapping[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in note.items() if k not in ("do", "id", "of")}
    return Hold(recipients=tuple(fate.index for fate in group), **words)


def _labels(recipients: Sequence[Recipient]) -> list[str]:
    seen: dict[str, int] = {}
    labels = []
    for recipient in recipients:
        count = seen[recipient.address] = seen.get(recipient.address, 0) + 1
        labels.append(recipient.address if count == 1 else f"{recipient.address} #{count}")
    return labels
