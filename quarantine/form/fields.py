"""What the page offers and what it sends back, as values.  Pure: no clock, no network, no records."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from quarantine.answers.model import ASK_IG, DELETE, Question
from quarantine.answers.words import EMERGENCY
from quarantine.notices.placeholders import TICKS

LONGEST: Final = {"reason": 200, "address": 320, "number": 64}  # characters of what is typed beside a word
REASSURED: Final = "reassured"  # the tick for intimate pictures only (guidance S1-10)
_NONCE: Final = b"clinigate-form-nonce-v1"


@dataclass(frozen=True, slots=True)
class Choice:
    """One answer on the page.  ``name``: of its text field.  ``consent``: a patient agreed, so that the ticks belong to it."""

    word: str
    meaning_key: str
    needs: str
    name: str
    consent: bool = False
    intimate: bool = False


@dataclass(frozen=True, slots=True)
class Filled:
    """What was sent: shown again when something is wrong with it, else the answer."""

    word: str = ""
    texts: Mapping[str, str] = field(default_factory=dict, repr=False)
    ticks: frozenset[str] = frozenset()
    by: str = field(default="", repr=False)

    def text(self, choice: Choice) -> str:
        """What was typed beside this choice."""
        return self.texts.get(choice.name, "")


def choices(question: Question) -> tuple[Choice, ...]:
    """The offers in the rules' order, the emergency after them; asking IG and deleting are always possible."""
    offered = sorted(question.offers, key=lambda offer: offer.word == EMERGENCY)
    found = [
        Choice(
            offer.word, offer.meaning_key, offer.needs, f"text-{number}", offer.tag.lower().startswith("[consent"),
            "intimate" in offer.tag.lower(),
        )
        for number, offer in enumerate(offered)
    ]  # fmt: skip
    return (*found, *(Choice(word, word.lower(), "", "") for word in (ASK_IG, DELETE)))


def ticks(offered: Sequence[Choice]) -> tuple[str, ...]:
    """The checklist of informed consent (S0-14): only where consent is offered; reassurance only for intimate pictures."""
    if not any(choice.consent for choice in offered):
        return ()
    intimate = any(choice.intimate for choice in offered)
    return tuple(code for code in TICKS if code != REASSURED or intimate)


def read(sent: Mapping[str, Sequence[str]], offered: Sequence[Choice]) -> Filled:
    """What was sent, kept to what the page asks for; anything else is left out, and so is what is said in two ways."""
    first = {name: values[0] for name, values in sent.items() if len(set(values)) == 1}
    texts = {c.name: " ".join(first.get(c.name, "").split())[: LONGEST[c.needs]] for c in offered if c.needs}
    told = frozenset(sent.get("told", ())) & frozenset(ticks(offered))
    return Filled(first.get("answer", "")[:100], texts, told, first.get("from", "").strip()[:320])


def chosen(filled: Filled, offered: Sequence[Choice]) -> Choice | None:
    """The choice that was made; None if there is none of this name."""
    return next((choice for choice in offered if choice.word == filled.word), None)


def wrong(filled: Filled, offered: Sequence[Choice], sender: str | None) -> str:
    """What must be mended before this is an answer: choice | reason | address | number | from; "" when nothing.

    ``sender``: the address to be typed (``confirm_sender``), None when it is not asked for.  Whether what was typed beside a word
    is right is for ``Answers.answer`` to say.
    """
    choice = chosen(filled, offered)
    if choice is None:
        return "choice"
    typed = filled.text(choice)
    if choice.needs and not typed:
        return choice.needs
    if sender is not None and filled.by.casefold() != sender.strip().casefold():
        return "from"
    return ""


def nonce(secret: str) -> str:
    """Stands in the page and comes back with the answer: a POST that did not begin on the page is not taken."""
    return hmac.new(secret.strip().lower().encode("utf-8", "surrogatepass"), _NONCE, hashlib.sha256).hexdigest()[:32]


def is_nonce(given: str, secret: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), nonce(secret).encode())
