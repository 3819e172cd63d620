"""A second look at the person: what would go waits for one word, and that word is all that is asked."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from policies.consent import combine, read_body_line, read_header, read_subject, write_header
from policies.decide import decide
from policies.load import PolicyError, load_policy
from policies.model import Action, Carrier, Consent, ConsentStatus, Facts, Statement
from policies.statements.spoken import tag_of
from tests.support.policyfacts import TODAY, facts, files, recipient, shipped, statement

pytestmark = pytest.mark.unit

SLIP = frozenset({"recipient.lookalike-address", "recipient.first-time"})


def stated(text: str) -> Consent:
    return combine([read_subject(text)], today=TODAY, vouched=True, thread="new", images_covered=None)


def mail(subject: str = "", cls: str = "A", kind: str = "K3", codes: frozenset[str] = SLIP, **changes: object) -> Facts:
    return facts(cls, kind, consent=stated(subject), codes=codes, **changes)


@pytest.mark.parametrize(
    "text",
    [
        "[right address] rash", "[right person] rash", "(correct recipient) rash", "[recipients checked] rash",
        "[Right Address!] rash", "[yes that is the right person] rash", "[right adress] rash", "[address is correct] rash",
        "[right addresses] rash", "[address ok] rash", "[Right address] RE: rash",
    ],
)  # fmt: skip
def test_the_word_as_people_type_it(text: str) -> None:
    """It says whom, not whether the patient agreed."""
    said = combine([read_subject(text)], today=TODAY, vouched=True, thread="new", images_covered=None).statement
    assert said is not None
    assert (said.checked, said.status, said.form) == (True, ConsentStatus.PENDING, None)


@pytest.mark.parametrize("line", ["Right address", "right address.", "Correct address", "Right person"])
def test_the_word_alone_on_the_first_line(line: str) -> None:
    """As a phone types it."""
    assert [one.checked for one in read_body_line(line).statements] == [True]


@pytest.mark.parametrize("text", ["[right arm] rash", "[right] rash", "right address for the clinic?", "[wrong address] rash"])
def test_other_words_are_no_confirmation(text: str) -> None:
    """Nor does any other bracket."""
    assert not any(one.checked for one in read_subject(text).statements)


def test_it_stands_beside_any_other_statement() -> None:
    """Two tags, another carrier, an answer to the hold: the consent stays what it was."""
    for readings in (
        [read_subject("[right address] [consent written, teaching] rash")],
        [read_subject("[consent written, teaching] [right address] rash")],
        [read_subject("[right address] rash"), read_header("given; form=written; purpose=TRAIN; scope=teaching")],
        [
            read_subject("[consent written, teaching] rash"),
            read_header("pending; recipients-checked=?1", carrier=Carrier.RELEASE),
        ],
    ):
        said = combine(readings, today=TODAY, vouched=True, thread="new", images_covered=None).statement
        assert said is not None
        assert (said.status, said.form, said.purpose, said.checked) == (ConsentStatus.GIVEN, "written", "TRAIN", True)


def test_what_is_pending_stays_pending() -> None:
    """ "Consent to follow" beside it is still no consent, and its tag confirms nothing."""
    said = stated("[consent to follow, right address] rash").statement
    assert said is not None and (said.status, said.checked) == (ConsentStatus.PENDING, False)


def test_an_inherited_or_unvouched_word_does_not_count() -> None:
    """As of any tag: after Re: it was typed for another mail."""
    reading = read_subject("Re: [right address] rash")
    assert combine([reading], today=TODAY, vouched=True, thread="reply", images_covered=None).statement is None
    assert combine([reading], today=TODAY, vouched=False, thread="new", images_covered=None).statement is None


def test_who_agreed_already_is_asked_for_the_address_only() -> None:
    """The offered tag holds what was stated, so that it works in a new mail too; no other way to agree is offered."""
    for said, offered in (
        ("[consent verbal] rash", "[consent verbal, right address]"),
        ("[consent written, teaching] rash", "[consent written, teaching, right address]"),
        ("[consent written, research, ref REC-77] rash", "[consent written, research, ref NUMBER-1, right address]"),
        ("[consent telephone, referral, 1 March 2026] rash", "[consent telephone, referral, 1 March 2026, right address]"),
    ):
        decision = decide(shipped(), mail(said))
        assert (decision.action, decision.rule) == (Action.ASK, "LOOK-ADDRESS"), said
        assert decision.answers == (offered, "[emergency: why it cannot wait]")
        assert decide(shipped(), mail(f"{offered} rash")).action is Action.PROTECT


def test_who_has_not_agreed_is_asked_once_for_both() -> None:
    """Every tag the consent rule offers comes with the word for the address; each leads to sending."""
    decision = decide(shipped(), mail())
    assert (decision.action, decision.rule) == (Action.ASK, "CARE-ASK")
    assert "recipient.lookalike-address" in decision.reasons
    assert decision.answers[0] == "[consent verbal, right address]"
    for offered in decision.answers:
        text = offered.replace("why it cannot wait", "bleeding and unconscious")
        assert decide(shipped(), mail(f"{text} rash")).action <= Action.PROTECT, offered


def test_who_checked_the_address_first_is_not_asked_for_it_again() -> None:
    """The words for consent then come with it: a new mail with them alone would ask a second time."""
    decision = decide(shipped(), mail("[right address] rash"))
    assert decision.answers[0] == "[consent verbal, right address]"


def test_an_x_ray_needs_the_one_word() -> None:
    """No consent is needed for it, so none is asked."""
    decision = decide(shipped(), mail(kind="K1"))
    assert decision.answers[0] == "[right address]"
    assert decide(shipped(), mail("[right address] x-ray", kind="K1")).action is Action.PROTECT


@pytest.mark.parametrize("codes", [SLIP, frozenset({"recipient.many"}), frozenset({"recipient.other-name"})])
def test_mail_without_a_clinical_picture_never_waits(codes: frozenset[str]) -> None:
    """Settled: whatever the address looks like; nor does what is no patient, nor a letter to a patient."""
    assert decide(shipped(), mail(kind="K0", codes=codes)).action is Action.DELIVER
    assert decide(shipped(), mail("[not a patient image] cake", codes=codes)).action is Action.DELIVER
    assert decide(shipped(), mail(cls="C", kind="K9", codes=codes)).action is Action.DELIVER
    assert decide(shipped(), mail(cls="O", codes=codes)).action is Action.DELIVER


def test_an_emergency_goes_and_is_told() -> None:
    """Break-glass is never stopped for a spelling; the sender hears of it at once (matrix 4.6)."""
    given = facts("A", "K3", statement("emergency"), codes=SLIP)
    decision = decide(shipped(), given)
    assert (decision.action, decision.notice) == (Action.PROTECT, "N-6")
    assert "recipient.check-now" in decision.advice and decision.advise_now


def test_advice_changes_nothing_else() -> None:
    """A first email to somebody goes as before."""
    plain, first = (
        mail("[consent verbal] rash", codes=frozenset()),
        mail("[consent verbal] rash", codes=SLIP - {"recipient.lookalike-address"}),
    )
    assert replace(decide(shipped(), first), advice=()) == decide(shipped(), plain)
    assert decide(shipped(), first).advice == ("recipient.first-time",)


def test_a_release_is_not_asked_again() -> None:
    """What waits for another reason names this one too, so that a reviewer's yes covers both."""
    held = decide(shipped(), mail("[consent verbal] rash", cls="D"))
    assert held.action is Action.QUARANTINE and "recipient.lookalike-address" in held.reasons
    again = decide(shipped(), mail("[consent verbal] rash", cls="D", released=frozenset(held.reasons)))
    assert again.action is Action.PROTECT


