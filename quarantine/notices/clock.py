"""Times as people read them, in the site's zone and the notice's language."""

from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from quarantine.notices.prose import sentence
from quarantine.notices.wording import Language


def full(at: float, zone: ZoneInfo, language: Language) -> str:
    """With weekday and date: right whenever it is read ("14:02 on Tuesday 4 March")."""
    when = datetime.fromtimestamp(at, UTC).astimezone(zone)
    values = {
        "clock": f"{when:%H:%M}",
        "weekday": language.need("frame", "weekdays").lines[when.weekday()],
        "day": str(when.day),
        "month": language.need("frame", "months").lines[when.month - 1],
    }
    return sentence(language.need("frame", "time full"), values)


def day(when: date, language: Language) -> str:
    """A day with its name ("Tuesday 4 March")."""
    weekday = language.need("frame", "weekdays").lines[when.weekday()]
    return f"{weekday} {when.day} {language.need('frame', 'months').lines[when.month - 1]}"


def short(at: float, now: float, zone: ZoneInfo, language: Language) -> str:
    """Hours and minutes for a time of today, else as ``full``."""
    when, today = (datetime.fromtimestamp(t, UTC).astimezone(zone) for t in (at, now))
    if when.date() != today.date():
        return full(at, zone, language)
    return sentence(language.need("frame", "time short"), {"clock": f"{when:%H:%M}"})
