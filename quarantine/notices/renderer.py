"""From rows of the outbox to what is sent: the one place that knows which kind of row becomes which notice."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Protocol

from quarantine.consents.recalls import Recall
from quarantine.model import HoldRow, OutboxRow
from quarantine.notices import dsn
from quarantine.notices.fates import Told, merge
from quarantine.notices.internal import Matter, Sent, digest, internal
from quarantine.notices.letter import Notice, is_notice
from quarantine.notices.recall import letter
from quarantine.notices.render import ANSWER, calls_for_notice, render
from quarantine.notices.settings import Settings
from quarantine.notices.today import Index, outcomes_of
from quarantine.notices.wording import Templates
from quarantine.promises import PUT_OFF

REMINDERS = frozenset({"reminder", "N-1r"})
# kind of row -> template
ALERTS = {"alert": "alert", "desk": "desk", "escalation": "alert", "damaged": "damaged", "alarm": "alarm"}
# kind of row -> (template, variant); what they say stands in their details
PLAIN = {
    "review-due": ("review", "due"), "review-overdue": ("review", "overdue"), "review-often": ("review", "often"),
    "domain-due": ("register", "due"), "policy-broken": ("register", "policy"), "lists-old": ("register", "lists"),
    "N-8": ("N-8", ""), "weekly": ("weekly", ""), "recall": ("recall", ""),
}  # fmt: skip
# letters to recipients: kind of row -> variant of R-4
RECALLS = {"R-4": "", "R-4r": "reminder"}
EMERGENCY, DIGEST, DSN = "emergency", "digest", "dsn"


@dataclass(frozen=True, slots=True)
class Mail:
    """To be handed to the relay with a null envelope sender."""

    to: str = field(repr=False)
    data: bytes = field(repr=False)
    emergency: bool = False  # the emergency word was used: the IG team is told, too


@dataclass(frozen=True, slots=True)
class Drop:
    """Nothing has to be said; ``code`` says why."""

    code: str


@dataclass(frozen=True, slots=True)
class Gather:
    """To be said with others at ``due``, in the weekly digest."""

    due: float


class Ledger(Index, Protocol):
    """The part of the records a renderer reads."""

    def outbox_sent(self, kind: str, to: str) -> int: ...
    def recall(self, recall: str) -> Recall | None: ...


class Renderer:
    """Renders groups of rows: rows that one notice answers together."""

    def __init__(
        self,
        records: Ledger,
        settings: Settings,
        templates: Templates,
        reminder_at: Callable[[HoldRow], float | None] = lambda hold: None,
        link: Callable[[HoldRow], str] = lambda hold: "",
        reply: Callable[[HoldRow], str] = lambda hold: "",
    ) -> None:
        for name in (settings.language, *settings.languages.values()):
            templates.language(name)  # a language that is not there is found at start, not when somebody waits
        self._records, self._settings, self._templates, self._reminder_at = records, settings, templates, reminder_at
        self._link, self._reply = link, reply

    def render(self, rows: Sequence[OutboxRow], now: float) -> Mail | Drop | Gather:
        """What becomes of these rows.  Raises whatever keeps a notice from being made; the rows then stay."""
        kind = rows[0].kind
        if kind in ALERTS or kind in PLAIN or kind == EMERGENCY:
            return self._internal(rows, now)
        if kind == DIGEST:
            return self._digest(rows, now)
        if kind in RECALLS:
            return self._recall(rows, now)
        if kind == DSN and rows[0].role == "sender":
            return self._report(rows, now)
        return self._notice(rows, now)

    def _outcomes(self, rows: Sequence[OutboxRow]) -> list[dict[str, Any]]:
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            for meta in outcomes_of(self._records, row, self._reminder_at):
                found.setdefault(f"{meta.get('message')} {meta.get('ref')} {meta.get('created')}", meta)
        return list(found.values())

    def _notice(self, rows: Sequence[OutboxRow], now: float) -> Mail | Drop | Gather:
        outcomes = self._outcomes(rows)
        if not outcomes:
            return Drop("dropped:forgotten")
        _mark_lost(outcomes, rows)
        told, first = merge(outcomes), rows[0]
        if is_notice(told.message_id, self._settings.domain):
            return Drop("dropped:own-notice")
        reminder = all(row.kind in REMINDERS for row in rows)
        holds = frozenset(row.hold for row in rows)
        about = None if "" in holds else holds
        if about is not None and not any(fate.hold in about for fate in told.fates):
            return Drop("dropped:superseded")  # a later try of the same email has the last word about these people
        if not calls_for_notice(told) or (reminder and not _waiting(told, holds)):
            return Drop("dropped:nothing-to-say")
        if all(row.detail.get("variant") == PUT_OFF for row in rows) and not any(fate.state == "deferred" for fate in told.fates):
            return Drop("dropped:superseded")  # it has gone, or people look at it again, and that was told
        if {row.kind for row in rows} == {"N-3"} and _only_sent(told):
            if told.sender_kind != "person":
                return Drop("dropped:not-a-person")
            if self._records.outbox_sent("N-3", first.to) > self._settings.first_times:
                return Gather(self._next_digest(now))
        to = first.to or ("" if first.role in ("sender", "owner") else self._settings.mailbox(first.role))
        notice = render(
            outcomes, now, self._settings, self._templates, about=about, reminder=reminder, to=to, key=_key(rows),
            link=self._first(told, self._link), reply=self._first(told, self._reply),
            answer=str(rows[-1].detail.get("variant", "")) if first.kind == ANSWER else "",
        )  # fmt: skip
        emergency = about is None and any(fate.template == "N-6" for fate in told.fates)
        return self._mail(notice, emergency)

    def _first(self, told: Told, way: Callable[[HoldRow], str]) -> str:
        """One link, and one reply address, for all that waits for the sender: either answers every hold of the message."""
        holds = [self._records.hold(hold) for hold in dict.fromkeys(fate.hold for fate in told.fates if fate.hold)]
        return next((found for hold in holds if hold is not None and (found := way(hold))), "")

    def _report(self, rows: Sequence[OutboxRow], now: float) -> Mail | Drop:
        named = {str(row.detail["outcome"]) for row in rows if row.detail.get("outcome")}
        outcomes = [one for one in self._outcomes(rows) if not named or one.get("outcome") in named]
        if not outcomes:
            return Drop("dropped:forgotten")
        if is_notice(merge(outcomes).message_id, self._settings.domain):
            return Drop("dropped:own-notice")
        holds = frozenset(row.hold for row in rows)
        made = dsn.report(outcomes, "failed", now, self._settings, self._templates, _key(rows), holds)
        return Drop("dropped:not-wanted") if made is None else Mail(*made)

    def _internal(self, rows: Sequence[OutboxRow], now: float) -> Mail:
        kind = rows[0].kind
        to = rows[0].to or self._settings.mailbox(rows[0].role)
        template, variant = PLAIN.get(kind, (ALERTS.get(kind, kind), ""))
        matter = self._emergency(rows) if kind == EMERGENCY else _said(rows) if kind in PLAIN else self._holds(rows, now)
        return self._mail(internal(template, matter, to, now, self._settings, self._templates, _key(rows), variant))

    def _recall(self, rows: Sequence[OutboxRow], now: float) -> Mail | Drop:
        """A letter that people approved; one that was answered meanwhile needs no reminder."""
        kind = rows[0].kind
        found = self._records.recall(str(rows[0].detail.get("recall", "")))
        if found is None or not found.address:
            return Drop("dropped:forgotten")
        if found.state != "approved":
            return Drop("dropped:answered")
        return self._mail(letter(found, now, self._settings, self._templates, key=f"{found.id} {kind}", variant=RECALLS[kind]))

    def _holds(self, rows: Sequence[OutboxRow], now: float) -> Matter:
        holds = [hold for row in rows if row.hold and (hold := self._records.hold(row.hold)) is not None]
        known = {hold.id for hold in holds}
        others = [row.hold or row.message or str(row.detail.get("object", "")) for row in rows if row.hold not in known]
        said = [str(row.detail["why"]) for row in rows if row.detail.get("why")]
        oldest = min((hold.created for hold in holds), default=None)
        return Matter(
            refs=(*(hold.ref for hold in holds), *filter(None, others)),
            codes=tuple(dict.fromkeys([*said, *(code for hold in holds for code in hold.reasons)])),
            urgency="urgent" if any(hold.urgency == "urgent" for hold in holds) else "routine" if holds else "",
            oldest=oldest,
            number=len({row.hold or row.message for row in rows}),
            minutes=None if oldest is None else int((now - oldest) // 60),
        )

    def _emergency(self, rows: Sequence[OutboxRow]) -> Matter:
        if rows[0].detail.get("refs"):
            return _said(rows)
        told = merge(self._outcomes(rows))
        fates = [fate for fate in told.fates if fate.template == "N-6"]
        codes = tuple(dict.fromkeys(code for fate in fates for code in fate.reasons))
        return Matter(told.refs, codes, sent=told.sent, number=len(fates))

    def _digest(self, rows: Sequence[OutboxRow], now: float) -> Mail | Drop:
        sent: dict[str, Sent] = {}
        for row in rows:
            outcomes = self._outcomes([row])
            if outcomes:
                told = merge(outcomes)
                domains = tuple(dict.fromkeys(fate.domain for fate in told.fates if not fate.patient))
                sent[row.message] = Sent(", ".join(told.refs), told.sent, len(told.fates), domains)
        if not sent:
            return Drop("dropped:forgotten")
        return self._mail(digest(list(sent.values()), rows[0].to, now, self._settings, self._templates, _key(rows)))

    def _mail(self, notice: Notice, emergency: bool = False) -> Mail:
        return Mail(notice.to, notice.as_bytes(), emergency)

    def _next_digest(self, now: float) -> float:
        """The next time a digest is sent, in the site's zone."""
        local = datetime.fromtimestamp(now, UTC).astimezone(self._settings.zone)
        at = local.replace(hour=self._settings.digest_hour, minute=0, second=0, microsecond=0)
        at += timedelta(days=(self._settings.digest_weekday - local.weekday()) % 7)
        return (at if at > local else at + timedelta(days=7)).timestamp()


