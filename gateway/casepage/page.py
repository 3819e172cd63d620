"""A mail's file as sections of short sentences; how they are printed is ``gateway.casepage.show``'s business."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any, Final

from gateway.casepage import words
from gateway.casepage.rules import RuleBook
from policies.explain import sentences
from policies.onfile import uses
from policies.trial.phrases import CLASSES, KINDS
from policies.vocabulary import PURPOSES
from quarantine.consents.model import ENDING, SYSTEM, Entry
from quarantine.ledger.casefile import Mail, Person, Picture

_UNKNOWN: Final = "delivery-unknown"  # gateway.outcomes.fates.SPENT: it may have gone, and is not sent again by itself
_NO_RULE: Final = (_UNKNOWN, "next-hop-temporary", "withdrawn")  # of gateway.outcomes: what stands where a rule would
_MOMENT: Final = 60.0  # seconds; times of day are told to the minute
_WAITING: Final = ("held", "deferred")
_SENDER: Final = "sender"
_BY_THEMSELVES: Final = {"system": "Our system", _SENDER: "The sender"}  # roles that need no name beside


@dataclass(frozen=True, slots=True)
class Section:
    """``lines`` are sentences; ``items`` are further paragraphs, each with a heading."""

    title: str
    lines: tuple[str, ...] = ()
    items: tuple[tuple[str, tuple[str, ...]], ...] = ()


@dataclass(frozen=True, slots=True)
class Page:
    """``plain`` is for the patient, ``file`` for the file."""

    title: str
    about: tuple[str, ...]
    plain: tuple[tuple[str, tuple[Section, ...]], ...]  # one for each email: its heading and sections
    file: tuple[tuple[str, tuple[Section, ...]], ...]


def page(mails: Sequence[Mail], book: RuleBook, now: float, by: str, stopped: Sequence[float] = ()) -> Page:
    """The whole page; several emails stand below each other, the oldest first.  ``stopped``: when others came, not kept."""
    about = [f"This page was made on {when(now)} by {by}.", "It says what our email system has noted."]
    if len(mails) > 1:
        about.append(f"It is about {len(mails)} emails.")
    if stopped:
        more = "One more email" if len(stopped) == 1 else f"{len(stopped)} more emails"
        about.append(
            f"{more} that said something of this patient's agreement went to nobody, and no copy was kept: "
            f"{_listed([when(at) for at in stopped])}. Emails that said nothing of it and went to nobody are not counted here."
        )
    return Page(
        title="What happened to the pictures",
        about=tuple(about),
        plain=tuple((f"The email of {when(mail.at)}, {_refs(mail)}", tuple(_plain(mail, book))) for mail in mails),
        file=tuple((f"Email {_refs(mail)}", tuple(_file(mail, book))) for mail in mails),
    )


def _refs(mail: Mail) -> str:
    return f"reference{'s' if len(mail.refs) > 1 else ''} {_listed(mail.refs)}" if mail.refs else "no reference"


# -- for the patient -----------------------------------------------------------------------------------------------------


def _plain(mail: Mail, book: RuleBook) -> Iterator[Section]:
    sender = mail.sender or "Somebody whose name has been erased"
    yield Section("Who sent it, and when", (f"{sender} sent an email on {when(mail.at)}.",))
    yield Section("Which pictures were in it", tuple(_pictures(mail.pictures)))
    yield Section("Who it was for, and what became of it", (), tuple(_to(person, mail, book) for person in mail.people))
    yield Section("What was taken out of the pictures first", tuple(_removed(mail)))
    yield Section("What the patient has said to us", tuple(_on_file(mail)))
    if mail.steps:
        yield Section("What people decided", tuple(_steps(mail)))
    if mail.emergencies:
        yield Section("Sent as an emergency", tuple(_emergencies(mail)))
    if mail.letters:
        yield Section("Asking for the pictures to be deleted", tuple(_letters(mail)))
    yield Section("Who was told", tuple(_told(mail)))
    yield Section("Who has looked at this record", tuple(_looks(mail)))
    yield Section("What we no longer have", tuple(_missing(mail, book)))


def _pictures(pictures: Sequence[Picture]) -> Iterator[str]:
    if not pictures:
        yield "No picture is noted."
        return
    kinds = Counter(KINDS.get(one.kind, "a picture") for one in pictures)
    told = [f"{count} times {kind}" if count > 1 else kind for kind, count in kinds.items()]
    yield f"{'One picture' if len(pictures) == 1 else f'{len(pictures)} pictures'}: {', '.join(told)}."
    prints = ", ".join(one.image[:8] for one in pictures)
    yield f"This record holds no picture. It holds a print of each, like a fingerprint: {prints}."


def _to(person: Person, mail: Mail, book: RuleBook) -> tuple[str, tuple[str, ...]]:
    name = person.address or f"somebody at {person.domain or 'an address we no longer have'}"
    state = "unknown" if person.rule == _UNKNOWN and person.state in _WAITING else person.state
    lines = [words.STATES.get(state, "We do not know what became of it.").format(domain=person.domain or "the recipient")]
    if person.state == "delivered":
        if person.at > mail.at + 60:
            lines.append(f"That was on {when(person.at)}.")
        lines += _protected(person)
    lines += _said(person)
    if person.released_role == _SENDER:
        lines.append("The sender's answer let it go.")
    elif person.released_by:
        lines.append(f"{person.released_by} ({words.ROLES.get(person.released_role, person.released_role)}) let it go.")
    lines += _why(person, book)
    return f"{name} ({CLASSES.get(person.cls, 'a recipient')})", tuple(lines)


def _protected(person: Person) -> Iterator[str]:
    if person.mode == "observe":
        yield "Our system was only watching then. The email went as it came. Nothing was taken out and nothing was locked."
    elif person.mode == "advise":
        yield "Our system gave advice only then. It stopped nothing."
    elif person.method == "route":
        yield "It went over a secure line."
    elif person.method == "smime":
        yield "It was locked, so that only this person could open it."
    elif person.cls == "O":
        yield "It stayed inside the organisation."
    elif person.method:
        yield "It went without extra protection."


def _said(person: Person) -> Iterator[str]:
    told = person.statement
    if not told:
        yield "Nobody had written whether the patient agreed."
        return
    who = words.GIVERS.get(str(told.get("given_by", "")), "the patient")
    first = words.STATUSES.get(str(told.get("status", "")), "The sender wrote something about agreement").format(who=who)
    form = words.FORMS.get(str(told.get("form", "")), "")
    where = words.CARRIERS.get(str(told.get("carrier", "")), "")
    if told.get("carrier") == "release" and person.released_role == _SENDER:
        where = "in the answer to our notice"
    elif told.get("carrier") == "release" and person.released_by:  # then it is the reviewer's word
        first = first.replace("The sender", person.released_by, 1)
    yield " ".join(filter(None, (first, form))) + "." + (f" This was written {where}." if where else "")
    yield from _details(told, person.state == "delivered")


def _details(told: Any, gone: bool) -> Iterator[str]:
    """The rest of a statement, as far as it says something.  ``gone``: the email was passed on to this person."""
    if told.get("basis"):
        yield f"The reason given: {words.BASES.get(str(told['basis']), str(told['basis']))}."
    if told.get("purpose"):
        use = words.USES.get(PURPOSES.get(str(told["purpose"]), ""), str(told["purpose"]))
        meant = f"The pictures were sent {use}." if gone else f"The sender wanted to send the pictures {use}."
        yield f"Nobody wrote what for. We took it to be {use}." if told.get("inferred") else meant
    if told.get("scope"):
        yield f"They may be used for: {_listed([words.SCOPES.get(str(one), str(one)) for one in told['scope']])}."
    if told.get("informed"):
        yield f"The patient had been told: {_listed([words.INFORMED.get(str(one), str(one)) for one in told['informed']])}."
    if told.get("dated"):
        yield f"The agreement is of {day(str(told['dated']))}."
    if told.get("expires"):
        yield f"It counts until {day(str(told['expires']))}."


def _why(person: Person, book: RuleBook) -> Iterator[str]:
    found = sentences(person.reasons)
    if found and person.state not in ("delivered", "failed"):  # what the other side did not take was allowed to go
        yield f"Why: {' '.join(found)}"
    if person.stopped:
        first = "Our rule {} had stopped it first"
        yield from _by_rule(first, person.stopped_policy, person.stopped, person.stopped_source, book)
    if person.rule and person.rule != person.stopped:
        first = "It then went by our rule {}" if person.released_by else "It was decided by our rule {}"
        yield from _by_rule(first, person.policy, person.rule, person.source, book)


def _by_rule(first: str, policy: str, rule: str, source: tuple[str, ...], book: RuleBook) -> Iterator[str]:
    if rule in _NO_RULE:
        yield f"Our system did this by itself ({rule}); no rule decided it."
        return
    text = book.rule(policy, rule)
    source = source or (text.source if text else ())
    yield first.format(rule) + (f", which comes from {'; '.join(source)}." if source else ".")
    if text is not None:
        yield f"The rule says: {_rule(text.lines)}"


def _rule(lines: Sequence[str]) -> str:
    """A rule's lines (``policies.trial.phrases``) as one sentence: its conditions and what then happens, not what is told."""
    body = [line.strip() for line in lines[1:]]
    upto = next((at for at, line in enumerate(body, 1) if line.startswith("then ")), len(body))
    return " ".join(re.sub(r"^(if|and|then) +", r"\1 ", line) for line in body[:upto])


