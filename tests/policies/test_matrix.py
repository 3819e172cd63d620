"""The policy matrix of profile uk-strict, cell by cell; expected values written by hand from the domain documents.

D deliver, P protect, C ask ("C" of the matrix), Q quarantine, X refuse.  Where a cell of the matrix says "-" or "as left" the
filled value stands here.  Cells marked in a comment differ from the bare matrix because of the settled rules.
"""

from __future__ import annotations

from typing import Any

import pytest

from policies.decide import decide
from policies.model import Action
from tests.support.policyfacts import facts, shipped, statement

pytestmark = pytest.mark.unit

LETTERS = {"D": Action.DELIVER, "P": Action.PROTECT, "C": Action.ASK, "Q": Action.QUARANTINE, "X": Action.REFUSE}
CLASSES = ("O", "A", "B", "C", "D", "E", "F")

#   purpose consent    O A B C D E F
K3 = """
    P0      none       D C C C C C X
    P0      i          D C C C C C X
    P0      v          D P C C Q C X     settled: A is coordination of care; D: every purpose is held, so no question
    P0      w          D P C C Q C X
    P1      none       D C C C Q Q X
    P1      i          D C C C Q Q X
    P1      v          D P P P Q Q X
    P1      w          D P P P Q Q X
    P2      none       D C C C Q Q X     ETREAT named, break-glass not claimed
    P2      v          D P P C Q Q X
    P2      emergency  D P P C P Q X
    P3      none       D C Q C Q C X
    P3      v          D P P P Q C X
    P3      w          D P P P Q C X
    P4      none       D C C C Q X X
    P4      i          D C C C Q X X
    P4      v          D C C P Q X X
    P4      w          D P P P Q X X
    P5      none       D Q Q C Q X X
    P5      v          D C C P Q X X
    P5      w          D C C P Q X X     no ethics reference
    P5      w+ref      D P P P Q X X
    P6      none       D Q C P Q X X
    P6      v          D Q C P Q X X
    P6      w          D Q P P Q X X
    P7      none       D Q Q C Q X X
    P7      v          D Q Q P Q X X
    P7      w          D Q P P Q X X
    P0      refused    Q X X X X X X
    P1      refused    Q Q X X X X X
    P2      refused    Q Q X X X X X
    P4      refused    Q X X X X X X
    P6      refused    Q X X X X X X
"""

K1 = """
    P0      none       D P C C C C X
    P0      v          D P C C C C X
    P1      none       D P P C C C X
    P1      v          D P P P C C X
    P1      w          D P P P C C X
    P2      none       D P P C Q C X
    P2      emergency  D P P C P Q X
    P3      none       D P Q C Q C X
    P3      v          D P P P Q C X
    P4      none       D C C C Q C X
    P4      anon       D P P C Q C X
    P4      w          D P P P Q C X
    P5      none       D Q Q C Q C X
    P5      anon       D P P C Q C X
    P6      none       D Q C P Q C X
    P6      anon       D Q P P Q C X
    P7      none       D Q Q C Q C X
    P7      w          D Q P P Q C X
    P0      refused    Q X X X X X X
    P1      refused    Q Q X X X X X
"""

K9 = """
    P0      none       D P P D C C X
    P0      document   D P P D D D X
    P0      v          D P P D C C X
    P1      v          D P P D C C X
    P1      w          D P P D C C X
    P2      emergency  D P P D C C X
    P3      none       D P P D C C X
    P4      none       D P P D C C X
    P5      none       D P P D C C X
    P6      none       D P P D C C X
    P7      none       D P P D C C X
    P0      refused    Q X X X X X X
    P1      refused    Q Q X X X X X
"""

K8 = """
    P0      none       D C C Q C Q X
    P0      nopicture  D D D Q D Q X
    P1      v          D C C Q C Q X
    P1      w          D C C Q C Q X
    P2      emergency  D C C Q C Q X
    P4      w          D C C Q C Q X
    P0      refused    Q X X X X X X
    P1      refused    Q Q X X X X X
"""

K0 = """
    P0      none       D D D D D D D
    P1      v          D D D D D D D
    P0      refused    D D D D D D D
    P2      emergency  D D D D D D D
"""

EXTRA: dict[str, tuple[str, dict[str, Any]]] = {
    "w+ref": ("w", {"record": "REC-1"}),
    "anon": ("none", {"identifiable": False}),
}


def cells() -> list[Any]:
    found = []
    for kind, table in (("K0", K0), ("K1", K1), ("K3", K3), ("K8", K8), ("K9", K9)):
        for line in table.strip().splitlines():
            purpose, consent, *letters = line.split()[:9]
            for cls, letter in zip(CLASSES, letters, strict=True):
                found.append(pytest.param(kind, purpose, consent, cls, LETTERS[letter], id=f"{kind}-{purpose}-{consent}-{cls}"))
    return found


def stated(consent: str, purpose: str) -> Any:
    from policies.consent import read_subject

    if consent == "document":
        return read_subject("[document]").statements[0]
    if consent == "nopicture":
        return read_subject("[no patient picture]").statements[0]
    word, changes = EXTRA.get(consent, (consent, {}))
    return statement(word, purpose, **changes)


@pytest.mark.parametrize(("kind", "purpose", "consent", "cls", "expected"), cells())
def test_every_cell_is_decided_as_written(kind: str, purpose: str, consent: str, cls: str, expected: Action) -> None:
    """Each cell of the matrix gives the action that the documents give it."""
    decision = decide(shipped(), facts(cls, kind, stated(consent, purpose)))
    assert decision.action is expected, decision
    assert decision.rule not in ("floor", "guard"), "a cell must be decided by a rule, not by the floor"


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
def test_each_reason_not_to_look_inside_has_its_own_rule(opaque: str, expected: str) -> None:
    """The settled split of what could not be opened, by class."""
    from tests.support.policyfacts import image

    for cls, letter in zip(CLASSES, expected.split(), strict=True):
        decision = decide(shipped(), facts(cls, "K8", images=(image("K8", opaque=opaque),)))
        assert decision.action is LETTERS[letter], (cls, decision)
        if letter == "Q":
            assert decision.releases == "mail-admin"
