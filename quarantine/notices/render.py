"""Outcomes in, one notice out.  Pure: clock, settings and templates come in as arguments.

One notice names every recipient of the message with what happened to each; its parts are grouped by what the sender has to do.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from quarantine.answers.model import Offer
from quarantine.answers.replying import mailto
from quarantine.answers.words import ALWAYS, offers
from quarantine.notices import clock
from quarantine.notices.fates import ORDER, Fate, Told, merge
from quarantine.notices.letter import Notice, manners
from quarantine.notices.prose import Block, as_html, as_text, blocks, sentence, tie
from quarantine.notices.settings import Settings
from quarantine.notices.wording import Language, Templates

MANY = 6  # more people than this are named in the list only, not in each sentence
ANSWER = "answer"  # the template of what came of an answer
NO_PATIENT = "consent.not-patient"  # reason of a picture that went because its sender said that no patient is in it
_WAITING = {("N-1", ""), ("N-2", ""), ("N-7", "stuck")}  # what a reminder is about
_SAME = {("N-2", ""): ("N-1", "")}  # parts that begin alike: whoever decides, the email waits


@dataclass(frozen=True, slots=True)
class _Section:
    """Recipients about whom the same can be said."""

    template: str
    variant: str
    fates: tuple[Fate, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class _Writer:
    """Everything the words of one notice are made from."""

    told: Told = field(repr=False)
    now: float
    settings: Settings
    language: Language
    link: str = field(default="", repr=False)
    reply: str = field(default="", repr=False)  # where the sender's answer goes; "" = send again is the only way

    def common(self) -> dict[str, str]:
        """Values that are the same in every part."""
        told, settings = self.told, self.settings
        return {
            "sent": self.short(told.sent),
            "ref": ", ".join(told.refs),
            "total": str(len(told.fates)),
            "sender": told.sender or "<>",
            "organisation": settings.organisation or sentence(self.need("organisation"), {}),
            "feedback": settings.feedback,
            "law": told.contacts.get("law", ""),
            **contacts(told, settings),
            "review_hours": settings.review_hours,
        }

    def values(self, section: _Section) -> dict[str, str]:
        """Values of one part."""
        fates, first = section.fates, section.fates[0]
        tags, emergency = _answers(self.offered(section))
        deadline = min((f.deadline for f in fates if f.deadline is not None), default=self.told.sent + self.settings.hold_for)
        remind = min((f.remind for f in fates if f.remind is not None), default=deadline)
        who = self.language.part("frame", f"who {first.releases}") if first.releases else None
        values = self.common()
        values |= {
            "count": str(len(fates)),
            "people": self.people(fates),
            "to": self.people(fates) if len(fates) == 1 else sentence(self.need("people count"), {"count": str(len(fates))}),
            "help": self.language.help(first.said) or first.help,
            "did_you_mean": first.meant,
            "who": sentence(who, values),
            "emergency": tie(emergency),
            "link": self.link,
            "tag": tie(tags[0]) if tags else "",
            "deadline": self.full(deadline),
            "remind_at": self.full(remind) if self.now < remind < deadline else "",
            "time": self.short(first.at),
            "systems": self.join(self.system(fate) for fate in fates),
            "domains": self.join(fate.domain for fate in fates if not fate.patient) or sentence(self.need("system patient"), {}),
            "code": first.code,
        }
        if "consent.refused" in first.said:
            values["alternatives"] = ""  # a patient's no is not to be gone round
        usual = self.language.part(section.template, "why", section.variant)
        values["why"] = self.language.reasons(first.said) or first.why or sentence(usual, values)
        return values

    def need(self, name: str) -> Any:
        return self.language.need("frame", name)

    def full(self, at: float) -> str:
        return clock.full(at, self.settings.zone, self.language)

    def short(self, at: float) -> str:
        return clock.short(at, self.now, self.settings.zone, self.language)

    def person(self, fate: Fate) -> str:
        """How a notice calls a recipient: a patient's address is never shown."""
        return sentence(self.need("patient address"), {}) if fate.patient else fate.address

    def people(self, fates: Sequence[Fate]) -> str:
        if len(fates) > MANY:
            return sentence(self.need("people many"), {"count": str(len(fates))})
        return self.join(self.person(fate) for fate in fates)

    def system(self, fate: Fate) -> str:
        return sentence(self.need("system patient" if fate.patient else "system"), {"domain": fate.domain})

    def join(self, texts: Iterable[str]) -> str:
        """ "a, b and c", each once."""
        each = list(dict.fromkeys(texts))
        word = sentence(self.need("and"), {})
        return each[0] if len(each) == 1 else f"{', '.join(each[:-1])} {word} {each[-1]}" if each else ""

    def part(self, section: _Section, name: str, values: Mapping[str, str], answers: Sequence[str] = ()) -> list[Block]:
        lines = list(dict.fromkeys(_offer(answer, self.language) for answer in answers))
        return blocks(self.language.part(section.template, name, section.variant), values, {"answers": lines})

    def offered(self, section: _Section) -> tuple[str, ...]:
        """The words offered.  An address in them is never filled in: the sender types it again, and no patient's is shown."""
        word = sentence(self.need("address word"), {})
        addresses = "|".join(re.escape(text) for text in ("{address}", *(fate.address for fate in section.fates)) if text)
        return tuple(re.sub(addresses, lambda _: word, answer, flags=re.IGNORECASE) for answer in section.fates[0].answers)

    def body(self, section: _Section, linked: bool) -> list[Block]:
        """The paragraphs of one part, in the order of what matters to the sender.  ``linked``: the link belongs here."""
        values = self.values(section)
        usual, emergency = _answers(self.offered(section))
        found = self.part(section, "text", values)
        for method in dict.fromkeys(fate.method for fate in section.fates if fate.method):
            by = values | {"people": self.people([fate for fate in section.fates if fate.method == method])}
            found += self.part(section, f"method {method}", by) if method.replace("-", "").isalpha() else []
        for advice in dict.fromkeys(map(self.advice, section.fates)):
            about = [fate for fate in section.fates if advice and self.advice(fate) == advice]
            if not about:
                continue
            found += self.part(section, "beside", values | {"people": self.people(about), "advice": advice})
        found += self.part(section, "link", values) if linked else []
        if (reply := self.by_reply(section, values)) or section.template == ANSWER:
            found += reply
        else:
            found += self.part(section, "answers", values, usual) if usual else []
            found += [] if usual or emergency else self.part(section, "no answers", values)
            found += self.part(section, "emergency", values) if emergency else []
        asked = any(code.startswith("consent.") for code in section.fates[0].said) or not section.fates[0].said
        found += self.part(section, "needed", values) if asked else []  # a page or a locked file is no question of needing it
        found += self.part(section, "after", values)
        dated = [fate for fate in section.fates if fate.dated]
        found += self.part(section, "dated", values | {"people": self.people(dated)}) if dated else []
        if not self.told.all_gone:
            return found + self.part(section, "keep", values)
        no_patient = all(NO_PATIENT in fate.reasons for fate in section.fates)  # then there is nothing to file
        return found + ([] if no_patient else self.part(section, "housekeeping", values))

    def advice(self, fate: Fate) -> str:
        """What is told beside about this person, in the notice's language where it has the words."""
        return self.language.reasons(fate.advised) or fate.advice

    def asks(self, fate: Fate) -> bool:
        """True if a reply to this notice answers about this recipient."""
        return bool(self.reply) and self.open(fate)

    def open(self, fate: Fate) -> bool:
        """True if the sender may still answer about this recipient."""
        return fate.asked and (fate.deadline is None or self.now < fate.deadline)

    def by_reply(self, section: _Section, values: Mapping[str, str]) -> list[Block]:
        """How to answer with one word: the words that send it, then those that are always possible.  [] where nobody may."""
        part = self.language.part(section.template, "reply", section.variant)
        if part is None or not all(self.asks(fate) for fate in section.fates):
            return []
        alone = len(section.fates) == 1
        given = [offer for offer in offers(section.fates[0].answers) if alone or offer.needs != "address"]
        words = [self.word(offer) for offer in (*given, *ALWAYS)]
        found = blocks(part, values, {"words": [block.text for block in words]})
        found = [next((word for word in words if block.kind == "item" and word.text == block.text), block) for block in found]
        urgent = any(offer.needs == "reason" for offer in given)
        return found + (self.part(section, "reply emergency", values) if urgent else [])

    def word(self, offer: Offer) -> Block:
        """One word, what must stand beside it, and what it means."""
        beside = self.language.part("frame", f"beside {offer.needs}") if offer.needs else None
        said = " ".join(filter(None, (tie(offer.word), sentence(beside, {}))))
        meaning = self.language.meaning(offer.meaning_key)
        return Block("item", said + (f" – {meaning}" if meaning else ""), offer.word, mailto(self.reply, offer.word, offer.needs))

    def line(self, fate: Fate, reminder: bool) -> str:
        """One line of the list: who, and what happened."""
        section = _Section(fate.template, fate.variant, (fate,))
        if reminder and (fate.template, fate.variant) in _WAITING:
            section = replace(section, template="N-1r", variant="")
        what = sentence(self.language.need(section.template, "line", section.variant), self.values(section))
        return f"{self.person(fate)}: {what}"

    def subject(self, section: _Section) -> str:
        """The subject of the part that matters most."""
        first = section.fates[0]
        other = None if first.answers else self.language.part(section.template, "subject no answers", section.variant)
        values = self.values(section) | {"ref": first.ref}
        return sentence(other or self.language.need(section.template, "subject", section.variant), values)

    def opening(self, sections: Sequence[_Section]) -> str:
        """What happened to whom: a sentence for what matters most, and for each other kind of part who that is."""
        found: list[str] = []
        there = [(s.template, s.variant) for s in sections]
        kinds = {kind: _SAME[kind] if _SAME.get(kind) in there else kind for kind in there}
        for template, variant in dict.fromkeys(kinds.values()):
            fates = tuple(f for s in sections if kinds[s.template, s.variant] == (template, variant) for f in s.fates)
            total = len(self.told.fates)
            which = "first one" if total == 1 else "first all" if len(fates) == total else "first some"
            if len(fates) == 1 < total and self.language.part(template, "first single", variant) is not None:
                which = "first single"  # for languages that change their words with the number
            said = sentence(
                self.language.need(template, "head" if found else which, variant), self.values(_Section(template, variant, fates))
            )
            found.append(f"{said}." if len(found) > 0 else said)
        return " ".join(found)


