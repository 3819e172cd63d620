"""What is due in the register, on which day, for whom."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from policies.domains.expiry import due_warnings
from policies.model import DomainEntry, RecipientClass
from policies.register import Register

pytestmark = pytest.mark.unit

END = date(2027, 6, 30)


def register(**changes: object) -> Register:
    told: dict[str, object] = {"expires": END, "owner": "ig@example.org"} | changes
    entry = DomainEntry("partner.example", "approved", RecipientClass.APPROVED_CLINICAL, **told)  # type: ignore[arg-type]  # a table
    return Register(frozenset(), {"partner.example": entry})


@pytest.mark.parametrize(
    ("days", "kind", "stage"),
    [
        (61, None, None), (60, "expiring", "60"), (59, "expiring", "60"), (31, "expiring", "60"), (30, "expiring", "30"),
        (8, "expiring", "30"), (7, "expiring", "7"), (0, "expiring", "7"), (-1, "grace", None), (-30, "grace", None),
        (-31, "expired", None),
    ],
)  # fmt: skip
def test_warnings_60_30_and_7_days_before_then_grace_then_over(days: int, kind: str | None, stage: str | None) -> None:
    """Each stage has its own key; within a stage the key stays, so a job that missed a day sends it once."""
    found = due_warnings(register(), END - timedelta(days=days))
    assert [one.kind for one in found] == ([kind] if kind else [])
    if kind:
        assert found[0].owner == "ig@example.org"
        assert found[0].key == "/".join(filter(None, (kind, "partner.example", "2027-06-30", stage)))
        assert "partner.example" in found[0].sentence


def test_review_assurance_second_signature_and_disuse() -> None:
    """Everything else that somebody must look after."""
    today = date(2026, 11, 23)
    entry = register(
        review=date(2026, 11, 1),
        assured=(("DCB1596", date(2026, 12, 1)),),
        countersign_by=date(2026, 11, 24),
        last_used=date(2025, 1, 1),
    )
    assert {one.kind for one in due_warnings(entry, today)} == {"review", "assurance", "countersign", "unused"}
    said = {day: [one.sentence for one in due_warnings(entry, day) if one.kind == "assurance"] for day in (today, END)}
    assert said[today] == ["The security assurance DCB1596 of partner.example runs to 1 December 2026."]
    assert said[END] == ["The security assurance DCB1596 of partner.example ended on 1 December 2026."]  # symptom: "runs to"
    newer = due_warnings(entry, today, {"partner.example": date(2026, 11, 1)})
    assert "unused" not in {one.kind for one in newer}


@pytest.mark.parametrize(("wide", "kinds"), [(True, set()), (False, {"unused"})])
def test_mail_to_a_subdomain_is_use_of_an_entry_that_includes_it(wide: bool, kinds: set[str]) -> None:
    entry = register(last_used=date(2025, 1, 1), include_subdomains=wide)
    used = {"ward.partner.example": date(2026, 11, 1), "otherpartner.example": date(2026, 11, 1)}
    assert {one.kind for one in due_warnings(entry, date(2026, 11, 23), used)} == kinds


def test_only_approved_entries_are_due_and_patients_are_not_named() -> None:
    """A suspended one is nobody's task; a patient's address stays out of mail and logs."""
    stopped = DomainEntry("partner.example", "suspended", RecipientClass.APPROVED_CLINICAL, expires=END)
    assert due_warnings(Register(frozenset(), {"partner.example": stopped}), END) == ()
    patient = DomainEntry("freemail.example", "approved", RecipientClass.PATIENT, expires=END)
    (one,) = due_warnings(Register(frozenset(), {}, {"pat@freemail.example": patient}), END)
    assert "pat@" not in repr(one) + one.sentence + one.key
    (over,) = due_warnings(Register(frozenset(), {}, {"pat@freemail.example": patient}), END + timedelta(days=1))
    assert over.kind == "expired", "no grace for private addresses"