def _removed(mail: Mail) -> Iterator[str]:
    stripped = [person for person in mail.people if person.state == "delivered" and person.stripped]
    gone = [person for person in mail.people if person.state == "delivered"]
    if not gone:
        yield "The email has gone to nobody, so nothing was taken out."
        return
    if not stripped:
        yield "Nothing was taken out."
        return
    codes = [code for picture in mail.pictures for code in picture.codes if code not in words.KEPT]
    told = list(dict.fromkeys(text for code, text in words.FINDINGS.items() if code in codes))
    more = bool(set(codes) - set(words.FINDINGS))
    if told or more:
        found = _listed([*told, *(["other hidden details of the file"] if more else [])])
        yield f"{found[0].upper()}{found[1:]}."
    yield "The pictures look the same as before." if len(stripped) == len(gone) else "Not everybody got the cleaned pictures."


def _on_file(mail: Mail) -> Iterator[str]:
    if not mail.on_file:
        yield "It is not noted that anybody said no, or took agreement back."
    if not mail.patients:
        yield "The email gave no number of a patient, so we looked by its pictures only."
    who = "the patient" if len(mail.patients) < 2 else "one of the patients"
    for one in mail.on_file:
        left = [words.USES.get(use, use) for use in sorted(uses(one.scope, one.purposes))]
        told = words.ON_FILE[one.status].format(who=who, uses=_listed(left) or "none")
        only = "" if one.patient or not mail.patients else " This is about a picture of this email only."
        noted = "An email said so" if one.actor == SYSTEM else f"{one.actor} noted it"
        yield f"{day(one.since)}: {told}.{only} {noted} on {when(one.noted)}.{_gone(mail, one)}"


