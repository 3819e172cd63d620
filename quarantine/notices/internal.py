"""Notices to those who look after the gateway: references, codes and counts only, never who wrote to whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from quarantine.notices import clock
from quarantine.notices.letter import Notice, manners
from quarantine.notices.prose import Block, as_html, as_text, blocks, sentence
from quarantine.notices.settings import Settings
from quarantine.notices.wording import Language, Templates


@dataclass(frozen=True, slots=True)
class Matter:
    """What an internal notice is about.  ``refs`` are references or object ids, ``codes`` reason codes; times are POSIX."""

    refs: tuple[str, ...]
    codes: tuple[str, ...] = ()
    urgency: str = ""
    oldest: float | None = None
    sent: float | None = None
    number: int | None = None  # of what the template counts; none = of the references
    minutes: int | None = None
    due: float | None = None
    lines: tuple[str, ...] = ()
    values: Mapping[str, str] = field(default_factory=dict)  # further counts, by placeholder
    days: tuple[date, ...] = ()  # the first and the last one told of


def internal(
    kind: str, matter: Matter, to: str, now: float, settings: Settings, templates: Templates, key: str, variant: str = ""
) -> Notice:
    """``kind`` is the template: alert (on call), desk (who decides), emergency (the word was used), review, damaged, alarm.

    ``key`` names the state change.
    """
    language = templates.language(settings.language_of(to))
    values = {
        "number": str(len(matter.refs) if matter.number is None else matter.number),
        "codes": ", ".join(matter.codes),
        "urgency": matter.urgency,
        "oldest": _full(matter.oldest, settings, language),
        "sent": _full(matter.sent, settings, language),
        "due": _full(matter.due, settings, language),
        "minutes": "" if matter.minutes is None else str(matter.minutes),
        "organisation": settings.organisation,
        "ig_contact": settings.ig_contact or settings.ig_address,
        "on_call": settings.on_call,
        **matter.values,
        **_days(matter.days, language),
    }
    content = blocks(language.need(kind, "text", variant), values, {"ids": matter.refs, "list": matter.lines})
    return _notice(sentence(language.need(kind, "subject", variant), values), content, to, now, settings, language, key)


@dataclass(frozen=True, slots=True)
class Sent:
    """One email of a weekly digest."""

    ref: str
    at: float
    people: int
    domains: tuple[str, ...]  # of recipients who are no patients


def digest(sent: Sequence[Sent], to: str, now: float, settings: Settings, templates: Templates, key: str) -> Notice:
    """The weekly N-3: what a sender's emails of the week became, one line each."""
    language = templates.language(settings.language_of(to))
    common = {
        "number": str(len(sent)),
        "organisation": settings.organisation,
        "ig_contact": settings.ig_contact or settings.ig_address,
        "on_call": settings.on_call,
    }
    patient = sentence(language.need("frame", "system patient"), {})
    lines = []
    for one in sorted(sent, key=lambda item: item.at):
        values = {"sent": _full(one.at, settings, language), "count": str(one.people), "ref": one.ref}
        lines.append(sentence(language.need("digest", "line"), common | values | {"domains": ", ".join(one.domains) or patient}))
    content = blocks(language.need("digest", "text"), common, {"list": lines})
    return _notice(sentence(language.need("digest", "subject"), common), content, to, now, settings, language, key)


def _notice(
    subject: str, content: list[Block], to: str, now: float, settings: Settings, language: Language, key: str
) -> Notice:
    headers = manners(settings.from_address, settings.domain, key, now, reply_to=settings.ig_address)
    return Notice(to, subject, as_text(content), as_html(content, subject, language.name), headers)


def _days(days: Sequence[date], language: Language) -> dict[str, str]:
    """One day, or the first and the last of several."""
    if not days:
        return {}
    shown = [clock.day(one, language) for one in days]
    several = {"one_day": shown[0]} if days[0] == days[-1] else {"first_day": shown[0], "last_day": shown[-1]}
    return {**several, "until_day": shown[-1]}


def _full(at: float | None, settings: Settings, language: Language) -> str:
    return "" if at is None else clock.full(at, settings.zone, language)
