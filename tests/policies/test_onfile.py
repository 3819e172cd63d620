"""What the consent register says beats whatever the mail says; a limit leaves the uses it names and no others."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.consent import read_header, read_subject
from policies.decide import decide
from policies.files.profiles import PROFILES
from policies.load import load_policy
from policies.model import Action, Facts, Kind, OnFile, RecipientClass
from policies.onfile import allows, combined, uses
from policies.record import from_record, to_record
from policies.replay import Replay
from tests.support.anyfacts import FACTS, ON_FILE
from tests.support.matrix import policy
from tests.support.policyfacts import facts, files, image, shipped, statement

pytestmark = pytest.mark.unit

DAY = date(2026, 11, 12)
NO = OnFile("withdrawn", DAY)
CARE = OnFile("limited", DAY, uses(["record"], []))
GOING = {  # mail that goes when nothing is on file
    "verbal consent in the subject": ("A", "[consent verbal]"),
    "written consent for teaching": ("B", "[consent written, teaching]"),
    "an emergency": ("A", "[emergency: unconscious, burns unit on call]"),
    "not a patient": ("D", "[not a patient image]"),
    "to the patient": ("C", "[consent verbal, patient request]"),
}


def mail(cls: str, tag: str, **changes: Any) -> Facts:
    return facts(cls, "K3", read_subject(tag).statements[0], **changes)


@pytest.mark.parametrize("name", GOING)
def test_a_no_on_file_beats_what_the_mail_says(name: str) -> None:
    """For the patient and for the very picture, also against break-glass and "not a patient"."""
    cls, tag = GOING[name]
    assert decide(shipped(), mail(cls, tag)).action <= Action.PROTECT
    for changes in ({"on_file": NO}, {"withdrawn": True}, {"images": (image("K3", on_file=NO),)}):
        decision = decide(shipped(), mail(cls, tag, **changes))
        assert decision.action >= Action.QUARANTINE
        assert decision.reasons[0] == "consent.refused"
        assert not decision.answers  # no word of the sender's would help


@settings(max_examples=150, deadline=None)
@given(chosen=st.sampled_from(PROFILES), given_facts=FACTS, on_file=ON_FILE)
@pytest.mark.slow
def test_no_profile_lets_out_what_the_register_stops(chosen: str, given_facts: Facts, on_file: OnFile) -> None:
    """Whatever is stated, disclosed or released: nothing clinical leaves for outside against a no, or for a use not left."""
    stopped = replace(given_facts, on_file=on_file, released=given_facts.released - {"consent.limited-on-file"})
    decision = decide(policy(chosen), stopped)
    if decision.kind is Kind.NONE or given_facts.recipient.cls in (RecipientClass.ARCHIVE, RecipientClass.OWN):
        return
    if on_file.ends or not on_file.uses:
        assert decision.action >= Action.QUARANTINE, decision


def test_a_limit_leaves_the_uses_it_names() -> None:
    """"Record only" (S3-7): care, emergencies and the patient's own wish go, teaching waits for a reviewer and says why."""
    assert decide(shipped(), mail("A", "[consent verbal]", on_file=CARE)).action is Action.PROTECT
    assert decide(shipped(), mail("A", "[emergency: unconscious, burns unit on call]", on_file=CARE)).action is Action.PROTECT
    assert decide(shipped(), mail("C", "[consent verbal, patient request]", on_file=CARE)).action is Action.PROTECT
    held = decide(shipped(), mail("B", "[consent written, teaching]", on_file=CARE))
    assert (held.action, held.rule, held.releases, held.answers) == (Action.QUARANTINE, "LIMITED-USE", "ig", ())
    of_picture = decide(shipped(), mail("B", "[consent written, teaching]", images=(image("K3", on_file=CARE),)))
    assert of_picture.rule == "LIMITED-USE"


def test_a_reviewer_may_let_a_use_go_that_was_not_left_but_nothing_against_a_no() -> None:
    accepted = frozenset({"consent.limited-on-file"})
    assert decide(shipped(), mail("B", "[consent written, teaching]", on_file=CARE, released=accepted)).action is Action.PROTECT
    everything = frozenset({"consent.refused", "consent.limited-on-file", "guard"})
    refused = mail("B", "[consent written, teaching]", on_file=NO, released=everything)
    assert decide(shipped(), refused).action >= Action.QUARANTINE