def _gone(mail: Mail, word: Entry) -> str:
    """Had the email gone when we were told not to send?"""
    sent = [person.at for person in mail.people if person.state == "delivered"]
    at_once = word.actor == SYSTEM and abs(word.noted - mail.at) < _MOMENT  # this very email may have said so
    if word.status not in ENDING or not sent or at_once:
        return ""
    before = sum(at < word.noted for at in sent)
    if before == len(sent):
        return " This email had gone by then."
    return " Some copies of this email had gone by then." if before else " This email went later."


def _steps(mail: Mail) -> Iterator[str]:
    for step in mail.steps:
        role = words.ROLES.get(step.role, step.role)
        who = _BY_THEMSELVES.get(step.role) or f"{step.who} ({role})"
        yield f"{when(step.at)}: {who} {words.EVENTS.get(step.event, step.event)}."


def _emergencies(mail: Mail) -> Iterator[str]:
    for one in mail.emergencies:
        yield "The sender wrote that it was an emergency, so it did not wait."
        yield words.VERDICTS.get(one.verdict, one.verdict)
        if one.reviewed is not None:
            yield f"{one.reviewer} reviewed it on {when(one.reviewed)}."
        yield f"The patient was told on {day(one.informed)}." if one.informed else "It is not noted that the patient was told."


def _letters(mail: Mail) -> Iterator[str]:
    for one in mail.letters:
        told = words.LETTERS.get(one.state, one.state)
        sent = f" It was sent on {when(one.sent)}." if one.sent is not None else ""
        answer = f" The answer came on {when(one.confirmed)}." if one.confirmed is not None else ""
        yield f"A letter to {one.domain} {told}.{sent}{answer}"


def _told(mail: Mail) -> Iterator[str]:
    done = [(one.done, one) for one in mail.told if one.state == "done" and one.done is not None]
    for at, one in done:
        yield f"{when(at)}: {words.ROLES.get(one.role, one.role)}, {words.NOTICES.get(one.kind, 'about the email')}."
    if not done:
        yield "Nobody was told by our system."


def _looks(mail: Mail) -> Iterator[str]:
    seen = Counter((look.who, words.LOOKS.get(look.what.partition(" ")[0], words.LOOKS["looked"])) for look in mail.looks)
    last = {(look.who, words.LOOKS.get(look.what.partition(" ")[0], words.LOOKS["looked"])): look.at for look in mail.looks}
    for (who, what), count in seen.items():
        times = "once" if count == 1 else f"{count} times"
        yield f"{who or 'Somebody'} looked at {what} {times}, last on {when(last[who, what])}."
    if not seen:
        yield "Nobody has looked at it before now."


