"""What people are told about answers: rows for the outbox.  Bounded, so that two programs cannot write to each other for ever."""

from __future__ import annotations

from typing import Final

from quarantine import promises, roles
from quarantine.model import HoldRow
from quarantine.records import Records

MOST: Final = 3  # notices of one kind about the answers to one hold
KIND: Final = "answer"  # the template


def about_answer(records: Records, row: HoldRow, variant: str, now: float, *, words: tuple[str, ...] = ()) -> bool:
    """Tell the hold's sender what came of an answer (a variant of the template); False when it was said often enough.

    ``words``: what may be answered now.  Nothing of what was written is ever repeated.
    """
    for number in range(MOST):
        if records.outbox_state(f"{KIND}:{row.id}:{variant}:{number}") is None:
            dedup = f"{KIND}:{row.id}:{variant}:{number}"
            promises.told(records, row, KIND, "sender", now, dedup, variant=variant, words=list(words))
            return True
    return False


def help_asked(records: Records, row: HoldRow, now: float) -> None:
    """The sender asks for help: the words once more, and IG knows whom to ring."""
    if about_answer(records, row, "help", now):
        promises.told(records, row, "alert", roles.IG, now, f"help:{row.id}", why="sender-asks-help")


def held_again(records: Records, row: HoldRow, now: float, urgent: bool) -> None:
    """The sender answered, and the policy holds it still: people decide now; nobody is asked a second time.

    ``urgent``: the person on call is told too; whoever answered EMERGENCY may be waiting for a call.
    """
    desk = roles.desk(row.releases, row.reasons)
    promises.told(records, row, "alert", desk, now, f"held-again:{row.id}:{row.round}", why="answered-held-again")
    if urgent:
        promises.told(
            records, row, "alert", "on-call", now, f"held-again:{row.id}:{row.round}:on-call", why="answered-held-again"
        )
    about_answer(records, row, "again", now)


def stopped(records: Records, row: HoldRow, code: str, now: float) -> None:
    """Deferred mail that the policy holds by now: nobody tries it again, so who decides is told, and the sender.

    ``code``: why it is held.
    """
    records.outbox_cancel(row.id, now, "stopped")  # word of a delay that is none any more
    desk = roles.MAIL_ADMIN if roles.role_of_reason(code) == roles.MAIL_ADMIN else roles.IG
    promises.told(records, row, "alert", desk, now, f"stopped:{row.id}", why="deferred-held-again")
    about_answer(records, row, "stopped", now)


def ig_asked(records: Records, row: HoldRow, now: float) -> None:
    """The sender passes the decision on: IG is told at once, the sender that they know."""
    promises.told(records, row, "alert", roles.IG, now, f"ask-ig:{row.id}", why="sender-asks-ig")
    if row.urgency == "urgent":
        promises.told(records, row, "alert", "on-call", now, f"ask-ig:{row.id}:on-call", why="sender-asks-ig")
    about_answer(records, row, "asked", now)
