"""Statements of consent that nobody made, or that somebody else made, and that were believed."""

from __future__ import annotations

import time

import pytest

from gateway.carriers import statements
from gateway.demo.samples import SENDER, Sample, picture
from gateway.message import parse
from gateway.model import Plan
from gateway.pipeline import plan
from tests.support.contexts import COLLEAGUE, context, received

pytestmark = pytest.mark.unit

TAG = "[consent verbal]"


def fate(subject: str = "Rash", body: str = "Dear colleague\n", sort: str = "plain", **headers: str) -> Plan:
    sample = Sample("trick", (COLLEAGUE,), subject, body=body, attach=(picture(1),), headers=headers)
    raw = sample.build()
    if sort == "html":
        raw = raw.replace(b"Content-Type: text/plain", b"Content-Type: text/html", 1)
    return plan(context(), received(raw, COLLEAGUE))


def test_an_honest_statement_is_believed() -> None:
    """Without this the tests below would prove nothing."""
    assert fate(f"Rash {TAG}").copies
    assert fate(body="Consent: verbal\n\nDear colleague\n").copies
    assert fate(body='<div style="overflow: hidden">Consent: verbal</div><p>Dear colleague</p>', sort="html").copies


@pytest.mark.parametrize(
    "prefix",
    ["\u200bRe:", "Ｒｅ：", "Re：", "\u202eRe:", '"Re:', "*** Re:", "{Spam?} Re:", "[" + "E" * 60 + "] Re:", "Re(2):", "Re^2:",
     "Re-2:", "RE2:"],
)  # fmt: skip
def test_an_inherited_tag_does_not_count_however_the_reply_is_marked(prefix: str) -> None:
    """Symptom: the tag of an old thread let a new photograph go when the reply prefix was written in an unusual way.

    Cause: the prefix was sought at the very start, in ASCII, behind square brackets only.  Analysis: filters put marks in front,
    programs count replies, East Asian ones write a wide colon.  The subject is looked at as a reader sees it.
    """
    made = fate(f"{prefix} rash {TAG}")
    assert not made.copies
    assert made.holds


@pytest.mark.parametrize("mark", ["|", "¦", "»", "›", ">"])
def test_quoted_text_states_nothing_whatever_it_is_quoted_with(mark: str) -> None:
    """Symptom: a quoted line "| consent: verbal" counted as the sender's own.

    Cause: only > was known as a quote mark.  Analysis: several programs quote with other marks.
    """
    assert not fate(body=f"{mark} Consent: verbal\n").copies


@pytest.mark.parametrize(
    "tag",
    ['<p style="display:none">', "<p hidden>", '<p style="visibility: hidden">', '<span style="font-size:0px">',
     '<p style="mso-hide:all">'],
)  # fmt: skip
def test_a_line_hidden_from_its_author_states_nothing(tag: str) -> None:
    """Symptom: "Consent: verbal" in an invisible paragraph in front of the text counted.

    Cause: the first line was the first text in the page, shown or not.  Analysis: what the person who sends it cannot see, that
    person has not stated; templates and add-ins put such text there.
    """
    assert not fate(body=f"{tag}Consent: verbal</p><p>Dear colleague</p>", sort="html").copies


@pytest.mark.parametrize("text", [f"Rash {TAG[:-1]}?]", "consent verbal? rash"])
def test_a_question_is_no_statement(text: str) -> None:
    """Symptom: "[consent verbal?]" let a photograph go.  Cause: punctuation was dropped before the words were read."""
    assert not fate(text).copies


def test_a_message_sent_on_behalf_of_its_author_states_nothing() -> None:
    """Symptom: a tag counted although the Sender field named somebody else.

    Cause: From, envelope sender and login were compared, Sender was not.  Analysis: RFC 5322 3.6.2: where it stands, it and not
    From says who sent the message.
    """
    assert not fate(f"Rash {TAG}", Sender="someone@else.example").copies
    assert fate(f"Rash {TAG}", Sender=f"Dr Adams <{SENDER}>").copies


def test_a_hostile_subject_takes_no_time() -> None:
    """The prefix pattern stays bounded on what is made to slow it down."""
    for word in ("[", "[]", "> ", "(x)", "re", "[a] <b> "):
        raw = b"Subject: " + (word * 20_000)[:60_000].encode() + b"\r\n\r\n"
        start = time.process_time()
        statements(parse(raw))
        assert time.process_time() - start < 1
