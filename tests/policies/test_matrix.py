"""The whole policy matrix, cell by cell, under every profile; the expected values stand in matrix.md, written by hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from policies.decide import decide
from policies.files.profiles import PROFILES
from policies.model import Action
from tests.support.matrix import DEFAULT, LETTERS, Key, cells, facts_of, policy, tables
from tests.support.policyfacts import facts, image, recipient, shipped, statement

pytestmark = pytest.mark.unit

KINDS = [f"K{number}" for number in range(10)]
PURPOSES = [f"P{number}" for number in range(10)]
CLASSES = ("O", "A", "B", "C", "D", "E", "F")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("profile", PROFILES)
def test_every_cell_is_decided_as_written(profile: str, kind: str) -> None:
    """Each cell of the matrix gives the action that the documents give it, by a rule and not by the floor."""
    wrong = []
    for key, letter in cells(profile).items():
        if key.kind != kind:
            continue
        decision = decide(policy(profile), facts_of(key))
        asked = LETTERS[letter] is Action.ASK and not decision.answers
        if decision.action is not LETTERS[letter] or decision.rule in ("floor", "guard") or asked:
            wrong.append(f"{' '.join(key)}: {letter} is written, but {decision.action.name} by {decision.rule}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("kind", KINDS)
def test_no_cell_is_left_open(kind: str) -> None:
    """Every purpose, every way to agree or refuse, and every class has its cell."""
    silent = "n" if kind == "K2" else "-"
    wanted = {Key(kind, *cell) for cell in product(PURPOSES, (silent, "i", "v", "w", "no"), CLASSES)}
    wanted |= {Key(kind, "P2", "bypass", column) for column in CLASSES}
    assert not wanted - cells(DEFAULT).keys()


def test_every_profile_has_its_part_of_the_document() -> None:
    """A profile that changes nothing says so."""
    assert set(tables()) == set(PROFILES)
    assert sum(len(cells(profile)) for profile in PROFILES) > 10_000


@pytest.mark.parametrize("profile", PROFILES)
def test_the_archive_gets_everything_untouched(profile: str) -> None:
    """Journal and archive routes: never asked, held or cleaned, whatever the picture and the statement."""
    for kind, consent in product(KINDS, ("none", "v", "refused", "emergency")):
        decision = decide(policy(profile), facts("archive", kind, statement(consent, "P1")))
        assert (decision.action, decision.scrub) == (Action.DELIVER, False), (kind, consent)


@pytest.mark.parametrize(
    ("opaque", "expected"),
    [
        ("encrypted", "D C C Q C Q X"),
        ("corrupt", "Q Q Q Q Q Q X"),
        ("limit", "Q Q Q Q Q Q X"),
        ("image-not-supported", "Q Q Q Q Q Q X"),
        ("unknown-type", "D D D Q Q Q X"),
    ],
)
@pytest.mark.parametrize("profile", PROFILES)
def test_each_reason_not_to_look_inside_has_its_own_rule(profile: str, opaque: str, expected: str) -> None:
    """The settled split of what could not be opened, by class, the same under every profile."""
    for cls, letter in zip(CLASSES, expected.split(), strict=True):
        decision = decide(policy(profile), facts(cls, "K8", images=(image("K8", opaque=opaque),)))
        assert decision.action is LETTERS[letter], (cls, decision)
        if letter == "Q":
            assert decision.releases == "mail-admin"


@pytest.mark.parametrize("code", ["container.read-only", "container.signed"])
def test_a_picture_in_a_file_that_cannot_be_changed(code: str) -> None:
    """It was seen but cannot be cleaned: it stays inside, and outside a mail administrator decides."""
    fixed = image("K8", opaque="image-not-supported", codes=frozenset({code}))
    for cls, letter in zip(CLASSES, ("D", "Q", "Q", "Q", "Q", "Q", "X"), strict=True):
        decision = decide(shipped(), facts(cls, "K8", statement("w", "P1"), images=(fixed,)))
        assert decision.action is LETTERS[letter], (cls, decision)
        if letter == "Q":
            assert (decision.releases, decision.reasons[0]) == ("mail-admin", "opaque.fixed")


@pytest.mark.parametrize("purpose", ["P0", "P1", "P3"])
def test_the_senders_own_private_address(purpose: str) -> None:
    """Matrix 4.2 column E: refused once a use is stated, asked before; K4 to K6 never less strictly."""
    own = recipient("E", own_private=True)
    expected = Action.ASK if purpose == "P0" else Action.REFUSE
    assert (
        decide(shipped(), facts("E", "K3", statement("v", purpose) if purpose != "P0" else None, recipient=own)).action
        is expected
    )
    for kind in ("K4", "K5", "K6"):
        assert decide(shipped(), facts("E", kind, statement("v", purpose), recipient=own)).action >= expected, kind


def test_intimate_pictures_go_end_to_end_or_not_at_all() -> None:
    """Matrix 4.5 K4: a named route is not enough; the first method that encrypts to the recipient is taken."""
    given = facts_of(Key("K4", "P1", "v", "A+"))
    entry = replace(given.recipient.entry, methods=("route", "smime"))  # type: ignore[type-var]  # class A has an entry
    given = replace(given, recipient=replace(given.recipient, entry=entry))
    assert decide(shipped(), given).methods == ("smime",)
    without = decide(shipped(), replace(given, methods={"route": "ok", "smime": "smime.expired"}))
    assert (without.action, without.reasons[0]) == (Action.QUARANTINE, "protect.no-method")


def test_intimate_pictures_of_those_who_cannot_decide_are_reviewed() -> None:
    """S1-12: somebody else's agreement to an intimate picture needs two people's eyes on the facts."""
    given = facts_of(Key("K4", "P1", "w", "A+"))
    lacking = statement("w", "P1", intimate=True, capacity="lacks", given_by="attorney", record="R-1")
    decision = decide(shipped(), replace(given, consent=replace(given.consent, statement=lacking)))
    assert (decision.action, decision.releases) == (Action.QUARANTINE, "two-person")


@pytest.mark.slow
def test_what_two_people_must_release() -> None:
    """Intimate pictures and children: whatever rule holds them for a reviewer, two people decide."""
    for profile in PROFILES:
        for key, letter in cells(profile).items():
            if letter == "Q" and key.kind in ("K4", "K5", "K6"):
                assert decide(policy(profile), facts_of(key)).releases == "two-person", (profile, key)


def test_a_childs_agreement_is_asked_for_again_after_two_years() -> None:
    """S3-14: the day after the last one asks; every answer that is offered sends."""
    given = facts_of(Key("K5", "P1", "pv", "A+"))
    for dated, expected in ((date(2024, 11, 22), Action.PROTECT), (date(2024, 11, 21), Action.ASK)):
        said = replace(given.consent.statement, dated=dated)  # type: ignore[type-var]  # the cell has a statement
        decision = decide(shipped(), replace(given, consent=replace(given.consent, statement=said)))
        assert decision.action is expected
    assert "[consent verbal, referral, gillick]" in decision.answers
