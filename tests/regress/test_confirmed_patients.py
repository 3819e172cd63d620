"""A patient whose address the sender confirmed is a patient in everything that follows, not only in the decision."""

from __future__ import annotations

import pytest

from gateway.demo.samples import Sample, picture
from gateway.pipeline import plan
from gateway.plans import recorded
from tests.support.contexts import context, received

pytestmark = pytest.mark.unit

PATIENT = "mary.roe@gmail.com"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [(f"[to patient {PATIENT}] your picture", "C"), ("[to patient] your picture", "E"), ("your picture", "E")],
)
def test_what_is_recorded_of_a_confirmed_patient_says_so(subject: str, expected: str) -> None:
    """Symptom: "[to patient ADDRESS]" was held, and the notice had the patient's address in its subject line (P5).

    Cause: the record named the class of the register (E), which notices, pages and recall letters go by, not the one the rules
    had judged by (C).  Analysis: the second was no part of the decision.  Prevention: it is; a recall would have written to the
    patient that a patient had taken back their agreement.
    """
    photo = Sample("photo", (PATIENT,), subject, attach=(picture(1),)).build()
    assert recorded(plan(context(), received(photo, PATIENT)), 0)["class"] == expected
