"""A second language needs files only: a notice in it shows no word that stands in the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from policies.reasons import HELP, REASONS
from quarantine.notices import dsn
from quarantine.notices.internal import Matter, Sent, digest, internal
from quarantine.notices.render import render
from quarantine.notices.wording import Templates, load
from tests.support.noticeworld import CHEN, JANE, LEE, NOW, SENT, asked, line, meta, refused, sent, settings
from tests.support.pseudolanguage import NAME, plain_words, write

pytestmark = pytest.mark.unit

# What stands in a notice without being of any language: the site's own words, methods, places.
OURS = {"IG", "ext", "e-RS", "SMTP", "Example", "Hospital", "duty", "officer", "team", "thing"}
SITE = settings(language=NAME, organisation="", ig_contact="ext. 1", on_call="ext. 2", alternatives="e-RS", feedback="ext. 3")
REMIND = {"remind": SENT + 14400, "deadline": SENT + 86400}

NOTICES: dict[str, list[dict[str, Any]]] = {
    "N-1": [asked(reasons=["consent.missing", "recipient.lookalike-address"], said=["consent.missing"], **REMIND)],
    "N-1 with advice and help": [asked(reasons=["consent.not-vouched"], help="Send it.", did_you_mean="x@y.example", **REMIND)],
    "N-1 without answers": [asked(answers=(), releases="two-person", reasons=["kind.intimate"])],
    "N-2": [line(JANE, "held", "N-2", "D", releases="ig", reasons=["domain.unknown"], **REMIND)],
    "N-3": [sent(), sent("a@b.example", method="route", dated=True, advice=["First."], advised=["recipient.first-time"])],
    "N-3 advice": [asked(state="delivered", method="advise", reasons=["consent.missing"])],
    "N-4": [refused(reasons=["domain.denied"], help="Send it elsewhere.")],
    "N-5": [asked(state=state, reasons=["consent.missing"]) for state in ("released",)],
    "N-5 expired": [asked(state="expired", reasons=["consent.missing"])],
    "N-5 refused": [asked(state="not-released", reasons=["consent.missing"])],
    "N-5 deleted": [asked(state="deleted")],
    "N-5 late": [line(LEE, "late", "N-7")],
    "N-6": [line(LEE, "delivered", "N-6", method="smime")],
    "N-7": [line(LEE, "deferred", "N-7", reasons=["next-hop-temporary"])],
    "N-7 stuck": [line(LEE, "held", "N-7", releases="mail-admin", reasons=["opaque.corrupt"], help="Save it anew.")],
    "N-7 failed": [line(LEE, "failed", code="550 5.1.1")],
    "N-7 unsure": [line(LEE, "?", "N-3")],
    "mixed": [asked(reasons=["consent.missing"]), sent(), refused(reasons=["domain.denied"]), line(JANE, "deferred", "N-7")],
    "to a patient": [asked("p@q.example", cls="C", answers=("[to patient {address}]",), reasons=["consent.missing"])],
}


@pytest.fixture(scope="module")
def pseudo(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    """The shipped languages and one more, of files alone."""
    folder = tmp_path_factory.mktemp("notices")
    write(folder)
    return load(folder)


def english(text: str) -> list[str]:
    return [
        word
        for word in plain_words(re.sub(r"[\w.@-]+\.(?:example|uk)\b|\b[A-Z0-9]{4}-[A-Z0-9]{4}\b", " ", text))
        if word not in OURS
    ]


@pytest.mark.parametrize("name", NOTICES)
def test_no_word_of_a_notice_stands_in_the_code(pseudo: Templates, name: str) -> None:
    """Sentences, reasons, help, dates, counts, lists: all of it comes from the files."""
    notice = render([meta(*NOTICES[name])], NOW + 86400 * 2, SITE, pseudo)
    assert english(notice.text) == [] and english(notice.subject) == []
    assert f'<html lang="{NAME}">' in notice.html


def test_a_reminder_too(pseudo: Templates) -> None:
    """N-1r, with the words that can be replied."""
    notice = render([meta(asked(hold="h1", reasons=["consent.missing"], **REMIND))], NOW, SITE, pseudo, reminder=True)
    assert english(notice.text) == []


@pytest.mark.parametrize("kind", ["alert", "desk", "emergency", "damaged", "alarm"])
def test_those_who_decide_are_told_in_it(pseudo: Templates, kind: str) -> None:
    """Codes and references have no language."""
    matter = Matter(("H7Q2-93KD",), (), "", SENT, SENT, 3, 5)
    assert english(internal(kind, matter, "ig@example.nhs.uk", NOW, SITE, pseudo, "k").text) == []


def test_digest_and_delivery_report_too(pseudo: Templates) -> None:
    """The weekly lines and the words of RFC 3464's first part."""
    week = digest([Sent("H7Q2-93KD", SENT, 2, ("b.example",))], CHEN, NOW, SITE, pseudo, "k")
    assert english(week.text) == []
    report = dsn.report([meta(line(LEE, "failed", code="550 5.1.1"))], "failed", NOW, SITE, pseudo)
    assert report is not None
    people = report[1].decode().partition("Content-Type: message/delivery-status")[0]
    assert "Your email" not in people and "=C3=B8" in people


def test_reasons_of_what_keeps_an_email_only(pseudo: Templates) -> None:
    """As in English: what speaks for sending is no reason why an email waits."""
    one = asked(reasons=["consent.missing", "kind.routine-imaging"], said=["consent.missing"])
    text = render([meta(one)], NOW, SITE, pseudo).text
    missing, routine = (pseudo.language(NAME).reasons([code]) for code in ("consent.missing", "kind.routine-imaging"))
    assert " ".join(missing.split()) in " ".join(text.split()) and routine[:20] not in text


def test_every_reason_and_help_can_be_said_in_it(pseudo: Templates) -> None:
    """A code without its sentence would fall back to the policy's English."""
    language = pseudo.language(NAME)
    assert all(language.reasons([code]) for code in REASONS) and all(language.help([code]) for code in HELP)
    assert pseudo.gaps == ()


def test_a_count_of_one_among_several_may_have_its_own_words(tmp_path: Path) -> None:
    """Languages that change their words with the number: [first single] is used for one of several people."""
    made = write(tmp_path)
    path = made / "N-1.txt"
    path.write_text(path.read_text(encoding="utf-8") + "\n[first single]\nøne of {total}\n", encoding="utf-8")
    several = render([meta(asked(), sent())], NOW, SITE, load(tmp_path)).text
    assert several.startswith("øne of 2 ")
    assert "øne of" not in render([meta(asked(), asked(CHEN), sent("x@y.example"))], NOW, SITE, load(tmp_path)).text


def test_each_sender_is_written_to_in_the_language_of_their_domain(pseudo: Templates) -> None:
    """One hospital of the group works in another language."""
    mixed = settings(languages={"ysbyty.example": NAME})
    theirs = render([meta(asked(), sender="dr.jones@ysbyty.example")], NOW, mixed, pseudo)
    assert f'lang="{NAME}"' in theirs.html
    assert 'lang="en"' in render([meta(asked())], NOW, mixed, pseudo).html
