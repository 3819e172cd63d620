"""An honest statement is never treated worse than silence (domain settled, "Consent and purpose"), on the shipped policy."""

from __future__ import annotations

from functools import cache

import pytest

from policies.consent import combine, read_body_line, read_header, read_subject
from policies.decide import decide
from policies.model import Action, ConsentStatus, Reading
from tests.support.phonelines import phrases
from tests.support.policyfacts import TODAY, facts, shipped

pytestmark = pytest.mark.unit

LINES = [one.words for name in ("phone.txt", "phone-second.txt") for one in phrases(name) if "\n" not in one.words]
REFUSING = (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN)
HEADERS = [
    "given; v=1; form=verbal", "given; v=1; form=written; purpose=COC", "limited; v=1; form=verbal; scope=record", "pending; v=1",
    "given; form=loud", "granted", "given; form=verbal; expires=2020-01-01", "given; form=verbal; date=2099-01-01", "",
    "given; form=implied", "bypassed", "bypassed; bypass=professional-judgement", "not-required", "not-required; basis=gmc-10",
    "given; form=verbal; given-by=family", "given; form=verbal; capacity=lacks", 'given; form=verbal; patient="John Smith"',
]  # fmt: skip


@cache
def action(cls: str, reading: Reading | None) -> Action:
    readings = (reading,) if reading is not None else ()
    consent = combine(readings, today=TODAY, vouched=True, thread="new", images_covered=None)
    return decide(shipped(), facts(cls, "K3", consent=consent)).action


@pytest.mark.parametrize("cls", ["O", "A", "B", "C"])
@pytest.mark.slow
def test_no_honest_line_or_header_is_worse_than_silence(cls: str) -> None:
    """To every approved class, whatever is written but a refusal; what is declared of the picture may only ask for more eyes."""
    silence = action(cls, None)
    readings = [read(line) for line in LINES for read in (read_subject, read_body_line)] + [
        read_header(value) for value in HEADERS
    ]
    for reading in readings:
        said = reading.statements
        if any(one.status in REFUSING for one in said) or any(one.purpose not in (None, "COC", "TREAT") for one in said):
            continue
        declared = any(one.child or one.intimate or one.deceased for one in said)
        assert action(cls, reading) <= (max(silence, Action.QUARANTINE) if declared else silence), said


@pytest.mark.parametrize("cls", ["A", "B", "C", "D", "E"])
def test_what_is_not_understood_is_silence(cls: str) -> None:
    """A question, a doubt, a spoilt header: the same as having said nothing."""
    for value in ("granted", "given; form=loud", "pending", "given; form=verbal; expires=2020-01-01"):
        assert action(cls, read_header(value)) == action(cls, None)
    for line in (one.words for one in phrases("phone.txt") if one.silent and one.where == "S" and len(one.meanings) == 1):
        reading = read_subject(line)
        if all(one.status is ConsentStatus.PENDING for one in reading.statements):
            assert action(cls, reading) == action(cls, None), line