def render(
    outcomes: Sequence[Mapping[str, Any]],
    now: float,
    settings: Settings,
    templates: Templates,
    *,
    about: Collection[str] | None = None,
    reminder: bool = False,
    to: str = "",
    key: str = "",
    link: str = "",
    reply: str = "",
    answer: str = "",
) -> Notice:
    """The one notice about a message, from the meta of the outcomes of all its copies.

    ``about``: ids of the holds that changed; only they get paragraphs, the list still names everyone.  ``reminder``: about what
    still waits.  ``to``: who is told, if not whom the outcomes name.  ``key``: names the state change (Message-ID).
    ``link``: the page on which the sender answers, ``reply``: the address to which; shown to the sender only.
    ``answer``: what came of an answer (a variant of the template).  Raises ValueError when there is nothing to say.
    """
    told = merge(outcomes)
    receiver = to or addressee(told, settings)
    link, reply = (link, reply) if receiver == told.sender else ("", "")
    writer = _Writer(told, now, settings, templates.language(settings.language_of(receiver)), link, reply)
    sections = [replace(one, template=ANSWER, variant=answer) if answer else one for one in _sections(told, about, reminder)]
    if not sections:
        raise ValueError("nothing to say about this message")
    everyone = _frame(writer, "list", _list(writer, reminder))
    alike = len(sections) == 1 and len(told.fates) > MANY  # then what to do comes first, and who they were below
    content = [Block("lead", writer.opening(sections)), *([] if alike else everyone)]
    linked = next((one for one in sections if link and all(map(writer.open, one.fates))), None)  # one page answers for all
    for section in sections:
        if len(sections) > 1:
            head = writer.language.need(section.template, "head", section.variant)
            content.append(Block("head", sentence(head, writer.values(section))))
        content += writer.body(section, linked=section is linked)
    content += [*(everyone if alike else []), *_ending(writer, sections, receiver)]
    first = sections[0]
    subject = writer.subject(first)
    answers = told.message_id if receiver == told.sender and about is None and not reminder else ""
    asked = reply if any(writer.asks(fate) for section in sections for fate in section.fates) else ""
    key = key or _key(told, sections)
    headers = manners(settings.from_address, settings.domain, key, now, reply_to=asked or settings.ig_address, answers=answers)
    if told.message_id and not answers and receiver == told.sender:
        headers["References"] = told.message_id  # keeps a later notice in the thread; it is no reply (RFC 3834 3.1.5)
    return Notice(receiver, subject, as_text(content), as_html(content, subject, writer.language.name), headers)


