"""What IG reviewers do with cases: the functions of ``clinigate emergency``.  Who may is a table; every look is audited."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any

from quarantine import roles
from quarantine.emergencies.cases import Cases
from quarantine.emergencies.model import VERDICTS, Case
from quarantine.emergencies.reason import opened
from quarantine.ops import Desk, NotFound
from quarantine.release import release_id
from quarantine.seal import Damaged, NoKey
from quarantine.state import NotAllowed

_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def list_cases(desk: Desk, *, everything: bool = False) -> list[dict[str, Any]]:
    """Cases that wait for a review, the most urgent first (``everything``: reviewed ones too, oldest first)."""
    cases, now = Cases(desk.records), desk.clock()
    return [_facts(cases, case, now) for case in (cases.all() if everything else cases.waiting())]


def show(desk: Desk, ref: str, user: str) -> dict[str, Any]:
    """All that is known of one case, with the reason where the review key is at hand.  Audited.  For IG reviewers only."""
    _reviewer(desk, user)
    case = find(desk, ref)
    reason, why = _reason(case, desk.private_keys)
    desk.audit.emergency("emergency-shown", case.id, case.ref, case.sender, actor=user, reason_read=bool(reason))
    facts = _facts(Cases(desk.records), case, desk.clock())
    methods = _methods(desk, case)
    for one in facts["recipients"]:
        one["method"] = methods.get(one["address"], one["method"])
    return {**facts, "reason": reason, "reason_hidden": why}


def review(
    desk: Desk, ref: str, user: str, *, verdict: str = "", informed: str = "", code: str = "", again: bool = False
) -> dict[str, Any]:
    """Write down what was found: ``verdict`` justified | not-justified, ``informed`` the day the patient was told, a note code.

    The patient may be told later: a second call with ``informed`` alone adds the day.  A verdict is changed only with ``again``.
    Raises ``NotFound``, ``NotAllowed``, ``Conflict``.
    """
    _reviewer(desk, user)
    case = find(desk, ref)
    _check(case, user, verdict, informed, code, again, desk)
    with desk.records.transaction():
        done = Cases(desk.records).review(
            case,
            verdict=verdict or case.verdict,
            reviewer=user if verdict else case.reviewer,
            at=desk.clock() if verdict or case.reviewed is None else case.reviewed,
            informed=informed or case.informed,
            code=code or case.code,
        )
        desk.audit.emergency(
            "emergency-reviewed", done.id, done.ref, done.sender, actor=user, verdict=done.verdict, informed=done.informed,
            code=done.code, in_time=not case.overdue(desk.clock()),
        )  # fmt: skip
    return _facts(Cases(desk.records), done, desk.clock())


def _methods(desk: Desk, case: Case) -> dict[str, str]:
    """How a release protected each copy: its outcome came in after the case was opened."""
    row = desk.records.hold(case.hold) if case.hold else None
    outcomes = desk.records.outcomes(f"release:{release_id(row)}") if row is not None else []
    lines = [line for one in outcomes for line in one.meta.get("recipients", ())]
    return {str(line.get("address")): str(line["method"]) for line in lines if line.get("method")}


def find(desk: Desk, ref: str) -> Case:
    """The one case with this reference or id.  Raises ``NotFound``."""
    cases = Cases(desk.records)
    found = cases.find(ref.strip()) or cases.find(ref.strip().upper())
    if not found:
        raise NotFound("no emergency has this reference; see clinigate emergency list --all")
    if len(found) > 1:
        raise NotFound("more than one emergency has this reference: " + ", ".join(case.id for case in found))
    return found[0]


def _check(case: Case, user: str, verdict: str, informed: str, code: str, again: bool, desk: Desk) -> None:
    if verdict and verdict not in VERDICTS:
        raise NotAllowed(f"the outcome is one of: {', '.join(VERDICTS)}")
    if not verdict and case.reviewed is None:
        raise NotAllowed(f"say first whether it was {' or '.join(VERDICTS)}")
    if not verdict and not informed and not code:
        raise NotAllowed("nothing to write down: give an outcome, --informed DAY or --note CODE")
    if verdict and case.reviewed is not None and not again:
        raise NotAllowed(f"it was found {case.verdict} by {case.reviewer} already; add --again to change that")
    if case.sender.partition("@")[0].casefold() == user.casefold():
        raise NotAllowed("nobody reviews an emergency of their own: ask a colleague")
    if code and not _CODE.fullmatch(code):
        raise NotAllowed("the note is a code of letters, digits, dots and hyphens (a case number): words belong elsewhere")
    if informed:
        _day(informed, case, desk)


def _day(text: str, case: Case, desk: Desk) -> None:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise NotAllowed("write the day as 2026-11-25") from None
    office = desk.settings.office
    if not office.day_of(case.at) <= day <= office.day_of(desk.clock()):
        raise NotAllowed("the patient was told on a day between the emergency and today")


def _reviewer(desk: Desk, user: str) -> None:
    if roles.IG not in desk.settings.reviewers.roles_of(user):
        raise NotAllowed("emergencies are reviewed by IG: you are not in quarantine: reviewers: ig: of the configuration")


def _reason(case: Case, keys: Mapping[str, Any]) -> tuple[str, str]:
    """(the reason, why it cannot be shown)."""
    if not case.reason:
        return "", "no reason was kept"
    try:
        return opened(case.reason, keys), ""
    except NoKey:
        return "", "sealed: run this where the review key is, or name it with --key"
    except Damaged:
        return "", "the sealed reason was damaged"


def _facts(cases: Cases, case: Case, now: float) -> dict[str, Any]:
    people = [{"address": p.address, "class": p.cls, "rule": p.rule, "method": p.method} for p in cases.people(case.id)]
    return {
        "id": case.id, "ref": case.ref, "hold": case.hold, "at": case.at, "due": case.due, "overdue": case.overdue(now),
        "way": case.way, "sender": case.sender, "recipients": people, "verdict": case.verdict, "reviewer": case.reviewer,
        "reviewed": case.reviewed, "informed": case.informed, "note": case.code,
    }  # fmt: skip
