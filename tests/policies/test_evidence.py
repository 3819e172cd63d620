"""What the evidence of a file and of a statement makes of a picture: its kind, and what the policy's scope reaches."""

from __future__ import annotations

import pytest

from filters.dicom.facts import _RADIOLOGY
from policies.conditions import ATTACHMENT
from policies.consent import read_header, read_subject
from policies.decide import decide
from policies.features import ROUTINE_MODALITIES
from policies.files.profiles import BASES, PROFILES, in_force
from policies.files.settings import ProfileWord
from policies.load import Policy, PolicyError, load_policy
from policies.model import Action, Facts, ImageFacts, Kind
from tests.support.matrix import policy
from tests.support.policyfacts import facts, files, image, shipped

pytestmark = pytest.mark.unit

ANONYMOUS = read_header("not-required; basis=gmc-17; purpose=TRAIN; identifiable=?0").statements[0]
ROUTINE = read_header("not-required; basis=gmc-10; purpose=TRAIN; identifiable=?0").statements[0]


def kind(given: Facts) -> Kind:
    return decide(policy("gmc-17"), given).kind


def test_the_modalities_are_those_of_the_filters() -> None:
    """Both packages call the same DICOM modalities routine imaging; neither may import the other."""
    assert ROUTINE_MODALITIES == _RADIOLOGY


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (image("K0", modality="CT"), Kind.ROUTINE_IMAGING),
        (image("K9", modality="US"), Kind.ROUTINE_IMAGING),
        (image("K0", modality="XC"), Kind.IDENTIFIABLE_PHOTO),  # external camera
        (image("K0", modality="NEW"), Kind.IDENTIFIABLE_PHOTO),  # a modality nobody knows is no proof
        (image("K3"), Kind.IDENTIFIABLE_PHOTO),
        (image("K2"), Kind.IDENTIFIABLE_PHOTO),  # nothing in a file can show that nobody is recognised
    ],
)
def test_the_kind_by_the_file_alone(one: ImageFacts, expected: Kind) -> None:
    assert kind(facts("A", images=(one,))) is expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Kind.DEIDENTIFIED_PHOTO),
        ({"images": (image(codes=frozenset({"exif.gps", "exif.serial"})),)}, Kind.DEIDENTIFIED_PHOTO),  # these are stripped
        ({"images": (image(codes=frozenset({"text.nhs-number"})),)}, Kind.IDENTIFIABLE_PHOTO),
        (
            {"images": (image(format="dicom", modality="XC", codes=frozenset({"dicom.burned-in-unknown"})),)},
            Kind.IDENTIFIABLE_PHOTO,
        ),
        ({"images": (image(format="mp4"),)}, Kind.IDENTIFIABLE_PHOTO),
        ({"codes": frozenset({"ident.subject"})}, Kind.IDENTIFIABLE_PHOTO),
        ({"codes": frozenset({"ident.file-name"})}, Kind.IDENTIFIABLE_PHOTO),
        ({"vouched": False}, Kind.IDENTIFIABLE_PHOTO),
    ],
)
def test_what_makes_a_photograph_deidentified(changes: dict[str, object], expected: Kind) -> None:
    """A certain sender's word, and nothing found against it; the rule then cleans it in any case."""
    decision = decide(policy("gmc-17"), facts("A", "K3", ANONYMOUS, **changes))
    assert decision.kind is expected
    assert (decision.action is Action.PROTECT) == (expected is Kind.DEIDENTIFIED_PHOTO), decision
    assert decision.scrub


@pytest.mark.parametrize("code", ["dicom.burned-in", "dicom.burned-in-unknown", "dicom.recognisable"])
@pytest.mark.parametrize("profile", ["uk-strict", "gmc-17", "au", "us"])
def test_names_in_the_pixels_are_never_anonymous(profile: str, code: str) -> None:
    """GMC 12 asks for anonymised scans; a file that does not rule names out is none, and the sender is told so."""
    clean = facts("B", "K1", ROUTINE)
    assert decide(policy(profile), clean).action is Action.PROTECT
    named = facts("B", images=(image("K1", codes=frozenset({code})),), stated=ROUTINE)
    decision = decide(policy(profile), named)
    assert (decision.action, "image.burned-in" in decision.reasons) == (Action.ASK, True)
    assert decide(policy(profile), facts("A", images=named.images)).action is Action.PROTECT  # for care nothing changes


