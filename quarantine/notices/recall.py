"""R-4: to somebody outside who has pictures that a patient does not want used any more.

It says days, how many pictures, who sent them and under which reference: never who the patient is or what is to be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Protocol

from quarantine.notices.letter import Notice, manners
from quarantine.notices.prose import as_html, as_text, blocks, sentence
from quarantine.notices.settings import Settings
from quarantine.notices.wording import Language, Templates

TEMPLATE = "R-4"


class Sent(Protocol):
    """One email the recipient got."""

    @property
    def ref(self) -> str: ...
    @property
    def at(self) -> float: ...
    @property
    def images(self) -> int: ...
    @property
    def sender(self) -> str: ...


class Letter(Protocol):
    """The part of ``quarantine.consents.recalls.Recall`` that is written about."""

    @property
    def address(self) -> str: ...
    @property
    def mails(self) -> Sequence[Sent]: ...


def letter(recall: Letter, now: float, settings: Settings, templates: Templates, *, key: str, variant: str = "") -> Notice:
    """``variant``: "" or "reminder".  ``key`` names the letter, so that one sent twice has one Message-ID."""
    language = templates.language(settings.language)
    values = {
        "number": str(sum(mail.images for mail in recall.mails)),
        "organisation": settings.organisation or settings.domain,
        "ig_contact": settings.ig_contact or settings.ig_address,
    }
    lines = [_line(mail, values, settings, language) for mail in recall.mails]
    content = blocks(language.need(TEMPLATE, "text", variant), values, {"list": lines})
    subject = sentence(language.need(TEMPLATE, "subject", variant), values)
    headers = manners(settings.from_address, settings.domain, f"{TEMPLATE} {key}", now, reply_to=settings.ig_address)
    return Notice(recall.address, subject, as_text(content), as_html(content, subject, language.name), headers)


def _line(mail: Sent, values: dict[str, str], settings: Settings, language: Language) -> str:
    own = {"sent": _day(mail.at, settings, language), "count": str(mail.images), "ref": mail.ref, "sender": mail.sender or "<>"}
    return sentence(language.need(TEMPLATE, "line"), values | own)


def _day(at: float, settings: Settings, language: Language) -> str:
    """The day alone, with the year: such a letter may be read years later."""
    when = datetime.fromtimestamp(at, UTC).astimezone(settings.zone)
    months = language.need("frame", "months").lines
    return f"{when.day} {months[when.month - 1]} {when.year}"
