"""Who releases on which terms: what is accepted counts, not only why the email was held at first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from quarantine import ops, roles
from quarantine.state import NotAllowed
from tests.support.quarantine_kit import World, hex_id, hold_object, outcome_object

pytestmark = pytest.mark.unit

HOLD = hex_id("hold")


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A hold for a technical reason; ``both`` is mail admin and IG."""
    made = World(tmp_path, options={"reviewers": {"ig": ["ig1", "ig2", "both"], "mail_admin": ["adm", "both"]}})
    hold = hold_object(reasons=["opaque.corrupt"], releases="mail-admin")
    made.take(hold, outcome_object([hold]))
    return made


@pytest.mark.parametrize(
    "terms",
    [
        {"accepted": ["opaque.corrupt", "domain.unknown"]},
        {"accepted": ["consent.missing"]},
        {"accepted": ["kind.intimate-child"]},
        {"accepted": ["policy.floor"]},
        {"accepted": [roles.UNPROTECTED]},
        {"statement": "given; v=1; form=written; purpose=TREAT"},
    ],
)
def test_a_mail_admin_accepts_technical_reasons_only(world: World, terms: dict[str, Any]) -> None:
    """Symptom: a mail admin let a damaged picture go to a domain nobody had approved, by accepting ``domain.unknown`` as well.

    Cause: only the hold's own reasons were looked at, not what was accepted beside them.  Prevention: both are.
    """
    with pytest.raises(NotAllowed, match="only IG may release on these terms"):
        ops.release(world.desk(), HOLD, "adm", **terms)
    assert ops.release(world.desk(), HOLD, "adm", accepted=["opaque.corrupt", "mime.ambiguous"])["state"] == "RELEASING"


@pytest.mark.parametrize(
    "terms", [{"accepted": ["domain.unknown"]}, {"accepted": [roles.UNPROTECTED]}, {"statement": "given; v=1"}]
)
def test_ig_may_and_who_is_both_is_taken_for_ig(world: World, terms: dict[str, Any]) -> None:
    """Somebody in both lists was refused ``protect.no-method``: the lesser of their roles was taken."""
    assert ops.release(world.desk(), HOLD, "both", **terms)["state"] == "RELEASING"
    assert world.records.transitions(HOLD)[-1].role == roles.IG


def test_what_two_people_must_decide_is_not_accepted_by_one(world: World) -> None:
    """Also where the hold itself came for another reason, and a second look found what it shows."""
    accepted = ["opaque.corrupt", "kind.intimate"]
    for _ in range(2):
        assert "needs" in ops.release(world.desk(), HOLD, "ig1", accepted=accepted)
    assert "needs" in ops.release(world.desk(), HOLD, "ig2", accepted=["kind.intimate"])  # other terms
    assert ops.release(world.desk(), HOLD, "ig2", accepted=accepted)["state"] == "RELEASING"
