"""What the service does about cases: reminds on the morning of the last day, escalates when the day is over unreviewed."""

from __future__ import annotations

from quarantine.deadlines import OfficeHours
from quarantine.emergencies.cases import Cases
from quarantine.emergencies.model import Case
from quarantine.records import Records
from quarantine.roles import IG


def look(records: Records, now: float, office: OfficeHours, escalate_to: str) -> int:
    """One round; how many cases something was promised for.  ``escalate_to``: address; "" is the person on call.

    An overdue case is told of again on every working day until somebody reviews it.
    """
    cases, count = Cases(records), 0
    for case in cases.waiting():
        if now > case.due:
            count += _overdue(records, cases, case, now, office, escalate_to)
        elif case.reminded is None and now >= office.opening_of(office.day_of(case.due)):
            with records.transaction():
                _promise(records, case, "review-due", "", IG, now, f"review-due:{case.id}")
                cases.mark(case.id, "reminded", now)
            count += 1
    return count


def _overdue(records: Records, cases: Cases, case: Case, now: float, office: OfficeHours, escalate_to: str) -> int:
    with records.transaction():
        if case.escalated is None:
            role = "ig" if escalate_to else "on-call"
            _promise(records, case, "review-overdue", escalate_to, role, now, f"review-overdue:{case.id}")
            _promise(records, case, "review-overdue", "", IG, now, f"review-overdue:{case.id}:ig")
            cases.mark(case.id, "escalated", now)
            return 1
        today = office.day_of(now)
        if today <= office.day_of(case.escalated) or not office.open_at(now):
            return 0
        return _promise(records, case, "review-overdue", "", IG, now, f"review-overdue:{case.id}:{today.isoformat()}")


def _promise(records: Records, case: Case, kind: str, to: str, role: str, now: float, dedup: str) -> int:
    return records.outbox_add(kind, to=to, role=role, due=now, dedup=dedup, now=now, detail={"refs": [case.ref], "case": case.id})