def _missing(mail: Mail, book: RuleBook) -> Iterator[str]:
    codes = list(mail.missing)
    decided = [person for person in mail.people if person.rule]
    if any(person.policy and book.rule(person.policy, person.rule) is None for person in decided if _is_rule(person.rule)):
        codes.append("rule-gone")
    yield from (words.MISSING[code] for code in codes or ["nothing"])


def _is_rule(rule: str) -> bool:
    """Floor, guard and troubles of the program are decided outside the rules."""
    return rule.upper() == rule


# -- for the file --------------------------------------------------------------------------------------------------------


def _file(mail: Mail, book: RuleBook) -> Iterator[Section]:
    yield Section("Email", tuple(_pairs({
        "message": mail.message, "came": iso(mail.at), "sender (keyed hash)": mail.sender_hash,
        "sender group": mail.sender_group, "patients (keyed hashes)": ", ".join(mail.patients) or "none named",
    })))  # fmt: skip
    yield Section("Pictures", (), tuple((one.image, tuple(_pairs(_print(one)))) for one in mail.pictures))
    yield Section("Recipients", (), tuple((one.address or one.hash, tuple(_pairs(_fate(one)))) for one in mail.people))
    yield Section("Rules as then in force", (), tuple(_rules(mail, book)))
    yield Section("Moves", tuple(f"{iso(s.at)} {s.ref} {s.event} -> {s.to} by {s.who} ({s.role}) {s.reason}" for s in mail.steps))
    yield Section("Notices", tuple(f"{iso(one.done or one.due)} {one.kind} to {one.role}: {one.state}" for one in mail.told))
    yield Section("Consent register", tuple(map(_word, mail.on_file)))
    yield Section("Looks", tuple(f"{iso(one.at)} {one.who} {one.what}" for one in mail.looks))


def _print(one: Picture) -> dict[str, str]:
    sent = ", ".join(one.sent) or "not sent"
    return {"as sent": sent, "kind": one.kind, "format": one.format, "found": " ".join(one.codes)}


def _word(one: Entry) -> str:
    left = f" {' '.join((*one.scope, *one.purposes))}" if one.scope or one.purposes else ""
    return f"{iso(one.noted)} {one.status}{left} since {iso(one.since)} {one.subject} by {one.actor} ({one.role}) {one.reason}"


def _fate(one: Person) -> dict[str, str]:
    return {
        "keyed hash": one.hash, "state": one.state, "at": iso(one.at), "class": one.cls, "mode": one.mode, "rule": one.rule,
        "source": "; ".join(one.source), "reasons": " ".join(one.reasons), "policy": one.policy, "method": one.method,
        "protection": one.protection, "statement": _statement(one), "hold": one.hold, "stopped by": one.stopped,
        "released by": f"{one.released_by} ({one.released_role})" if one.released_by else "",
    }  # fmt: skip


def _rules(mail: Mail, book: RuleBook) -> Iterator[tuple[str, tuple[str, ...]]]:
    stopped = [(person.stopped_policy, person.stopped) for person in mail.people if person.stopped]
    for policy, rule in dict.fromkeys([*stopped, *((person.policy, person.rule) for person in mail.people if person.rule)]):
        text = book.rule(policy, rule)
        lines = (*text.lines, f"Last reviewed: {text.reviewed}") if text else ("Its words are not kept here.",)
        yield f"{rule} of policy {policy[:12]}", lines


def _pairs(told: dict[str, str]) -> Iterator[str]:
    return (f"{name}: {text}" for name, text in told.items() if text)


def _statement(person: Person) -> str:
    told = person.statement
    return "; ".join(f"{name}={' '.join(map(str, v)) if isinstance(v, list | tuple) else v}" for name, v in told.items())


# -- small words ---------------------------------------------------------------------------------------------------------


def when(at: float) -> str:
    """ "Monday 23 November 2026 at 14:05"; local time."""
    return datetime.fromtimestamp(at, UTC).astimezone().strftime("%A %-d %B %Y at %H:%M")


def day(at: str | float) -> str:
    """An ISO day, or the local day of a moment, as people say it; a text that is none stays as it is."""
    try:
        found = date.fromisoformat(at) if isinstance(at, str) else datetime.fromtimestamp(at, UTC).astimezone()
    except ValueError:
        return str(at)
    return found.strftime("%-d %B %Y")


def iso(at: float) -> str:
    """UTC, to the second."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _listed(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)
