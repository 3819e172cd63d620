"""Replies that the gateway handed over: who wrote them, what they say, and what comes of it.  Applied once, whatever crashes.

Accepted is an answer only with all of: a secret of ours that is not spent; a listener that vouches for the envelope sender; an
envelope sender that is the hold's, or a listed delegate of theirs; a person as its writer; one offered word of their own.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import structlog

from quarantine import reading as objects
from quarantine.answers import ownwords, told
from quarantine.answers.desk import Answers
from quarantine.answers.model import REPLY, Answer, BadSecret, Question, Spent, Told
from quarantine.answers.ownwords import NotReadable, Written
from quarantine.answers.reading import Why, read
from quarantine.answers.secrets import reply_address
from quarantine.model import HoldRow, ObjectKind, SealedObject
from quarantine.records import Records
from quarantine.settings import Replies
from quarantine.stores.api import Place, Store

log = structlog.get_logger()
# What speaks against believing who wrote a reply.  That From may differ is for delegates, who write on somebody's behalf.
NOT_BELIEVED: Final = frozenset({"identity.not-vouched", "identity.not-authenticated", "identity.null-sender"})
REDIRECT: Final = "redirect."
MADE_BY_PROGRAMS: Final = frozenset({"redirect.auto-submitted", "redirect.list"})

_TOLD: Final = {"not-understood": "unclear", "spent": "spent", "too-late": "late", "refused": "refused"}  # → notices' variants
DAY = 86400.0
ERASED = 8192  # octets that surely hold header and wrapped key


class Inbox:
    """Takes replies in.  Its caller holds one transaction around ``take``."""

    def __init__(self, answers: Answers, records: Records, settings: Replies) -> None:
        self._answers, self._records, self._settings = answers, records, settings

    def take(self, obj: SealedObject, now: float) -> str:
        """What came of one reply: one of ``model.OUTCOMES``, bad-secret or automatic.  A second time nothing comes of it.

        Raises ``quarantine.reading.Unreadable`` for an object that does not say what it must.
        """
        if (known := self._records.reply(obj.id)) is not None:
            return known
        try:
            hold, outcome = self._judge(obj.meta, obj.content, now)
        except (KeyError, TypeError, ValueError, AttributeError, NotReadable):
            raise objects.Unreadable("reply") from None
        self._records.add_reply(obj.id, now, hold, outcome)
        log.info("answer.judged", outcome=outcome, hold=hold)
        return outcome

    def _judge(self, meta: Mapping[str, Any], content: bytes, now: float) -> tuple[str, str]:
        secret = str(meta["secret"])
        try:
            row = self._answers.first_hold(secret, REPLY)
        except BadSecret:
            return "", "bad-secret"
        sender, codes = str(meta["envelope"].get("sender") or ""), set(meta["identity"]["codes"])
        if not sender or codes & MADE_BY_PROGRAMS:
            return row.id, "automatic"
        if not believed(codes) or not self._settings.may_answer(row.sender, sender):
            return row.id, self._tell(row, Told("refused", row.ref), now)
        written = ownwords.read(content, (row.ref, reply_address(secret, self._settings.domain)))  # of nobody else is it read
        if written.automatic:
            return row.id, "automatic"
        return row.id, self._answer(secret, row, written, sender, now, min(now, float(meta["created"])))

    def _answer(self, secret: str, row: HoldRow, written: Written, sender: str, now: float, came: float) -> str:
        """``came``: when the gateway took the reply; one that came in time counts, however long it lay here."""
        try:
            question = self._answers.question(secret, came, REPLY)
        except Spent as error:
            return self._tell(row, Told("too-late" if error.outcome == "too-late" else "spent", error.ref), now)
        return self._tell(row, self._understood(secret, question, written, sender, came), now)

    def _understood(self, secret: str, question: Question, written: Written, sender: str, came: float) -> Told:
        said = read(written, question.offers)
        if not said.word:
            log.info("answer.not-understood", why=str(said.why or Why.UNKNOWN))
            return Told("not-understood", question.ref)
        return self._answers.answer(secret, Answer(said.word, said.text, sender, REPLY), came)

    def _tell(self, row: HoldRow, answer: Told, now: float) -> str:
        """The notices that the desk does not promise itself, to the hold's own sender whoever wrote."""
        variant = _TOLD.get(answer.outcome)
        if answer.outcome == "not-understood" and len(answer.words) == 1:  # the word was read; what it needs beside was not there
            variant = "missing"
        if variant is not None:
            told.about_answer(self._records, row, variant, now)
        return answer.outcome


def erase(store: Store, records: Records, settings: Replies, now: float) -> int:
    """Erase sealed replies that have been kept long enough; how many.  Raises StoreError, sqlite3.Error: tried again."""
    old = records.old_replies(now - settings.keep_days * DAY)
    for reply in old:
        store.delete(reply, ObjectKind.REPLY, Place.HELD, erase=ERASED)
        records.reply_purged(reply, now)
    return len(old)


def believed(codes: Iterable[str]) -> bool:
    """True if the listener answers for the envelope sender and nothing shows that a machine passed the reply on."""
    said = set(codes)
    return not said & NOT_BELIEVED and not any(code.startswith(REDIRECT) for code in said)
