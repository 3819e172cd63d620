"""Break-glass, expected values by hand from the domain documents (4.6, settled): what the word opens, what it never opens."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from policies.consent import read_header
from policies.decide import decide
from policies.model import Action, Carrier, Consent, ConsentStatus, Kind, Statement
from policies.statements.tags import EMERGENCY_REASON, read_subject
from tests.support.policyfacts import facts, image, recipient, shipped, statement

pytestmark = pytest.mark.unit

REASONS = "unconscious, airway burns"


def word(**changes: Any) -> Statement:
    """The emergency word with a reason."""
    made = statement("emergency", **changes)
    assert made is not None
    return made


def outcome(cls: str, kind: str, stated: Statement, **changes: Any) -> tuple[str, str, bool]:
    """(action, who releases, is somebody on call told) of one recipient."""
    made = decide(shipped(), facts(cls, kind, stated, **changes))
    return made.action.name, made.releases, made.alert


@pytest.mark.parametrize(
    ("cls", "kind", "action", "alert"),
    [
        ("A", "K3", "PROTECT", True),  # to an approved clinical service at once, IG told
        ("A", "K1", "PROTECT", True),
        ("A", "K5", "PROTECT", True),  # a child, too: nobody waits for a parent's word
        ("A", "K7", "PROTECT", True),
        ("A", "K4", "PROTECT", True),  # intimate: end to end only
        ("D", "K3", "PROTECT", True),  # an unknown organisation: by portal only
        ("D", "K4", "QUARANTINE", True),  # intimate to anybody unknown: two people
        ("E", "K3", "QUARANTINE", True),  # a private mailbox: on call decides
        ("E", "K5", "QUARANTINE", True),
        ("F", "K3", "REFUSE", False),  # file shares, chat, social mail-ins: never
        ("F", "K4", "REFUSE", False),
        ("F", "K6", "REFUSE", False),
    ],
)
def test_what_the_word_does_to_whom(cls: str, kind: str, action: str, alert: bool) -> None:
    """One row a cell of 4.6."""
    made = outcome(cls, kind, word())
    assert (made[0], made[2]) == (action, alert)


def test_an_intimate_picture_of_a_child_never_goes_by_itself() -> None:
    """Two named people, no preview, whoever it is for; never released by the sender, never refused in silence."""
    for cls in ("A", "B", "C", "D", "E"):
        action, releases, _ = outcome(cls, "K6", word())
        assert action in ("QUARANTINE", "REFUSE") and (action == "REFUSE" or releases == "two-person"), cls


def test_intimate_goes_end_to_end_only_even_in_an_emergency() -> None:
    """Over a route alone it is held; with a certificate it goes."""
    held = outcome("A", "K4", word(), methods={"route": "ok", "smime": "smime.no-certificate", "pickup": "pickup.none"})
    assert held[0] == "QUARANTINE"
    assert outcome("A", "K4", word(), methods={"route": "ok", "smime": "ok"})[0] == "PROTECT"


def test_a_list_of_people_is_asked_back() -> None:
    """One person or team: with two the sender is asked, urgently, and no offered answer is an emergency."""
    made = decide(shipped(), facts("A", "K3", word(), recipients=2))
    assert (made.action, made.urgency) == (Action.ASK, "urgent")
    assert "consent.emergency-many" in made.reasons
    assert made.answers and not any("emergency" in answer for answer in made.answers)


def test_the_number_of_people_is_the_sites_to_set() -> None:
    """settings: emergency_recipients."""
    policy = shipped()
    assert policy.settings.emergency_recipients == 1
    assert decide(policy, facts("A", "K3", word(), recipients=1)).action is Action.PROTECT


@pytest.mark.parametrize("reason", [None, "", "   ", "urgent", "123456789", " now  now "])
def test_a_reason_of_less_than_ten_letters_opens_nothing(reason: str | None) -> None:
    """The sender is told that a reason is missing, and asked."""
    made = decide(shipped(), facts("A", "K3", replace(word(), reason=reason)))
    assert made.action is Action.ASK and "consent.emergency-reason" in made.reasons


def test_ten_letters_are_enough() -> None:
    """As the document says; spaces at the ends are none."""
    assert EMERGENCY_REASON == 10
    assert decide(shipped(), facts("A", "K3", replace(word(), reason=" 1234567890 "))).action is Action.PROTECT


@pytest.mark.parametrize("kind", ["K1", "K3", "K4", "K5", "K7"])
@pytest.mark.parametrize("cls", ["A", "B", "C", "D", "E"])
def test_a_refusal_on_file_beats_the_word(cls: str, kind: str) -> None:
    """Nothing goes by itself, whoever it is for and whatever the picture."""
    made = decide(shipped(), facts(cls, kind, word(), withdrawn=True))
    assert made.action >= Action.QUARANTINE and "consent.refused" in made.reasons


def test_a_refusal_in_the_same_sentence_beats_the_word() -> None:
    """ "[emergency: patient refused, but …]" is a refusal for a clinician to argue with a person, not a way out."""
    (stated,) = read_subject("[emergency: patient refused but septic]").statements
    assert stated.status is ConsentStatus.REFUSED
    assert decide(shipped(), facts("A", "K3", stated)).action >= Action.QUARANTINE


def test_the_fastest_method_that_can_serve_is_taken() -> None:
    """In the order of the register; one that cannot serve now is passed over, none at all is held and told to somebody."""
    ready = {"route": "ok", "smime": "smime.no-certificate"}
    made = decide(shipped(), facts("A", "K3", word(), methods=ready))
    assert made.action is Action.PROTECT and made.methods == ("route",) and made.scrub
    never = {"route": "route.unknown", "smime": "smime.no-certificate"}
    none = decide(shipped(), facts("A", "K3", word(), methods=never))
    assert none.action is Action.QUARANTINE and none.alert and none.urgency == "urgent"


@pytest.mark.parametrize("standing", ["suspended", "denied"])
def test_a_suspended_domain_is_not_opened_by_the_word(standing: str) -> None:
    """It was stopped on purpose."""
    known = recipient("D", standing=standing)
    assert decide(shipped(), facts("D", "K3", word(), recipient=known)).action >= Action.QUARANTINE


def test_a_lookalike_is_not_opened_by_the_word() -> None:
    """A slip in the address is likelier in a hurry."""
    known = recipient("D", lookalike_of="there.example")
    assert decide(shipped(), facts("D", "K3", word(), recipient=known)).action >= Action.QUARANTINE


@pytest.mark.parametrize(
    "subject",
    ["[emergency: unconscious, airway burns]", "(emergency: unconscious, airway burns)",
     "[break-glass: unconscious, airway burns]", "[EMERGENCY unconscious, airway burns] opinion",
     "[emergancy - unconscious, airway burns]"],
)  # fmt: skip
def test_the_word_is_read_as_people_write_it(subject: str) -> None:
    """Subject tags, with the slips of a hurry; the reason is what stands behind the word."""
    (stated,) = read_subject(subject).statements
    assert (stated.status, stated.bypass, stated.reason) == (ConsentStatus.BYPASSED, "emergency", REASONS)


def test_the_header_says_the_same() -> None:
    """As programs write it."""
    field = f'bypassed; v=1; purpose=ETREAT; bypass=emergency; reason="{REASONS}"'
    (stated,) = read_header(field, carrier=Carrier.HEADER).statements
    assert (stated.bypass, stated.reason) == ("emergency", REASONS)
    assert decide(shipped(), facts("A", "K3", stated)).action is Action.PROTECT


def test_honest_words_in_the_reason_are_never_worse_than_silence_and_never_lost() -> None:
    """A reason that says intimate or child is judged as such."""
    (stated,) = read_subject("[emergency: child, intimate injury, theatre waits]").statements
    assert stated.child and stated.intimate
    made = decide(shipped(), facts("A", "K3", stated, images=(image(Kind.INTIMATE_CHILD.value),)))
    assert made.action >= Action.QUARANTINE and made.alert


@pytest.mark.parametrize("why", ["pt denied chest pain but ECG ischaemic", "denies trauma, pulseless foot"])
def test_a_history_in_the_reason_is_no_refusal(why: str) -> None:
    """Symptom: a history with "denied" in it stopped an emergency, and put a refusal on the patient's file."""
    (stated,) = read_subject(f"[emergency: {why}]").statements
    assert stated.status is ConsentStatus.BYPASSED
    for refusal in (f"consent denied, {why}", f"{why}; denied consent", "family denied permission, septic"):
        (stated,) = read_subject(f"[emergency: {refusal}]").statements
        assert stated.status is ConsentStatus.REFUSED


