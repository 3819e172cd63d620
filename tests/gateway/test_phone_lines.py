"""Lines as people write them on a telephone: how many are understood, and that silence is never read as consent.

Source: issue "Consent" and domain settled, "Carriers are read as people write on a phone".  The lines were written before the
reader saw them; half of the first set was held out while it was built, the second set was written after it was built, the third
to fifth by somebody who had not seen it.  The fifth and sixth are whole mails, with a subject and a first line.
"""

from __future__ import annotations

import pytest

from tests.support.phonelines import OUTCOMES, PERMITS, SILENT, Phrase, fits, halves, outcome, phrases, read, tally

pytestmark = pytest.mark.unit

FIRST, SECOND, THIRD, FOURTH = "phone.txt", "phone-second.txt", "phone-third.txt", "phone-fourth.txt"
FIFTH, SIXTH, NEAR = "phone-fifth.txt", "phone-sixth.txt", "phone-near.txt"
EVERY = [one for name in (FIRST, SECOND, THIRD, FOURTH, FIFTH, SIXTH, NEAR) for one in phrases(name)]


@pytest.mark.parametrize("phrase", [one for one in EVERY if one.silent and len(one.meanings) == 1], ids=lambda one: one.words)
def test_where_nobody_consented_nothing_is_permitted(phrase: Phrase) -> None:
    """Negations, questions, wishes, consent to something else, ordinary mail: no permission and no refusal."""
    assert read(phrase).split()[0] in SILENT


@pytest.mark.parametrize("phrase", [one for one in EVERY if one.meanings[0].startswith(("refused", "withdrawn"))], ids=str)
def test_a_refusal_is_never_read_as_permission(phrase: Phrase) -> None:
    assert read(phrase).split()[0] not in PERMITS


SHARES = [(FIRST, 0.95), (SECOND, 0.95), (THIRD, 0.95), (FOURTH, 0.85), (FIFTH, 0.9), (SIXTH, 0.8), (NEAR, 1.0)]


@pytest.mark.parametrize(("name", "share"), SHARES)
def test_statements_are_understood(name: str, share: float) -> None:
    """At least 95 of 100 as they were meant; no permission is made up.  Of the fourth hardly any permission is mended."""
    found = tally(phrases(name))
    assert found["understood"] >= share * found.total(), found
    assert found["forged"] == 0
    assert found.keys() <= OUTCOMES.keys()


def test_the_lines_are_enough_and_differ() -> None:
    """At least 120 lines, split in two halves of which neither is tiny."""
    build, held = halves(FIRST)
    assert len(build) >= 120 and len(held) >= 120
    assert len({(one.where, one.words) for one in EVERY}) == len(EVERY)


@pytest.mark.slow
def test_where_two_ways_of_agreeing_are_named_the_weaker_counts() -> None:
    """The one line of all sets that is not read as it was meant is read on the safe side."""
    odd = [one for one in EVERY if outcome(one) == "looser"]
    assert [one.words for one in odd] == ["written & verbal consent"]
    assert fits("given verbal", read(odd[0]))
