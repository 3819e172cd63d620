"""The pages: texts of the site's language in a frame of HTML.  Every value is escaped; nothing shows what an email holds."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Any, Final

import jinja2

from quarantine.answers.model import ASK_IG, DELETE, Question
from quarantine.answers.words import EMERGENCY
from quarantine.form.fields import LONGEST, Choice, Filled, ticks
from quarantine.notices.prose import blocks, sentence
from quarantine.notices.render import Summary
from quarantine.notices.settings import Settings
from quarantine.notices.wording import Language

_FOLDER: Final = resources.files("quarantine") / "form" / "templates"
STYLE: Final = (_FOLDER / "style.css").read_bytes()
STYLE_NAME: Final = f"style-{hashlib.sha256(STYLE).hexdigest()[:12]}.css"  # the only thing a browser may keep
_FIELD: Final = {"choice": "answer-0", "from": "from"}  # what a problem's link leads to; else the choice's text field


@dataclass(frozen=True, slots=True)
class Asked:
    """What the page asks: the question, its choices, what was sent and what is wrong with it ("" for a new page).

    ``partly``: an answer was taken that did not reach everybody.  ``reach``: word -> holds, for words that reach only some.
    """

    question: Question
    offered: Sequence[Choice]
    filled: Filled = field(default_factory=Filled)
    wrong: str = ""
    partly: bool = False
    reach: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


class Pages:
    """Makes every page in one language.  ``base``: path under which the form stands; ``offsite``, ``confirm``: options."""

    def __init__(self, language: Language, settings: Settings, base: str, *, offsite: bool, confirm: bool) -> None:
        self._language, self._settings, self._offsite, self._confirm = language, settings, offsite, confirm
        shown = jinja2.Environment(
            loader=jinja2.FunctionLoader(lambda name: (_FOLDER / name).read_text("utf-8")),
            autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True,
        )  # fmt: skip
        shown.globals.update(
            language=language.name, style=f"{base}/{STYLE_NAME}", organisation=self._common()["organisation"],
        )  # fmt: skip
        self._ask, self._tell = shown.get_template("ask.html"), shown.get_template("tell.html")

    def ask(self, asked: Asked, summary: Summary, nonce: str) -> str:
        """The form."""
        say = self._teller(summary.values)
        choices = [self._choice(choice, asked, summary, say) for choice in asked.offered]
        return self._ask.render(
            say=say, paragraphs=self._paragraphs(summary.values), summary=summary, choices=choices, nonce=nonce,
            whys=[say("why", {"why": why, "help": help_}) for why, help_ in summary.why],
            ticks=[(code, say(f"told {code}"), code in asked.filled.ticks) for code in ticks(asked.offered)],
            offers=bool(asked.question.offers), who=say("no offers", {"who": summary.values.get("who", "")}),
            confirm=self._confirm, by=asked.filled.by, place=say("offsite" if self._offsite else "inside"),
            partly=asked.partly, wrong=asked.wrong, problem=say(f"wrong {asked.wrong}") if asked.wrong else "",
            problem_at=_place(asked),
        )  # fmt: skip

    def tell(self, variant: str, summary: Summary | None = None, left: Sequence[str] = (), again: str = "") -> str:
        """A page without a form: what is true now.  ``left``: ticks that were not set; ``again``: where to look again."""
        values = summary.values if summary is not None else self._common()
        say = self._teller(values, variant)
        return self._tell.render(
            say=say, title=say("title"), text=self._paragraphs(values, variant)("text"),
            people=(summary.people or (summary.lead,)) if summary is not None and variant not in ("over", "sending") else (),
            left=[say(f"told {code}") for code in left], again=again, once=summary is not None,
        )  # fmt: skip

    def _choice(self, choice: Choice, asked: Asked, summary: Summary, say: Any) -> dict[str, Any]:
        people = [summary.holds[hold] for hold in asked.reach.get(choice.word, ()) if hold in summary.holds]
        own = {ASK_IG: "ask ig", DELETE: "delete", EMERGENCY: "emergency"}.get(choice.word)
        return {
            "word": choice.word, "meaning": say(own) if own else self._language.meaning(choice.meaning_key),
            "only": say("only", {"people": ", ".join(people)}) if people else "",
            "needs": choice.needs, "name": choice.name, "longest": LONGEST.get(choice.needs, 0), "consent": choice.consent,
            "urgent": choice.word == EMERGENCY, "checked": choice.word == asked.filled.word,
            "text": asked.filled.text(choice) if choice.needs else "",
            "wrong": asked.wrong == choice.needs != "" and choice.word == asked.filled.word,
        }  # fmt: skip

    def _common(self) -> dict[str, str]:
        told = self._settings
        organisation = told.organisation or sentence(self._language.need("frame", "organisation"), {})
        contact = told.ig_contact or told.ig_address
        return {"organisation": organisation, "ig_contact": contact, "on_call": told.on_call, "review_hours": told.review_hours}

    def _teller(self, values: Mapping[str, str], variant: str = "") -> Any:
        def say(part: str, more: Mapping[str, str] | None = None) -> str:
            return sentence(self._language.need("form", part, variant), {**self._common(), **values, **(more or {})})

        return say

    def _paragraphs(self, values: Mapping[str, str], variant: str = "") -> Any:
        def paragraphs(part: str) -> list[str]:
            found = blocks(self._language.need("form", part, variant), {**self._common(), **values})
            return [block.text for block in found]

        return paragraphs


def _place(asked: Asked) -> str:
    """The id of the field that a problem is about."""
    if asked.wrong in _FIELD:
        return _FIELD[asked.wrong]
    return next((choice.name for choice in asked.offered if choice.word == asked.filled.word and choice.needs), _FIELD["choice"])
