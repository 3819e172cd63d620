"""The words of the sender's way on: what a hold offers, what was answered, what came of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

REPLY, FORM = "reply", "form"

# What stands beside the words that a hold offers: always possible, whatever was asked.
ASK_IG, DELETE, HELP = "ASK IG", "DELETE", "HELP"

OUTCOMES: Final = ("released", "asked-ig", "deleted", "help", "not-understood", "spent", "refused", "too-late")


class BadSecret(Exception):
    """Not a secret of ours, or not for this way.  Says nothing of what was given."""


class Spent(Exception):
    """The question was answered or has ended.  ``outcome``: how (released | asked-ig | deleted | too-late | spent)."""

    def __init__(self, outcome: str, ref: str) -> None:
        super().__init__(f"{ref} waits for no answer any more: {outcome}")
        self.outcome, self.ref = outcome, ref


@dataclass(frozen=True, slots=True)
class Offer:
    """One word the sender may answer with.

    ``word``: as it is replied or clicked ("VERBAL", "NOT PATIENT", "EMERGENCY").  ``tag``: the consent tag the hold offered and
    the policy simulated to delivery ("[consent verbal]"); "" for ASK IG, DELETE and HELP.  ``meaning_key``: what
    ``Language.meaning`` is asked for.  ``needs``: "" | "reason" (10 letters or more) | "address" (the recipient's, typed again) |
    "number" (an approval number).
    """

    word: str
    tag: str
    meaning_key: str
    needs: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """What the sender of one message is asked: all its holds that still wait for the sender, as one question.

    ``offers``: words that let something go, in the rules' order; ASK IG, DELETE and HELP are always possible beside.
    ``sent``, ``deadline``: POSIX seconds.  ``state``: of the holds ("ASKED").
    """

    ref: str
    message: str
    sender: str = field(repr=False)
    sent: float
    holds: tuple[str, ...]
    recipients: tuple[str, ...] = field(repr=False)
    offers: tuple[Offer, ...]
    deadline: float
    state: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the sender answered.

    ``word``: an offer's word, or ASK IG, DELETE, HELP.  ``text``: what the offer needs beside (reason, address, number); kept
    only sealed or while the release needs it, never logged.  ``by``: who answered (address).  ``way``: "reply" | "form".
    """

    word: str
    text: str = field(default="", repr=False)
    by: str = field(default="", repr=False)
    way: str = REPLY
    informed: tuple[str, ...] = ()  # what the sender ticked that the patient was told (``notices.placeholders.TICKS``)


@dataclass(frozen=True, slots=True)
class Told:
    """What came of an answer.  ``outcome``: one of ``OUTCOMES``.  ``words``: what may be answered now (not-understood, help)."""

    outcome: str
    ref: str
    words: tuple[str, ...] = ()
