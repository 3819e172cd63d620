"""Several people, several outcomes: one notice, whose first lines say what happened to whom; and what stands beside."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import pytest

from quarantine.notices.render import render
from quarantine.notices.wording import load
from tests.support.noticeworld import (
    CHEN,
    DROPBOX,
    JANE,
    LEE,
    NOW,
    PATIENT,
    SENT,
    SETTINGS,
    asked,
    line,
    meta,
    refused,
    sent,
    settings,
)  # fmt: skip

pytestmark = pytest.mark.unit

TEMPLATES = load()
# What can become of one person -> (the line of an outcome, what the list says, whether the picture is on its way there).
FATES: dict[str, tuple[dict[str, Any], str, bool]] = {
    "asked": (asked("a@one.example"), "waiting, not sent yet", False),
    "unknown": (line("b@two.example", "held", "N-2", "D", releases="ig"), "waiting, not sent yet", False),
    "stuck": (line("c@three.example", "held", "N-7", releases="mail-admin"), "not sent yet, a problem on our side", False),
    "refused": (refused("d@four.example"), "not sent", False),
    "deferred": (line("e@five.example", "deferred", "N-7"), "not sent yet, we keep trying", False),
    "failed": (line("f@six.example", "failed", code="550 5.1.1"), "not sent, the other side did not take it", False),
    "sent": (sent("g@seven.example"), "passed on at 14:02", True),
    "emergency": (line("h@eight.example", "delivered", "N-6"), "passed on at 14:02, as an emergency", True),
    "unsure": (line("i@nine.example", "some new state", "N-3"), "we do not know whether it arrived", False),
}


def told(*lines: dict[str, Any], **more: Any) -> str:
    return " ".join(render([meta(*lines, **more)], NOW, SETTINGS, TEMPLATES).text.split())


@pytest.mark.parametrize("names", [*combinations(FATES, 2), *combinations(FATES, 3)], ids="+".join)
def test_every_mix_names_everybody_at_the_top(names: tuple[str, ...]) -> None:
    """The first paragraph names each outcome, the list each person, and a heading each part; nobody is called sent who is not."""
    text = told(*(FATES[name][0] for name in names))
    lead, _, rest = text.partition(" What happened to each person: ")
    items, _, _ = rest.partition(f" {_head(names)}")
    first = 2 if {"asked", "unknown"} <= set(names) else 1  # whoever decides, both wait
    many = f"any of the {len(names)} people" if first == len(names) else f" {first} of {len(names)} people "
    assert lead.startswith("Your email ") and many in lead
    assert sum(FATES[name][0]["address"] in lead for name in names) == len(names) - first  # the first are counted, others named
    for name in names:
        found, what, _ = FATES[name]
        assert f"- {found['address']}: {what}" in items, name
        first = text.index(found["address"])
        assert first < text.index("Reference: ")
    gone = [name for name in names if FATES[name][2]]
    assert ("Keep your copy in Sent Items" in text) == (0 < len(gone) < len(names) and "sent" in gone)
    assert "Please now put the picture" not in text or len(gone) == len(names)


def _head(names: tuple[str, ...]) -> str:
    """The first heading below the list: a word that stands in every notice of several parts."""
    heads = {"asked": "Waiting:", "unknown": "Waiting:", "stuck": "Not sent yet:", "unsure": "Please check:"}
    heads |= {"failed": "Not taken by the other side:", "deferred": "Delayed:", "refused": "Not sent:"}
    order = ("asked", "unknown", "unsure", "stuck", "failed", "deferred", "refused", "emergency", "sent")
    first = min(names, key=order.index)
    return heads.get(first, "Sent")


def test_two_people_of_one_fate_are_one_part() -> None:
    """Nothing is said twice."""
    text = told(asked(LEE), asked(CHEN), sent("x@one.example"))
    assert text.startswith("Your email to 2 of 3 people is waiting. It has not been sent to them yet. Sent: x@one.example.")
    assert text.count("What to do:") == 1


def test_whoever_decides_those_who_wait_are_counted_together() -> None:
    """Symptom: "to 1 of 2 people is waiting. Waiting: jane", where both waited: one for the sender, one for the IG team."""
    text = told(asked(LEE), line(JANE, "held", "N-2", "D", releases="ig"))
    assert text.startswith("Your email is waiting. It has not been sent to any of the 2 people yet.")
    text = told(asked(LEE), line(JANE, "held", "N-2", "D", releases="ig"), sent("x@one.example"))
    assert text.startswith("Your email to 2 of 3 people is waiting. It has not been sent to them yet. Sent: x@one.example.")


def test_the_subject_says_to_whom() -> None:
    """06 N-1: by its time and recipient an email is known again; of a patient no address, of several their number."""
    assert "14:02 to dr.lee@royal-example.nhs.uk (ref" in render([meta(asked())], NOW, SETTINGS, TEMPLATES).subject
    assert "14:02 to 2 people (ref" in render([meta(asked(LEE), asked(CHEN))], NOW, SETTINGS, TEMPLATES).subject
    private = render([meta(asked(PATIENT, cls="C"))], NOW, SETTINGS, TEMPLATES).subject
    assert "to the patient's address (ref" in private and PATIENT not in private


def test_did_you_mean() -> None:
    """S2-6: only beside the person it is about, before what to do."""
    text = told(asked(LEE, did_you_mean="dr.lea@royal-example.nhs.uk"), asked(CHEN))
    assert "Did you mean dr.lea@royal-example.nhs.uk? If so, do nothing here" in text
    assert text.count("Did you mean") == 1
    unknown = told(line(JANE, "held", "N-2", "D", releases="ig", did_you_mean="newclinic.nhs.uk"))
    assert "Did you mean newclinic.nhs.uk? Is the address wrong?" in unknown
    assert "Did you mean" not in told(asked())


def test_advice_stands_beside_what_was_sent() -> None:
    """About whom, once; whatever else became of the email."""
    advice = ["It was the first email to this address. If that is the wrong person, tell the IG team now."]
    text = told(sent(CHEN, advice=advice), sent("x@one.example"))
    assert f"Please note about {CHEN}: {advice[0]}" in text
    assert text.count("Please note") == 1
    assert "Please note" in told(line(LEE, "delivered", "N-6", advice=advice))


def test_the_day_it_was_taken_is_told_where_it_was_kept() -> None:
    """Settled: only where the policy writes it into a protected body."""
    assert f"The day it was taken stands in the text of the email for {CHEN}." in told(sent(CHEN, dated=True))
    assert "The day it was taken" not in told(sent(CHEN))


def test_the_law_is_named_for_intimate_pictures_only() -> None:
    """S1-11: the words come from the profile or the site, with the outcome."""
    law = "In England and Wales section 66B of the Sexual Offences Act 2003 covers the sharing of intimate pictures."
    assert law in told(asked(), contacts={"law": law})
    assert "Sexual Offences" not in told(asked())


def test_where_to_say_that_a_notice_was_not_clear() -> None:
    """Only if the site named a place."""
    notice = render([meta(asked())], NOW, settings(feedback="notices@example.nhs.uk"), TEMPLATES)
    assert "Was this notice not clear? Tell us: notices@example.nhs.uk." in " ".join(notice.text.split())
    assert "not clear" not in told(asked())


@pytest.mark.parametrize(
    ("row", "lines"),
    [
        ("S1-4", (asked(),)), ("S1-13", (asked(),)), ("S1-13", (refused(),)), ("S1-15", (asked(),)), ("S1-21", (sent(),)),
        ("S1-25", (sent(),)), ("S1-46", (sent(),)), ("S2-11", (sent(),)), ("S3-26", (sent(),)), ("S3-28", (sent(),)),
        ("S1-46", (asked(state="released"),)), ("S1-46", (line(LEE, "late", "N-7"),)),
    ],
)  # fmt: skip
def test_guidance_stands_in_the_notices(row: str, lines: tuple[dict[str, Any], ...]) -> None:
    """The lines that the founding articles ask for."""
    wanted = {
        "S1-4": "Is a picture needed for this?",
        "S1-13": "erhaps a description will do",
        "S1-15": "Questions: IG team, ext. 4410.",
        "S1-21": 'from "Recently Deleted" too',
        "S1-25": "and empty the bin",
        "S1-46": "put the picture in the patient's record",
        "S2-11": "delete it from your phone or camera",
        "S3-26": "delete it from your phone",
        "S3-28": "a face, a tattoo or a label can still tell who it is",
    }
    assert wanted[row] in told(*lines)


def test_other_ways_are_named_where_the_site_has_some() -> None:
    """S1-8: in what is refused and in what no word can send."""
    ways = {"alternatives": "e-RS Advice and Guidance"}
    for lines in ((refused(),), (asked(answers=()),), (line(JANE, "held", "N-2", "D", releases="ig"),)):
        assert "Other ways: e-RS Advice and Guidance." in told(*lines, contacts=ways)


def test_why_refused_comes_with_what_to_do_instead() -> None:
    """N-4 (a) a file-sharing address, (b) the patient has said no, (c) an intimate picture of a child."""
    from policies.reasons import HELP, REASONS

    for code in ("domain.denied", "domain.own-private", "consent.refused", "kind.intimate-child", "purpose.private"):
        text = told(refused(words=REASONS[code], help=HELP[code]))
        assert REASONS[code] in text and HELP[code] in text, code


def test_a_patients_no_is_not_to_be_gone_round() -> None:
    """Other ways are not offered where the patient has said no."""
    text = told(refused(reasons=["consent.refused"], said=["consent.refused"]), contacts={"alternatives": "e-RS"})
    assert "Other ways" not in text


def test_a_long_list_of_people_alike_stands_below_what_to_do() -> None:
    """On a phone what to do is on the first screen; the list still names everybody (P8)."""
    people = [asked(f"doctor{number}@one.example") for number in range(12)]
    text = told(*people)
    assert text.index("What to do:") < text.index("What happened to each person:") < text.index("- doctor11@one.example")
    mixed = told(*people, sent())
    assert mixed.index("What happened to each person:") < mixed.index("What to do:")


def test_each_is_written_to_in_their_language() -> None:
    """By address, by domain, else the site's; the people who decide keep theirs."""
    one = settings(language="en", languages={"Example.nhs.uk": "cy", "dr.patel@example.nhs.uk": "de"})
    assert one.language_of("dr.patel@example.nhs.uk") == "de"
    assert one.language_of("dr.jones@EXAMPLE.nhs.uk") == "cy"
    assert one.language_of("x@other.example") == "en"


def test_no_subject_is_too_long_for_a_phone() -> None:
    """What happened comes first; the reference may be cut, it stands below too."""
    for name, (found, _, _) in FATES.items():
        subject = render([meta({**found, "address": DROPBOX})], SENT + 60, SETTINGS, TEMPLATES).subject
        assert len(subject.partition(":")[0]) <= 26, (name, subject)