def test_a_patients_address_typed_twice_is_checked() -> None:
    """To write it once more is the second look."""
    given = mail("[to patient someone@there.example] photo", cls="E")
    assert decide(shipped(), given).action is Action.PROTECT


def test_a_lookalike_domain_cannot_be_talked_past() -> None:
    """The organisation is unknown: only a reviewer lets a photograph go there; a scanned page needs the word."""
    near = recipient("D", lookalike_of="royal-example.nhs.uk")
    for text in ("[consent verbal, right address] rash", "[right address] rash"):
        decision = decide(shipped(), mail(text, cls="D", recipient=near, codes=frozenset()))
        assert decision.action >= Action.ASK and "domain.lookalike" in decision.reasons
    page = mail("[document] letter", cls="D", kind="K9", recipient=near, codes=frozenset())
    assert decide(shipped(), page).answers == ("[document, right address]", "[not a patient image]")
    both = mail("[document, right address] letter", cls="D", kind="K9", recipient=near, codes=frozenset())
    assert decide(shipped(), both).action is Action.DELIVER


def test_care_teams_are_told_of_many_people_and_not_stopped() -> None:
    """Profiles with implied agreement: a meeting's list goes, with a word to the sender."""
    text = files()["policy.yaml"].replace(b"\nprofile: uk-strict\n", b"\nprofile: uk-care-team\n")
    policy = load_policy({**files(), "policy.yaml": text})
    decision = decide(policy, mail("[consent verbal] rash", codes=frozenset({"recipient.many"})))
    assert (decision.action, decision.advice) == (Action.PROTECT, ("recipient.many",))


@pytest.mark.parametrize(
    ("then", "problem"),
    [
        ("DELIVER", "a second look can only hold what would go"),
        ("PROTECT", "a second look can only hold what would go"),
        ("ADVISE", "a second look can only hold what would go"),
    ],
)
def test_a_second_look_never_lets_out(then: str, problem: str) -> None:
    """Whoever writes one that would is told so at load."""
    rule = f"""
  - id: MINE
    when: {{recipient: A, kind: photo}}
    second_look: true
    then: {then}
    reasons: [recipient.many]
    source: [ours]
    reviewed: 2026-11-23
"""
    with pytest.raises(PolicyError, match=problem):
        load_policy({**files(), "policy.yaml": files()["policy.yaml"] + rule.encode()})


def test_a_statement_as_a_tag() -> None:
    """What can be said in words is; what cannot is not offered."""
    given = Statement(ConsentStatus.GIVEN, Carrier.HEADER, form="written", given_by="parental-responsibility", child=True)
    assert tag_of(given) == "[consent written, parent]"
    assert tag_of(replace(given, form=None)) == "[consent, parent]"
    assert tag_of(replace(given, given_by="patient", intimate=True)) == "[consent written, child, intimate]"
    assert tag_of(replace(given, expires=date(2027, 3, 1))) == "[consent written, parent, until 1 March 2027]"
    assert tag_of(Statement(ConsentStatus.NOT_REQUIRED, Carrier.HEADER, basis="gmc-17")) is None
    assert tag_of(Statement(ConsentStatus.REFUSED, Carrier.HEADER)) is None


def test_the_header_says_it_too() -> None:
    """Programs can state it; what is written reads again the same."""
    said = Statement(ConsentStatus.GIVEN, Carrier.HEADER, form="verbal", checked=True)
    assert write_header(said) == "given; v=1; form=verbal; recipients-checked=?1"
    assert read_header(write_header(said)).statements == (said,)
