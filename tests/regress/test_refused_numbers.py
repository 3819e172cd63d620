"""A patient's no holds for the number as people write it: spaced anyhow, in a page, in another charset, beside other numbers."""

from __future__ import annotations

import base64
import dataclasses
import time

import pytest

from filters.identify.numbers import loose
from gateway.facts import Memory
from gateway.mime.words import to_text
from gateway.pipeline import judge
from policies.model import Action
from quarantine.consents.model import Standing
from tests.support.contexts import AT, COLLEAGUE, context, received
from tests.support.letters import canary_photo

pytestmark = pytest.mark.unit

NHS = "9434765919"
OTHER = "943 476 5870"  # another valid one, of which nothing is on file
NO = Standing("withdrawn", AT - 1)


def mail(body: str, kind: str = "plain", charset: str = "utf-8") -> bytes:
    """A letter with a photograph and a consent tag."""
    text, photo = (base64.encodebytes(data).replace(b"\n", b"\r\n") for data in (body.encode(charset), canary_photo()))
    return (
        "From: dr.adams@clinic.example\r\nTo: dr.lee@royal-example.example\r\nSubject: rash [consent verbal]\r\n"
        "Message-ID: <1@clinic.example>\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
        f"--b\r\nContent-Type: text/{kind}; charset={charset}\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    ).encode() + text + (
        b"--b\r\nContent-Type: image/jpeg\r\nContent-Disposition: attachment; filename=a.jpg\r\n"
        b"Content-Transfer-Encoding: base64\r\n\r\n" + photo + b"--b--\r\n"
    )  # fmt: skip


def fate(raw: bytes) -> Action:
    """What becomes of it where the patient with ``NHS`` has said no."""
    made = context()
    memory = Memory(
        lambda image, to: False, lambda sender, ones: "somebody", lambda numbers: NHS in numbers,
        said=lambda numbers: [NO] if NHS in numbers else [],
    )  # fmt: skip
    [decision] = judge(dataclasses.replace(made, memory=memory), received(raw, COLLEAGUE)).decisions
    return decision.action


@pytest.mark.parametrize(
    "body",
    [
        "seen today, 9434765919, please advise", "ref 943-476-5919", "943.476.5919", "pt 9434 765 919", "943  476  5919",
        "943476 5919", "943 - 476 - 5919", "MRN9434765919", f"clinic list: {OTHER} and 943 476 5919",
        "tel 0161 496 0000, 9434765919/1",
    ],
)  # fmt: skip
def test_however_the_number_is_written_it_does_not_go(body: str) -> None:
    """Before, a number counted only where its shape or a word beside it said what it was, and nobody else was named."""
    assert fate(mail(body)) in (Action.QUARANTINE, Action.REFUSE)


@pytest.mark.parametrize(
    ("body", "charset"),
    [
        ("<p>943&nbsp;476&nbsp;5919</p>", "utf-8"), ("<b>943</b> <span>476 </span><span>5919</span>", "utf-8"),
        ("<p>943\u00a0476\u00a05919</p>", "windows-1252"), ("<p>943 476 5919</p>", "utf-16-le"),
    ],
)  # fmt: skip
def test_in_a_page_and_in_other_charsets_too(body: str, charset: str) -> None:
    assert fate(mail(f"<html><body>{body}</body></html>", "html", charset)) in (Action.QUARANTINE, Action.REFUSE)
    plain = body.replace("<p>", "").replace("</p>", "")
    if "<" not in plain and "&" not in plain:
        assert fate(mail(plain, charset=charset)) in (Action.QUARANTINE, Action.REFUSE)


def test_what_is_no_number_on_file_changes_nothing() -> None:
    for body in (f"see {OTHER}", "tel 0161 496 0000, order 9434765918", "2025-11-20 10:11:12"):
        assert fate(mail(body)) is Action.PROTECT


@pytest.mark.slow
def test_looking_is_linear() -> None:
    """A page full of figures is looked through in a moment, whatever their pieces."""
    for text in ("11 " * 80_000, "1 " * 120_000, "9" * 250_000, "943 476 " * 30_000):
        began = time.process_time()
        assert len(loose(text)) < 10
        assert time.process_time() - began < 3


def test_a_charset_that_no_mail_program_reads_costs_no_time() -> None:
    """Python has codecs whose time grows with the square of the text."""
    began = time.process_time()
    assert to_text(b"a-" + b"9a" * 130_000, "PunyCode").startswith("a-9a")
    assert time.process_time() - began < 0.5
