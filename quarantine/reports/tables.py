"""A report as tables: what the page shows and what the CSV files hold.  One function a table, so that the two never differ."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from quarantine.reports.figures import Figures, Report

Words = Callable[[str], str]  # reason code -> its sentence; "" where there is none
Cell = str | int | float | None

# Table -> which reason codes it gathers (beginnings).
FAMILIES: Final[Mapping[str, tuple[str, ...]]] = {
    "recipients": ("recipient.", "domain.lookalike", "domain.own-private", "domain.invalid"),
    "links": ("link.", "mail.referral"),
    "devices": ("device.", "name.messenger"),
    "aggregation": ("disclosure.aggregate",),
}
_RECIPIENTS: Final = "Counted by recipient."
DESKS: Final = {
    "sender": "the sender (an answer)", "ig": "the IG team", "mail-admin": "the mail admins", "two-person": "two people of IG",
    "service": "nobody (only put off)",
}  # fmt: skip
MODES: Final = {
    "observe": "went as it came; only recorded", "advise": "cleaned, sent, the sender told", "enforce": "the policy decided",
}  # fmt: skip
NOTICES: Final = {
    "N-1": "held: consent not stated", "N-1r": "reminder", "N-2": "held: organisation not on the list", "N-3": "sent, protected",
    "N-3-note": "a word of advice", "N-4": "refused", "N-5": "end of a hold", "N-6": "sent as an emergency", "N-7": "a problem",
    "N-8": "daily digest", "R-4": "letter to a recipient: please delete", "R-4r": "the same, reminder",
    "recall": "letters without an answer, to IG", "answer": "what came of an answer", "reminder": "reminder",
    "alert": "to the person on call", "escalation": "to the person on call, again", "desk": "to who decides",
    "digest": "weekly digest of a sender", "dsn": "delivery report",
    "emergency": "emergency used, to IG", "damaged": "object that cannot be read", "alarm": "alarm", "weekly": "this report",
    "review-due": "review of an emergency due", "review-overdue": "review of an emergency overdue",
    "review-often": "emergencies often by one sender",
    "domain-due": "register: something is due", "policy-broken": "policy broken, the old one in force", "lists-old": "old lists",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Column:
    """One column: the heading on the page, the name in the file."""

    title: str
    name: str
    number: bool = False
    span: bool = False  # seconds: shown as hours and minutes


@dataclass(frozen=True, slots=True)
class Table:
    """``name`` is the CSV file's.  ``none`` is said instead of an empty table."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    none: str
    note: str = ""


def tables(report: Report, words: Words) -> list[Table]:
    """Every table of a report, in the page's order."""
    now = report.now
    return [
        _trend(report),
        _reasons("holds", "Held, by reason", now.held_for, words, "Nothing was held.", "A hold may have several reasons."),
        _waits(now),
        _emergencies(report),
        _reasons("recipients", "Wrong recipient?", _family(now, "recipients"), words, "No finding."),
        _positions(now),
        _reasons("links", "Links to file shares, referrals", _family(now, "links"), words, "No finding."),
        _reasons("devices", "Cameras and messengers", _family(now, "devices"), words, "No finding."),
        _reasons("aggregation", "The same patient or picture again", _family(now, "aggregation"), words, "No finding."),
        _not_patient(report),
        _domains("unused", "Domains not used", report, "None is known to be unused."),
        _domains("due", "Domains with something due", report, "Nothing is due."),
        _counts("modes", "Modes", now.modes, "Recipients of mail with pictures.", MODES),
        _counts("notices", "Notices sent", now.notices, "", NOTICES),
    ]


def _trend(report: Report) -> Table:
    columns = (
        Column("week", "week"), Column("mail", "mail", True), Column("with pictures", "mail_with_pictures", True),
        Column("pictures", "pictures", True), Column("with position", "pictures_with_position", True),
        Column("held", "holds", True), Column("not sent (time was over)", "holds_expired", True),
        Column("open at the end", "holds_open", True), Column("oldest of them", "oldest_seconds", True, span=True),
        Column("emergencies", "emergencies", True), Column("reviewed in time", "emergencies_in_time", True),
        Column("first-time recipients", "first_time_recipients", True), Column("sent with pictures", "disclosures", True),
        Column("of these without a patient's reference", "disclosures_without_reference", True),
        Column("failures", "failures", True),
    )  # fmt: skip
    rows = tuple(_week(one) for one in report.weeks)
    return Table("weeks", "Twelve weeks", columns, rows, "", "A dash: nothing was counted yet.")


def _week(one: Figures) -> tuple[Cell, ...]:
    if not one.known:
        return (one.week.name, *[None] * 14)
    return (
        one.week.name, sum(one.mail.values()), one.mail.get("pictures", 0), one.pictures, one.located, one.held,
        one.ended.get("EXPIRED", 0), one.open, None if one.oldest is None else round(one.oldest), one.emergencies.used,
        one.emergencies.in_time, one.first_time, one.disclosed, one.unnamed, one.mail.get("failure", 0),
    )  # fmt: skip


