"""Letters to recipients (R-4): who approves, what goes out, who is reminded."""

from __future__ import annotations

from typing import Any, Final

from quarantine.audit import Audit
from quarantine.consents import recalls
from quarantine.consents.desk import reviewer, row
from quarantine.consents.naming import NobodyFound
from quarantine.consents.overtaken import overtaken
from quarantine.consents.recalls import Recall
from quarantine.notices.recall import letter as written
from quarantine.notices.settings import from_options
from quarantine.notices.wording import SHIPPED, load
from quarantine.ops import Desk
from quarantine.records import Records
from quarantine.settings import QuarantineSettings
from quarantine.state import NotAllowed

ROLE: Final = "recipient"


def listing(desk: Desk, user: str, *, everything: bool = False) -> list[dict[str, Any]]:
    """Letters that wait for somebody, oldest first (``everything``: dropped and confirmed ones too).  Audited."""
    reviewer(desk, user)
    desk.audit.consent("recalls-listed", user)
    late = {one.id for one in _late(desk.records, desk.clock() - desk.settings.consents.remind)}
    found = [one for one in recalls.every(desk.records) if everything or one.state in (recalls.DRAFT, recalls.APPROVED)]
    return [{**row(one), "overdue": one.id in late} for one in found]


def decide(desk: Desk, ref: str, word: str, user: str) -> dict[str, Any]:
    """``word``: approve | drop | confirmed.  Raises ``NotAllowed``, ``NobodyFound``, ``Conflict``."""
    role, now, records = reviewer(desk, user), desk.clock(), desk.records
    with records.transaction():
        found = find(records, ref)
        if (found.state, word) not in recalls.MOVES:
            raise NotAllowed(f"letter {found.ref} is {found.state}: it cannot be {_PAST[word]} any more")
        if word == "confirmed" and found.sent is None:
            raise NotAllowed(f"letter {found.ref} has not gone out yet")
        if word == "approve" and overtaken(records, found):
            raise NotAllowed(f"letter {found.ref} is not true any more: nothing is on file now; drop it (consent drop)")
        if word == "approve" and desk.settings.consents.second_person and user == found.drafted_by:
            raise NotAllowed("another person approves what you have noted (quarantine: consents: second_person)")
        moved = recalls.move(records, found, word, user, now)
        if word == "approve":
            promise(records, moved, recalls.KIND, now)
        desk.audit.consent(f"recall-{_PAST[word]}", user, role=role, recall=moved.id, entry=moved.event, who=moved.recipient)
    return row(recalls.one(records, moved.id) or moved)


def preview(desk: Desk, ref: str, user: str) -> str:
    """The letter as it goes out, for who approves it.  Audited."""
    reviewer(desk, user)
    found = find(desk.records, ref)
    desk.audit.consent("recall-read", user, recall=found.id)
    if not found.address:
        raise NobodyFound(f"letter {found.ref}: its words are not kept any more")
    options = desk.settings
    made = written(found, desk.clock(), from_options(options), load(options.templates or SHIPPED), key=found.id)
    return f"To: {made.to}\nReply-To: {made.headers['Reply-To']}\nSubject: {made.subject}\n\n{made.text}"


def find(records: Records, ref: str) -> Recall:
    """The one letter people call so.  Raises ``NobodyFound``."""
    found = recalls.find(records, ref)
    if len(found) != 1:
        raise NobodyFound(
            "more than one letter begins so: write more of it"
            if found
            else "no letter is called so; see clinigate consent recalls"
        )
    return found[0]


def promise(records: Records, letter: Recall, kind: str, now: float) -> None:
    """A row for the outbox; it is sent once, whatever happens in between."""
    records.outbox_add(
        kind, to=letter.address, role=ROLE, due=now, merge=f"recall:{letter.id}", dedup=f"{kind}:{letter.id}", now=now,
        detail={"recall": letter.id},
    )  # fmt: skip


def remind(records: Records, audit: Audit, settings: QuarantineSettings, now: float) -> int:
    """Recipients who have not answered in time are reminded once, and IG is told once; how many."""
    late = [one for one in _late(records, now - settings.consents.remind) if one.reminded is None]
    for letter in late:
        with records.transaction():
            recalls.reminded(records, letter, now)
            promise(records, letter, recalls.REMINDER, now)
            records.outbox_add(
                "recall", to="", role="ig", due=now, hold="", merge="recalls", dedup=f"recall-late:{letter.id}", now=now,
                detail={"refs": [letter.ref]},
            )  # fmt: skip
            audit.consent("recall-reminded", "service", recall=letter.id, who=letter.recipient)
    return len(late)


def _late(records: Records, before: float) -> list[Recall]:
    """Letters that wait for an answer too long; nobody waits where the patient has agreed again."""
    return [one for one in recalls.overdue(records, before) if not overtaken(records, one)]


_PAST: Final = {"approve": "approved", "drop": "dropped", "confirmed": "confirmed"}