def test_an_emergency_goes_by_any_method_that_can_serve() -> None:
    """The register names S/MIME and there is no certificate, but a secure route is set: 4.6, the fastest available."""
    known = recipient("A")
    assert known.entry is not None
    told = replace(known, entry=replace(known.entry, methods=("smime",)))
    ways = {"route": "ok", "smime": "smime.no-certificate"}
    made = decide(shipped(), facts("A", "K3", word(reason=REASONS), recipient=told, methods=ways))
    assert (made.action, made.methods) == (Action.PROTECT, ("route",))
    routine = decide(shipped(), facts("A", "K3", statement("v"), recipient=told, methods=ways))
    assert routine.action is Action.QUARANTINE
    nothing = decide(shipped(), facts("A", "K3", word(reason=REASONS), recipient=told, methods={**ways, "route": "route.none"}))
    assert nothing.action is Action.QUARANTINE and nothing.urgency == "urgent"


def test_professional_judgement_is_not_the_emergency_word() -> None:
    """Another bypass of the standard (HL7 table 0499) opens nothing by itself."""
    made = decide(shipped(), facts("A", "K3", replace(word(), bypass="professional-judgement")))
    assert made.action is Action.ASK


def test_the_decision_says_emergency_wherever_the_word_carried_it() -> None:
    """The case that IG reviews is opened by this reason: without it the use would stay unseen."""
    for cls in ("A", "D"):
        made = decide(shipped(), facts(cls, "K3", word()))
        assert made.action is Action.PROTECT and "consent.emergency" in made.reasons and made.notice == "N-6", cls
    assert "consent.emergency" not in decide(shipped(), facts("A", "K3", statement("v", "P1"))).reasons
    assert Consent(word()).statement is not None