@dataclass(frozen=True, slots=True)
class Summary:
    """How a notice begins, for the web form: what happened to whom, why it waits, and the values of the placeholders."""

    lead: str = field(repr=False)
    people: tuple[str, ...] = field(repr=False)  # one line each; () for a message with one recipient
    why: tuple[tuple[str, str], ...]  # (why, help) of each part that is about the holds asked for
    values: Mapping[str, str] = field(repr=False)  # of the first of these parts
    holds: Mapping[str, str] = field(default_factory=dict, repr=False)  # of each hold asked for: its people


def summary(
    outcomes: Sequence[Mapping[str, Any]], now: float, settings: Settings, templates: Templates, about: Collection[str]
) -> Summary:
    """The same words as the notice's, with what is true now.  Raises ValueError when there is nothing to say."""
    told = merge(outcomes)
    writer = _Writer(told, now, settings, templates.language(settings.language_of(told.sender)))
    everyone = _sections(told, None, reminder=False)
    asked = [section for section in everyone if section.fates[0].hold in about] or everyone
    if not asked:
        raise ValueError("nothing to say about this message")
    values = [writer.values(section) for section in asked]
    why = dict.fromkeys((one["why"], one["help"]) for one in values)
    people = {hold: writer.people([fate for fate in told.fates if fate.hold == hold]) for hold in about}
    return Summary(writer.opening(everyone), tuple(_list(writer, reminder=False)), tuple(why), values[0], people)