def _reasons(name: str, title: str, counts: Mapping[str, int], words: Words, none: str, note: str = _RECIPIENTS) -> Table:
    rows = tuple((code, count, words(code)) for code, count in _by_count(counts))
    columns = (Column("reason", "code"), Column("number", "count", True), Column("what it says", "words"))
    return Table(name, title, columns, rows, none, note)


def _family(now: Figures, name: str) -> dict[str, int]:
    return {code: count for code, count in now.reasons.items() if code.startswith(FAMILIES[name])}


def _waits(now: Figures) -> Table:
    columns = (
        Column("decided by", "desk"), Column("released", "released", True),
        Column("half waited at most", "median_seconds", True, span=True),
        Column("nine in ten at most", "p90_seconds", True, span=True), Column("longest", "longest_seconds", True, span=True),
    )  # fmt: skip
    rows = tuple(
        (DESKS.get(one.desk, one.desk), one.count, round(one.median), round(one.most), round(one.longest)) for one in now.waits
    )
    return Table("waits", "Time until held mail went", columns, rows, "No hold was released.", "From being held to being sent.")


def _emergencies(report: Report) -> Table:
    one = report.now.emergencies
    rows = (
        ("used", one.used), ("reviewed in time", one.in_time), ("reviewed late", one.late),
        ("not reviewed, overdue", one.overdue), ("not reviewed, still time", one.waiting),
        ("found not justified", one.not_justified), ("the patient has been told", one.told),
        ("senders told of for using it often", report.now.notices.get("review-often", 0)),
    )  # fmt: skip
    columns = (Column("emergencies (break-glass)", "what"), Column("number", "count", True))
    return Table("emergencies", "Emergencies", columns, rows if one.used else (), "The emergency word was not used.", "")


def _positions(now: Figures) -> Table:
    columns = (
        Column("sender group", "group"), Column("pictures", "pictures", True), Column("with a position", "with_position", True),
        Column("share", "share"),
    )  # fmt: skip
    rows = tuple((group, count, located, percent(located, count)) for group, (count, located) in now.groups.items())
    note = f"Senders with a position in a picture: {now.senders_located}. Only in observe mode does it go with the picture."
    return Table("positions", "Where pictures were taken (GPS)", columns, rows, "No picture came.", note)


def _not_patient(report: Report) -> Table:
    columns = (
        Column("sender", "sender"), Column("NOT PATIENT", "not_patient", True), Column("mails with pictures", "mails", True),
        Column("share", "share"),
    )  # fmt: skip
    found = sorted(report.now.not_patient.items(), key=lambda item: (-item[1][0], item[0]))
    rows = tuple((report.names.get(who, who[:12]), said, of, percent(said, of)) for who, (said, of) in found if said)
    note = "Senders stand as codes; a report with --names names them." if not report.names else ""
    return Table("not-patient", "“Not a picture of a patient”, by sender", columns, rows, "Nobody said so.", note)


def _domains(name: str, title: str, report: Report, none: str) -> Table:
    register = report.register
    lines = register.unused if name == "unused" else register.due
    columns = (Column("domain", "domain"), Column("last picture" if name == "unused" else "day", "day"), Column("why", "words"))
    rows = tuple((one.name, one.day.isoformat() if one.day else "never", one.words) for one in lines)
    since = f" Counting began on {report.began:%-d %B %Y}: what was never used shows so long after that." if report.began else ""
    note = f"No picture for {register.unused_days} days or more.{since}" if name == "unused" and register.known else ""
    return Table(name, title, columns, rows, none if register.known else "The register could not be read.", note)


def _counts(name: str, title: str, counts: Mapping[str, int], note: str, meaning: Mapping[str, str]) -> Table:
    rows = tuple((key, count, meaning.get(key, key)) for key, count in _by_count(counts))
    columns = (Column("what", "what"), Column("number", "count", True), Column("meaning", "meaning"))
    return Table(name, title, columns, rows, "None.", note)


def _by_count(counts: Mapping[str, int]) -> Sequence[tuple[str, int]]:
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))


def percent(part: int, whole: int) -> str:
    """``17 %``; "" of nothing."""
    return f"{100 * part / whole:.0f} %" if whole else ""


def span(seconds: float | None) -> str:
    """``2 d 3 h``, ``3 h 05 min``, ``12 min``, ``40 s``."""
    if seconds is None:
        return "–"
    told = timedelta(seconds=round(seconds))
    hours, rest = divmod(told.seconds, 3600)
    if told.days:
        return f"{told.days} d {hours} h"
    if hours:
        return f"{hours} h {rest // 60:02d} min"
    return f"{rest // 60} min" if rest >= 60 else f"{rest} s"
