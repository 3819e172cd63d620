"""Examples of the IG team: mails in words give the facts that real mail would give, and say what turned out otherwise."""

from __future__ import annotations

from datetime import date

import pytest

from policies.model import Action, Kind
from policies.trial.examplefile import PICTURES
from policies.trial.examples import read_examples, run
from tests.support.paths import ROOT
from tests.support.policyfacts import TODAY, shipped

pytestmark = pytest.mark.unit

SHIPPED = sorted((ROOT / "policies" / "tests").glob("*.yaml"))


def one(text: str, day: date = TODAY) -> list[tuple[str, tuple[str, ...]]]:
    """(action, faults) of each recipient of one example written as the keys under its name."""
    body = "".join(f"    {line}\n" for line in text.splitlines())
    cases = read_examples(shipped(), "x.yaml", f"examples:\n  - name: one\n{body}".encode(), day)
    return [(result.decision.action.name, result.faults) for result in run(shipped(), cases)]


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_the_shipped_examples_hold_for_the_shipped_policy(path: object) -> None:
    """What an IG team copies is right to begin with."""
    assert hasattr(path, "read_bytes")
    results = run(shipped(), read_examples(shipped(), "x.yaml", path.read_bytes(), TODAY))
    assert results and [one.faults for one in results if one.faults] == []


def test_what_turns_out_otherwise_is_said() -> None:
    """The action, the rule, a reason; nothing when all is as expected."""
    ((action, faults),) = one("to: dropbox.com\npictures: photo\nexpect: DELIVER")
    assert action == "REFUSE" and faults[0].startswith("expected DELIVER, got REFUSE (rule F-DENIED: ")
    assert one("to: dropbox.com\npictures: photo\nexpect: {then: REFUSE, rule: CARE}")[0][1][0].endswith(
        "F-DENIED instead of CARE"
    )
    assert "is not told" in one("to: dropbox.com\npictures: photo\nexpect: {then: REFUSE, reasons: [consent.missing]}")[0][1][0]
    assert one("to: dropbox.com\npictures: photo\nexpect: REFUSE") == [("REFUSE", ())]


def test_the_day_is_the_caller_s_unless_the_example_names_one() -> None:
    """An entry that ends makes the example fail on the day it does."""
    text = 'to: university.example\npictures: photo\nsubject: "[consent written teaching]"\nexpect: PROTECT'
    assert one(text)[0][0] == "PROTECT"
    assert one(text, date(2027, 6, 1))[0][0] != "PROTECT"
    assert one(f"{text}\nday: 2026-11-22", date(2027, 6, 1))[0][0] == "PROTECT"


@pytest.mark.parametrize("word", PICTURES)
def test_every_picture_word_makes_a_picture(word: str) -> None:
    """And one that is no logo is never delivered to a stranger unseen and unsaid."""
    cases = read_examples(
        shipped(), "x.yaml", f"examples: [{{name: a, to: unknown.example, pictures: {word}, expect: ASK}}]".encode(), TODAY
    )
    (image,) = cases[0].facts.images
    assert (image.decorative is not None) == (word == "logo")
    assert (image.opaque is not None) == (image.kind is Kind.UNREADABLE)
    (result,) = run(shipped(), cases)
    assert (result.decision.action is Action.DELIVER) == (word == "logo")


def test_own_is_a_colleague() -> None:
    """Examples that ship name no domain of yours."""
    assert one("to: own\npictures: photo\nexpect: DELIVER") == [("DELIVER", ())]