def contacts(told: Told, settings: Settings) -> dict[str, str]:
    """Whom to phone, whom to ask, what to use instead: as the IG team's policy says, else as the configuration does."""
    return {
        "ig_contact": told.contacts.get("ig") or settings.ig_contact or settings.ig_address,
        "on_call": told.contacts.get("on_call") or settings.on_call,
        "alternatives": told.contacts.get("alternatives") or settings.alternatives,
    }


def addressee(told: Told, settings: Settings) -> str:
    """The sender if a person; else the owner, else IG.  Machines, lists and null senders are never written to (RFC 3834 2)."""
    if told.sender_kind == "person" and told.sender:
        return told.sender
    return told.owner or settings.mailbox("ig")


def calls_for_notice(told: Told) -> bool:
    """Is there anybody whom the policy named a notice for?  Plain deliveries alone are not told."""
    return any((fate.template, fate.variant) != ("N-3", "plain") for fate in told.fates)


def _sections(told: Told, about: Collection[str] | None, reminder: bool) -> list[_Section]:
    groups: dict[tuple[Any, ...], list[Fate]] = {}
    for fate in told.fates:
        if about is not None and fate.hold not in about:
            continue
        if reminder and (fate.template, fate.variant) not in _WAITING:
            continue
        told_apart = (fate.why, fate.help, fate.answers, fate.releases, fate.code, fate.meant)
        same = () if fate.template in ("N-3", "N-6") else told_apart
        groups.setdefault((fate.template, fate.variant, *same), []).append(fate)
    found = [_Section(group[0].template, group[0].variant, tuple(group)) for group in groups.values()]
    if reminder:
        return [replace(section, template="N-1r", variant="") for section in found]
    return sorted(found, key=lambda s: ORDER.index((s.template, s.variant)))


def _list(writer: _Writer, reminder: bool) -> list[str]:
    return [writer.line(fate, reminder) for fate in writer.told.fates] if len(writer.told.fates) > 1 else []


def _frame(writer: _Writer, name: str, items: Sequence[str] = ()) -> list[Block]:
    if name == "list" and not items:
        return []
    return blocks(writer.need(name), writer.common(), {"list": items})


def _ending(writer: _Writer, sections: Sequence[_Section], receiver: str) -> list[Block]:
    told = writer.told
    over = all(fate.gone or fate.state == "answered" for section in sections for fate in section.fates)
    found = [] if over else _frame(writer, "urgent")
    asked = any(writer.asks(fate) for section in sections for fate in section.fates)
    by_word = writer.language.part("frame", "questions word") if asked else None
    found += blocks(by_word, writer.common()) if by_word else _frame(writer, "questions")
    found += _frame(writer, "reference")
    if receiver != told.sender:
        found += _frame(writer, "owner" if receiver == told.owner else "nobody")
    return found + _frame(writer, "manners")


def _answers(offered: Sequence[str]) -> tuple[tuple[str, ...], str]:
    """The words offered without the emergency one, and the emergency one."""
    urgent = [answer for answer in offered if "emergency" in answer.lower()]
    return tuple(answer for answer in offered if answer not in urgent), urgent[0] if urgent else ""


def _offer(answer: str, language: Language) -> str:
    meaning = language.meaning(answer)
    return tie(answer) + (f" – {meaning}" if meaning else "")


def _key(told: Told, sections: Sequence[_Section]) -> str:
    """Names message and state change without naming people."""
    states = sorted(f"{fate.address} {fate.state}" for section in sections for fate in section.fates)
    return hashlib.sha256("\n".join([*told.refs, told.message_id, *states]).encode()).hexdigest()