def test_a_policy_without_the_rule_stops_it_all_the_same() -> None:
    """An edited policy cannot lose the safeguard."""
    text = files()["policy.yaml"].replace(b"on_file: outside", b"on_file: refused")
    decision = decide(load_policy({**files(), "policy.yaml": text}), mail("B", "[consent written, teaching]", on_file=CARE))
    assert (decision.action, decision.rule, decision.reasons[0]) == (Action.QUARANTINE, "guard", "consent.limited-on-file")


def test_within_the_organisation_a_limit_is_the_policys_business() -> None:
    assert decide(shipped(), facts("O", "K3", statement("w", "P4"), on_file=CARE)).rule == "OWN"
    assert decide(shipped(), facts("O", "K3", on_file=NO)).rule == "REFUSED-OWN"


@pytest.mark.parametrize(
    ("scope", "purposes", "left"),
    [
        (["record"], [], {"care", "emergency", "patient"}),
        (["record", "teaching"], [], {"care", "emergency", "patient", "training"}),
        ([], ["TREAT"], {"care", "emergency", "patient"}),
        ([], ["research"], {"research"}),
        (["nonsense"], ["more nonsense", ""], set()),
    ],
)
def test_words_of_a_limit(scope: list[str], purposes: list[str], left: set[str]) -> None:
    assert uses(scope, purposes) == left


def test_several_on_file_leave_what_all_leave() -> None:
    """Two patients in one mail: a no beats a limit, the first day is told, limits are cut to what they share."""
    both = OnFile("limited", date(2026, 1, 1), uses(["record", "teaching"], []))
    assert combined([CARE, both]) == OnFile("limited", date(2026, 1, 1), CARE.uses)
    assert combined([CARE, NO, OnFile("refused", date(2026, 1, 1))]) == NO
    assert combined([]) is None
    assert allows(None, "training") and allows(CARE, "none") and not allows(CARE, "training") and not allows(NO, "care")


@given(FACTS)
@pytest.mark.slow
def test_it_is_recorded_and_replayed(given_facts: Facts) -> None:
    again = from_record(json.loads(json.dumps(to_record(given_facts))))
    assert again.on_file == given_facts.on_file
    assert [one.on_file for one in again.images] == [one.on_file for one in given_facts.images]
    assert [one.looked_up for one in again.images] == [one.looked_up for one in given_facts.images]


def test_records_from_before_the_register_still_replay() -> None:
    """They say nothing of it; and two records that differ in it alone are two to the replay."""
    plain, stopped = mail("A", "[consent verbal]"), mail("A", "[consent verbal]", on_file=NO)
    record = to_record(plain)
    assert "on_file" not in record and "on_file" not in record["images"][0]
    replay = Replay(shipped(), shipped())
    actions = [replay.judge(to_record(one)).before.decision.action for one in (plain, stopped, plain)]
    assert actions == [Action.PROTECT, Action.REFUSE, Action.PROTECT]
    of_picture = to_record(mail("A", "[consent verbal]", images=(image("K3", on_file=NO),)))
    assert replay.judge(of_picture).before.decision.action is Action.REFUSE


def test_the_picture_that_could_not_be_looked_up_can_be_asked_about() -> None:
    """The shipped policy lets it pass (the service being down must not stop all care); a site's rule may say otherwise."""
    unknown = mail("A", "[consent verbal]", images=(image("K3", looked_up=False),))
    assert decide(shipped(), unknown).action is Action.PROTECT
    stricter = files()["policy.yaml"].replace(b"withdrawal_unknown: yes}", b"picture_unknown: yes}")
    assert decide(load_policy({**files(), "policy.yaml": stricter}), unknown).rule == "WITHDRAWAL-UNKNOWN"


def test_an_unknown_answer_is_a_word_of_its_own() -> None:
    named = facts("A", "K3", read_header('given; form=verbal; patient="p-1"').statements[0], withdrawn=None)
    assert decide(shipped(), named).rule == "WITHDRAWAL-UNKNOWN"
