"""Say what was promised.  A row of the outbox is written together with the state change; it stays until its notice was taken.

One notice a message and state change: rows that one notice answers are rendered and finished together.  A notice is said twice
only when the relay took it and our note of that was lost; both then have the same Message-ID.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from quarantine.answers.replying import replier
from quarantine.deadlines import reminder_at
from quarantine.form.links import linker
from quarantine.model import OutboxRow, State
from quarantine.notices.renderer import ALERTS, DIGEST, EMERGENCY, PLAIN, Drop, Gather, Ledger, Mail, Renderer
from quarantine.notices.settings import from_options
from quarantine.notices.wording import SHIPPED, load
from quarantine.settings import QuarantineSettings

log = structlog.get_logger()
FIRST_RETRY = 60.0  # seconds; doubled at each failure
LONGEST_RETRY = 3600.0


class Promises(Ledger, Protocol):
    """The part of ``quarantine.records.Records`` the outbox works on."""

    def outbox_due(self, now: float, limit: int = 100) -> list[OutboxRow]: ...
    def outbox_merged(self, row: OutboxRow) -> list[OutboxRow]: ...
    def outbox_done(self, row: int, now: float, code: str = "sent") -> None: ...
    def outbox_retry(self, row: int, due: float, code: str = "") -> None: ...
    def outbox_waiting(self) -> list[tuple[float, int]]: ...
    def transaction(self) -> AbstractContextManager[Any]: ...
    def outbox_add(
        self,
        kind: str,
        *,
        to: str,
        role: str,
        due: float,
        message: str = "",
        hold: str = "",
        merge: str = "",
        dedup: str | None = None,
        now: float | None = None,
    ) -> bool: ...


class Transport(Protocol):
    """Hands one message to a mail server that queues it."""

    def send(self, to: str, data: bytes) -> None:
        """With a null envelope sender.  Returns only when the server has taken it; raises otherwise."""


@dataclass(frozen=True, slots=True)
class SmtpTransport:
    """SMTP to the relay that the settings name.  ``name`` is said in EHLO: neutral, not this machine's own."""

    host: str
    port: int
    name: str
    timeout: float = 30.0
    tls: ssl.SSLContext | None = None  # STARTTLS with this context; none = a relay on this host

    def send(self, to: str, data: bytes) -> None:
        """Raises smtplib.SMTPException or OSError."""
        with smtplib.SMTP(self.host, self.port, local_hostname=self.name, timeout=self.timeout) as client:
            if self.tls is not None:
                client.starttls(context=self.tls)
            options = () if to.isascii() else ("SMTPUTF8",)
            client.sendmail("", [to], data, mail_options=options)


class Outbox:
    """The loop's body; the quarantine service calls ``run_due`` in a thread of its own."""

    def __init__(self, records: Promises, transport: Transport, renderer: Renderer, clock: Callable[[], float]) -> None:
        self._records, self._transport, self._renderer, self._clock = records, transport, renderer, clock

    def run_due(self, limit: int = 100) -> int:
        """Say everything that is due; how many messages were sent.  One notice that cannot be said never stops the others.

        Raises sqlite3.Error when not even the list of what is due can be read.
        """
        sent = 0
        for rows in self._groups(self._clock(), limit):
            try:
                sent += self._say(rows)
            except Exception as error:  # noqa: BLE001 - the second of the product's two broad excepts: whatever fails, the row stays
                log.error("outbox.failed", error=type(error).__name__, kind=rows[0].kind, rows=[row.id for row in rows])
                self._postpone(rows, type(error).__name__)
        return sent

    def _groups(self, now: float, limit: int) -> Iterator[list[OutboxRow]]:
        """Due rows, each with those that the same notice answers; read anew for each group, since copies keep coming in."""
        due = self._records.outbox_due(now, limit)
        seen: set[int] = set()
        for row in due:
            if row.id in seen:
                continue
            together = {one.id: one for one in [row, *self._records.outbox_merged(row)] if one.role == row.role}
            together |= {one.id: one for one in due if _same(row, one)}
            rows = [one for number, one in sorted(together.items()) if number not in seen]
            seen |= set(together)
            yield rows

    def _say(self, rows: list[OutboxRow]) -> int:
        now = self._clock()
        made = self._renderer.render(rows, now)
        if isinstance(made, Drop):
            self._finish(rows, now, made.code)
            return 0
        if isinstance(made, Gather):
            self._gather(rows, now, made.due)
            return 0
        if made.emergency:
            self._tell_ig(rows[0], now)
        self._send(made)
        self._finish(rows, now, "sent")
        return 1

    def _send(self, mail: Mail) -> None:
        self._transport.send(mail.to, mail.data)

    def _finish(self, rows: list[OutboxRow], now: float, code: str) -> None:
        with self._records.transaction():
            for row in rows:
                self._records.outbox_done(row.id, now, code)

    def _gather(self, rows: list[OutboxRow], now: float, due: float) -> None:
        """Into the weekly digest; one row a message."""
        first = rows[0]
        with self._records.transaction():
            self._records.outbox_add(
                DIGEST,
                to=first.to,
                role=first.role,
                due=due,
                message=first.message,
                merge=DIGEST,
                dedup=f"digest:{first.id}",
                now=now,
            )
            for row in rows:
                self._records.outbox_done(row.id, now, "dropped:digest")

    def _tell_ig(self, row: OutboxRow, now: float) -> None:
        """Promised before the sender is told, so that no use of the emergency word stays unseen."""
        dedup = f"{EMERGENCY}:{row.merge or row.message}"
        self._records.outbox_add(EMERGENCY, to="", role="ig", due=now, message=row.message, merge=row.merge, dedup=dedup, now=now)

    def _postpone(self, rows: list[OutboxRow], code: str) -> None:
        now = self._clock()
        for row in rows:
            self._records.outbox_retry(row.id, now + back_off(row.attempts), code)


def open_outbox(options: QuarantineSettings, records: Promises, clock: Callable[[], float]) -> Outbox:
    """The outbox as the configuration says.  Raises SettingsError, TemplateError, KeyError (language) and OSError, at start."""
    settings = from_options(options)
    renderer = Renderer(
        records,
        settings,
        load(options.templates or SHIPPED),
        lambda hold: reminder_at(hold, options.deadlines, options.office) if hold.state is State.ASKED else None,
        linker(options),
        replier(options),
    )
    return Outbox(records, SmtpTransport(options.relay.host, options.relay.port, settings.domain), renderer, clock)


def back_off(attempts: int) -> float:
    """Seconds until the next try after ``attempts`` failures before this one."""
    return float(min(FIRST_RETRY * 2 ** min(attempts, 16), LONGEST_RETRY))


def unsent(records: Promises) -> tuple[int, float | None]:
    """How many notices wait, and when the first of them was due: what is tried again and again is not due anew."""
    first = [_promised(due, attempts) for due, attempts in records.outbox_waiting()]
    return len(first), min(first, default=None)


def _promised(due: float, attempts: int) -> float:
    """When a row was due first, as far as its failures tell; never earlier than it really was."""
    return due - sum(back_off(attempt) for attempt in range(attempts))


def _same(row: OutboxRow, other: OutboxRow) -> bool:
    """Rows about different holds that one notice answers: holds of one message, or alerts to one mailbox."""
    if (row.kind, row.to, row.role) != (other.kind, other.to, other.role):
        return False
    about_holds = bool(row.message and row.hold and other.hold)
    return row.kind in ALERTS or row.kind in PLAIN or (about_holds and row.message == other.message)