def scoped(scope: str) -> Policy:
    given = files()
    return load_policy({**given, "policy.yaml": given["policy.yaml"].replace(b"scope: images", f"scope: {scope}".encode())})


@pytest.mark.parametrize(
    ("scope", "plain", "attached"),
    [("images", "D", "D"), ("all-attachments", "D", "Q"), ("all", "Q", "Q")],
)
def test_the_scope_of_the_quarantine(scope: str, plain: str, attached: str) -> None:
    """Without a picture: held only where it goes to an organisation outside the register, never where it goes to a patient."""
    expected = {"D": Action.DELIVER, "Q": Action.QUARANTINE}
    chosen = scoped(scope)
    codes = frozenset({ATTACHMENT})
    assert decide(chosen, facts("D", "K0")).action is expected[plain]
    assert decide(chosen, facts("D", "K0", codes=codes)).action is expected[attached]
    for cls in ("O", "A", "B", "C", "E", "F", "archive"):
        assert decide(chosen, facts(cls, "K0", codes=codes)).action is Action.DELIVER, cls


def test_a_confirmed_patient_is_outside_the_scope() -> None:
    """An unlisted domain is a patient's where the sender says so and types the address again."""
    said = read_subject("[to patient someone@there.example]").statements[0]
    assert decide(scoped("all"), facts("D", "K0", said)).action is Action.DELIVER


@pytest.mark.parametrize(
    ("chosen", "fault"),
    [
        ("uk-stric", 'did you mean "uk-strict"?'),
        ("[uk-strict, us]", "uk-strict and us exclude each other; choose one of uk-strict, uk-care-team, au, us, test"),
        ("[mdu-strict, gmc-17]", "mdu-strict and gmc-17 exclude each other"),
        ("[us, us]", "us and us exclude each other"),
        ("[small-practice, small-practice]", "a profile stands twice"),
        ("[]", "profile"),
        ("au", "data_location"),
        ("au", "agreement: profile au needs the day on which you read how they use, disclose and store pictures"),
    ],
)
@pytest.mark.slow
def test_a_wrong_choice_of_profiles_is_told(chosen: str, fault: str) -> None:
    text = files()["policy.yaml"].replace(b"\nprofile: uk-strict\n", f"\nprofile: {chosen}\n".encode())
    with pytest.raises(PolicyError) as error:
        load_policy({**files(), "policy.yaml": text})
    assert fault in str(error.value), error.value


def test_a_rule_that_names_no_known_profile_is_told() -> None:
    text = files()["policy.yaml"].replace(b"{profile: gmc-17, recipient", b"{profile: gmc17, recipient")
    with pytest.raises(PolicyError, match=r'rules\[\d+\]\.when\.profile: "gmc17" is not allowed here.* did you mean "gmc-17"'):
        load_policy({**files(), "policy.yaml": text})


def test_profiles_that_are_left_open_have_their_default() -> None:
    """A file without the line is uk-strict with mdu-strict; one choice keeps the other's default."""
    assert in_force(()) == {"uk-strict", "mdu-strict"}
    assert in_force(("gmc-17",)) == {"uk-strict", "gmc-17"}
    assert in_force(("us", "small-practice")) == {"us", "mdu-strict", "small-practice"}
    assert load_policy(
        {**files(), "policy.yaml": files()["policy.yaml"].replace(b"\nprofile: uk-strict\n", b"\n")}
    ).profiles == in_force(())
    assert set(ProfileWord.__args__) == set(PROFILES) and shipped().profiles & BASES.keys() == {"uk-strict"}
