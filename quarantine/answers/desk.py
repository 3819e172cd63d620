"""Where a sender's answer is taken: by reply and in the web form alike, in one transaction, once."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from quarantine import ops, roles
from quarantine.answers import told
from quarantine.answers.model import ASK_IG, DELETE, FORM, HELP, Answer, BadSecret, Offer, Question, Spent, Told
from quarantine.answers.secrets import Secrets, named
from quarantine.answers.words import ADDRESS, ALWAYS, EMERGENCY_REASON, NUMBER, offers
from quarantine.deadlines import expiry
from quarantine.model import HoldRow, State
from quarantine.records.holds import Change
from quarantine.state import Event, move

SENDER, DELEGATE = "sender", "delegate"  # the actor in history and audit: never an address
COPIES: Final = 900.0  # seconds within which an upstream hands on the copies into which it split one message
_ENDED: Final = {
    State.RELEASING: "released",
    State.RELEASED: "released",
    State.QUARANTINED: "asked-ig",
    State.DELETED: "deleted",
    State.EXPIRED: "too-late",
    State.REFUSED: "refused",
}
_NOT_GONE: Final = (State.ASKED, State.QUARANTINED, State.DEFERRED)
_NUMBER: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9/_.\-]{2,63}")
_UNSAFE: Final = re.compile(r"[\[\](){}<>\x00-\x1f\x7f]")


class Answers:
    """The sender's side of the desk.  ``secrets`` are made with the release key."""

    def __init__(self, desk: ops.Desk, secrets: Secrets) -> None:
        self._desk, self._secrets = desk, secrets

    def question(self, secret: str, now: float, way: str = FORM) -> Question:
        """What this secret asks its sender.  Changes nothing.  Raises ``BadSecret`` or ``Spent``."""
        return self._question(self.first_hold(secret, way), now)

    def answer(self, secret: str, answer: Answer, now: float) -> Told:
        """Do what the sender answered, in one transaction; only an accepted answer spends the secret.

        ``answer.way`` says which kind of secret it is; who answered was checked by the caller.  Raises ``BadSecret``.
        """
        with self._desk.records.transaction():  # the hold is read inside: of two answers at one moment the second sees the first
            row = self.first_hold(secret, answer.way)
            try:
                question = self._question(row, now)
            except Spent as error:
                return Told(error.outcome if error.outcome == "too-late" else "spent", error.ref)
            return self._take(question, answer, now)

    def first_hold(self, secret: str, way: str) -> HoldRow:
        """The hold a secret was made for, whatever its state.  Raises ``BadSecret``."""
        row = self._desk.records.hold(named(secret).hold)
        if row is None or not row.sender or row.sender_kind != "person":
            raise BadSecret("not a secret of ours")
        self._secrets.verify(secret, row.sender, way)
        return row

    def _question(self, row: HoldRow, now: float) -> Question:
        waiting = [one for one in self._together(row) if one.state is State.ASKED and now < one.deadline]
        if not waiting:
            raise Spent(_ENDED.get(row.state, "too-late"), row.ref)
        found: dict[str, Offer] = {}
        for one in waiting:
            for offer in self._offers(one):
                found.setdefault(offer.word, offer)
        return Question(
            ref=row.ref,
            message=row.message,
            sender=row.sender,
            sent=row.created,
            holds=tuple(one.id for one in waiting),
            recipients=tuple(address for one in waiting for address in self._waiting(one)),
            offers=tuple(found.values()),
            deadline=min(one.deadline for one in waiting),
            state=waiting[0].state.value,
        )

    def _together(self, row: HoldRow) -> list[HoldRow]:
        """The holds of one message as its sender sees it, ``row`` first: also of the copies an upstream made of it."""
        records, found = self._desk.records, {row.id: row}
        images = records.hold_images(row.id)
        for hold in self._named(row.message):
            one = records.hold(hold)
            if one is None or one.sender.casefold() != row.sender.casefold() or abs(one.created - row.created) > COPIES:
                continue
            if one.message == row.message or records.hold_images(one.id) == images:  # a Message-ID alone may be used twice
                found.setdefault(one.id, one)
        return list(found.values())

    def _named(self, message: str) -> Iterator[str]:
        records = self._desk.records
        yield from (row.id for row in records.holds_of(message) if message)
        for merge in {one.merge for one in records.outcomes(message)} if message else ():
            for outcome in records.outcomes_merged(merge):
                yield from (str(line["hold"]) for line in outcome.meta.get("recipients", ()) if line.get("hold"))

    def _waiting(self, row: HoldRow) -> list[str]:
        return [one.address for one in self._desk.records.recipients(row.id) if one.state == "held"]

    def _offers(self, row: HoldRow) -> tuple[Offer, ...]:
        """What the sender may decide; an address to be typed again can be that of one recipient only."""
        if not roles.may_decide(roles.SENDER, row.releases, row.reasons):
            return ()
        alone = len(self._waiting(row)) == 1
        return tuple(offer for offer in offers(row.answers) if alone or offer.needs != "address")

    def _take(self, question: Question, answer: Answer, now: float) -> Told:
        word = " ".join(answer.word.upper().split())
        rows = [row for row in map(self._desk.records.hold, question.holds) if row is not None]
        if word == HELP:
            told.help_asked(self._desk.records, rows[0], now)
            return Told("help", question.ref, words_of(question))
        if word == DELETE:
            for row in self._together(rows[0]):  # to nobody, whoever else decides about a part of it: perhaps the patient said no
                if row.state in _NOT_GONE:
                    self._delete(row, answer, now)
            return Told("deleted", question.ref)
        if word == ASK_IG:
            for row in rows:
                self._ask_ig(row, answer, now)
            return Told("asked-ig", question.ref)
        return self._release(question, rows, word, answer, now)

    def _release(self, question: Question, rows: list[HoldRow], word: str, answer: Answer, now: float) -> Told:
        """Let go every hold that offers this word."""
        chosen = [(row, offer) for row in rows for offer in self._offers(row) if offer.word == word]
        statements = [(row, offer, statement_of(offer, answer.text, self._waiting(row))) for row, offer in chosen]
        if not chosen or any(statement is None for *_, statement in statements):
            return Told("not-understood", question.ref, (word,) if chosen else words_of(question))
        for row, offer, statement in statements:
            why = (answer.way, answer.text) if offer.needs == "reason" else None
            ops.release(
                self._desk, row.id, self._actor(row, answer), statement=statement, sender=True, emergency=why,
                informed=answer.informed,
            )  # fmt: skip
            self._note(row, word, answer, now)
        return Told("released", question.ref, (word,))

    def _delete(self, row: HoldRow, answer: Answer, now: float) -> None:
        ops.delete(self._desk, row.id, self._actor(row, answer), "answered.delete", sender=True)
        self._note(row, DELETE, answer, now)

    def _ask_ig(self, row: HoldRow, answer: Answer, now: float) -> None:
        """To the reviewers, with a reviewers' deadline from now on."""
        records, actor = self._desk.records, self._actor(row, answer)
        change = Change(deadline=expiry(now, "QUARANTINE", row.urgency, self._desk.settings.deadlines))
        moved = move(records, row, Event.ASK_IG, actor, roles.SENDER, now, reason="answered.ask-ig", change=change)
        self._desk.audit.decided(moved, Event.ASK_IG, actor, roles.SENDER, "answered.ask-ig")
        for mark in ("reminded", "escalated"):
            records.mark(row.id, mark, None)
        told.ig_asked(records, moved, now)
        self._note(row, ASK_IG, answer, now)

    def _note(self, row: HoldRow, word: str, answer: Answer, now: float) -> None:
        self._desk.records.add_answer(row.id, now, word, answer.way)
        self._desk.audit.answered(row, word, answer.way, answer.by)

    def _actor(self, row: HoldRow, answer: Answer) -> str:
        return DELEGATE if answer.by and answer.by.strip().casefold() != row.sender.strip().casefold() else SENDER


def words_of(question: Question) -> tuple[str, ...]:
    """Every word that may be answered now."""
    return tuple(offer.word for offer in (*question.offers, *ALWAYS))


def statement_of(offer: Offer, text: str, recipients: list[str]) -> str | None:
    """The tag as the sender would have written it; None if what must stand beside the word is missing or not right."""
    said = " ".join(_UNSAFE.sub(" ", text).split())
    if offer.needs == "reason":
        return f"[emergency: {said[:200]}]" if len(said) >= EMERGENCY_REASON else None
    if offer.needs == "address":
        typed = said.strip("<>.,;:").casefold()
        return ADDRESS.sub(lambda _: typed, offer.tag) if [typed] == [one.casefold() for one in recipients] else None
    if offer.needs == "number":
        number = said.partition(" ")[0].strip(".,;:")
        return NUMBER.sub(lambda _: number, offer.tag) if _NUMBER.fullmatch(number) and any(map(str.isdigit, number)) else None
    return offer.tag