def _said(rows: Sequence[OutboxRow]) -> Matter:
    """What the rows' own details say: references, counts, days."""
    details = [row.detail for row in rows]
    numbers = [int(one["number"]) for one in details if "number" in one]
    return Matter(
        refs=tuple(dict.fromkeys(str(ref) for one in details for ref in one.get("refs", ()))),
        number=sum(numbers) if numbers else None,
        sent=min((float(one["sent"]) for one in details if "sent" in one), default=None),
        due=min((float(one["due"]) for one in details if "due" in one), default=None),
        oldest=min((float(one["oldest"]) for one in details if "oldest" in one), default=None),
        lines=tuple(dict.fromkeys(str(line) for one in details for line in one.get("lines", ()))),
        values={str(name): str(text) for one in details for name, text in _figures(one)},
        days=tuple(date.fromisoformat(day) for day in details[-1].get("days", ())),
    )


def _figures(detail: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What a digest or report counts; ``domains`` is another word in other notices."""
    told = dict(detail.get("counts", {}))
    if "domains" in told:
        told["domains_due"] = told.pop("domains")
    return [*told.items(), *((name, detail[name]) for name in ("week", "folder") if name in detail)]


def _mark_lost(outcomes: Sequence[dict[str, Any]], rows: Sequence[OutboxRow]) -> None:
    """A sealed object that cannot be read: its row says so, the hold's state cannot."""
    lost = {row.hold for row in rows if row.hold and row.kind == "N-7" and row.detail.get("variant") in ("stuck", "failed")}
    for meta in outcomes:
        for line in meta["recipients"]:
            if line.get("hold") in lost and line["state"] in ("held", "not-released", "deferred"):
                line["state"] = "lost"


def _only_sent(told: Told) -> bool:
    """Everyone has it and there is nothing to add: what a digest may say.  Partial or failed delivery is always told at once."""
    return all((fate.template, fate.variant) in (("N-3", ""), ("N-3", "plain")) and not fate.advise_now for fate in told.fates)


def _waiting(told: Told, holds: frozenset[str]) -> bool:
    return any(fate.state == "held" and ("" in holds or fate.hold in holds) for fate in told.fates)


def _key(rows: Sequence[OutboxRow]) -> str:
    """The same for the same state change, so that a notice sent twice (the relay's answer was lost) has one Message-ID."""
    named = sorted(f"{row.kind} {row.message} {row.hold} {row.role} {row.created}" for row in rows)
    return hashlib.sha256("\n".join(named).encode()).hexdigest()
