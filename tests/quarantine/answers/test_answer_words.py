"""Replies as real people write them: which word is read, and above all which is not."""

from __future__ import annotations

import string
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from quarantine.answers import lexicon
from quarantine.answers.model import ASK_IG, DELETE, HELP, Offer
from quarantine.answers.ownwords import Written
from quarantine.answers.quoting import own
from quarantine.answers.reading import Why, read
from quarantine.answers.words import offers
from tests.support.answerworld import TAGS

pytestmark = pytest.mark.unit

OFFERS = offers(TAGS)
LETS_GO = {offer.word for offer in OFFERS}


def table() -> list[tuple[str, str]]:
    lines = Path(__file__).with_name("replies.txt").read_text("utf-8").splitlines()
    return [(said, want) for said, _, want in (line.rpartition(" => ") for line in lines if line and line[0] != "#")]


def word(text: str, given: tuple[Offer, ...] = OFFERS, subject: str = "") -> str:
    return read(Written(subject, tuple(own(text.split("\n")))), given).word or "-"


@pytest.mark.parametrize(("said", "want"), table())
def test_a_reply_is_read_as_it_is_meant(said: str, want: str) -> None:
    assert word(said.replace("\\n", "\n")) == want


def test_the_table_is_large_enough_to_mean_something() -> None:
    assert len(table()) >= 380
    assert sum(want == "-" for _, want in table()) >= 210


# Where a word of doubt may stand beside an answer.
BESIDE = ("verbal {}", "{} verbal", "verbal. {}", "verbal\n{} the patient", "written consent {} today")
ASIDES = (
    "verbal {} can you send asap",
    "verbal can you send {} asap",
    "verbal. can you send it {}",
    "verbal she said yes {} when I asked her",
    "verbal. she {} said yes when I asked her",
    "verbal full stop {} comma thanks",
    "{} full stop verbal",
    "verbal {} sent from my iphone",
    "Mündlich {}. VERBAL",
    "VERBAL. Mündlich {}",
)


@pytest.mark.parametrize("shape", [*BESIDE, *ASIDES])
def test_no_permission_is_read_beside_a_word_of_doubt(shape: str) -> None:
    """Nor does an aside hide one: what is known to change nothing is known in its closed shape only."""
    assert [doubt for doubt in sorted(lexicon.DOUBTS) if word(shape.format(doubt)) in LETS_GO] == []


SOMEBODY = sorted(lexicon.PEOPLE | lexicon.DOUBTS | {"patient", "verbal", "melanoma", "dermatitis", "7"})


@pytest.mark.parametrize("shape", ["not a patient its a {}", "not a patient its a blue {}"])
def test_a_thing_that_may_be_somebody_is_asked_again(shape: str) -> None:
    assert [said for said in SOMEBODY if word(shape.format(said)) in LETS_GO] == []


ASIDE_WORDS = ("can", "you", "send", "it", "asap", "please", "she", "said", "yes", "when", "i", "asked", "her", "full", "stop",
               "comma", "new", "line", "its", "a", "lamp", "sent", "from", "my", "ta", "verbal", "mündlich")  # fmt: skip


@given(
    st.lists(st.sampled_from(ASIDE_WORDS), max_size=6), st.sampled_from(sorted(lexicon.DOUBTS - lexicon.NAMES)), st.integers(0, 6)
)
def test_no_order_of_asides_lets_a_doubtful_answer_go(words: list[str], doubt: str, at: int) -> None:
    assume((words[:at][-1:], doubt) != (["full"], "stop"))  # that is a dictated mark, and no doubt
    said = " ".join([*words[:at], doubt, *words[at:]])
    assert word(f"verbal {said}") not in LETS_GO
    assert word(f"{said} verbal") not in LETS_GO
    assert word(f"not a patient {said}") not in LETS_GO - {"NOT PATIENT"}


@pytest.mark.parametrize(("phrase", "atom"), sorted(lexicon.TRANSLATED.items()))
def test_the_same_in_another_language_is_left_aside_and_nothing_else(phrase: str, atom: str) -> None:
    same, other = atom.upper(), "WRITTEN" if atom != "written" else "VERBAL"
    assert [word(f"{phrase}. {same}"), word(f"{same}. {phrase}")] == [same, same]
    assert [word(phrase), word(f"{phrase}. {other}"), word(f"{other}. {phrase}"), word(f"{phrase}? {same}")] == ["-"] * 4


@given(st.lists(st.sampled_from(sorted({*lexicon.FILLERS, *lexicon.DOUBTS, "verbal", "consent", "patient"})), max_size=8))
def test_no_mixture_with_a_doubt_lets_anything_go(words: list[str]) -> None:
    if set(words) & (lexicon.DOUBTS - {"ask", "cancel"}):
        assert word(" ".join(words)) not in LETS_GO - {"NOT PATIENT"}


@given(st.text(alphabet=string.printable + "’“”👍–\u200b", max_size=200))
def test_any_text_is_read_without_an_error(text: str) -> None:
    assert word(text) in {*LETS_GO, ASK_IG, DELETE, HELP, "-"}


def test_the_subject_counts_where_the_body_says_nothing() -> None:
    assert word("", subject="VERBAL") == "VERBAL"
    assert word("Jane Lee\nConsultant", subject="verbal") == "VERBAL"


def test_subject_and_body_that_differ_are_asked_again() -> None:
    assert word("verbal", subject="written") == "-"
    assert word("verbal", subject="VERBAL") == "VERBAL"


def test_a_doubt_in_the_body_beats_the_subject() -> None:
    assert word("actually she has not agreed", subject="VERBAL") == "-"


REFERRAL = offers(
    ["[consent verbal, referral]", "[consent written, referral]", "[consent verbal, referral, parent]", "[document]"]
)
TEACHING = offers(["[consent written, teaching]", "[consent written, research, ref NUMBER-1]", "[consent written, publication]"])
PATIENT = offers(["[to patient {address}]", "[to patient {address}, parent]", "[not a patient image]"])
CHECKED = offers(["[right address]", "[consent verbal, right address]"])
CHILD = offers(["[consent verbal, parent]", "[consent written, parent]", "[consent verbal, gillick]"])


@pytest.mark.parametrize(
    ("given", "said", "want"),
    [
        (REFERRAL, "verbal", "VERBAL"),
        (REFERRAL, "verbal, referral", "VERBAL"),
        (REFERRAL, "consent verbal, referral, parent", "PARENT"),
        (REFERRAL, "verbal from mum for the referral", "PARENT"),
        (REFERRAL, "verbal for teaching", "-"),
        (REFERRAL, "document", "DOCUMENT"),
        (REFERRAL, "implied", "-"),
        (TEACHING, "written", "-"),  # for which of the three?
        (TEACHING, "written teaching", "WRITTEN TEACHING"),
        (TEACHING, "Written consent for teaching", "WRITTEN TEACHING"),
        (TEACHING, "written for publication", "WRITTEN PUBLICATION"),
        (TEACHING, "teaching", "-"),  # says nothing of the agreement
        (TEACHING, "verbal for teaching", "-"),
        (CHILD, "parent", "PARENT"),
        (CHILD, "mum signed", "WRITTEN PARENT"),
        (CHILD, "verbal", "-"),  # a child: from whom?
        (CHILD, "Gillick competent", "GILLICK"),
        (CHECKED, "right address", "RIGHT ADDRESS"),
        (CHECKED, "verbal right address", "VERBAL RIGHT ADDRESS"),
        (CHECKED, "verbal", "-"),  # the second look at the address is not given by leaving it out
        (PATIENT, "not a patient", "NOT PATIENT"),
    ],
)
def test_the_words_of_other_questions(given: tuple[Offer, ...], said: str, want: str) -> None:
    assert word(said, given) == want


def test_what_stands_beside_a_word_is_read_with_it() -> None:
    def text(said: str, given: tuple[Offer, ...]) -> tuple[str, str]:
        found = read(Written("", tuple(said.split("\n"))), given)
        return found.word, found.text

    assert text("EMERGENCY airway burn, theatre now", OFFERS) == ("EMERGENCY", "airway burn, theatre now")
    assert text("Emergency\nlimb at risk in resus", OFFERS) == ("EMERGENCY", "limb at risk in resus")
    assert text("TO PATIENT mary@mailbox.example", PATIENT) == ("TO PATIENT", "mary@mailbox.example")
    assert text("to patient\nmary@mailbox.example", PATIENT) == ("TO PATIENT", "mary@mailbox.example")
    assert text("TO PARENT mary@mailbox.example", PATIENT) == ("TO PARENT", "mary@mailbox.example")
    assert text("written research 21/LO/1234", TEACHING) == ("WRITTEN RESEARCH", "21/LO/1234")


def test_why_nothing_was_read_is_a_code() -> None:
    def why(said: str) -> Why | None:
        return read(Written("", tuple(said.split("\n")) if said else ()), OFFERS).why

    assert [why(said) for said in ("", "hello there everybody", "not verbal", "verbal or written", "gillick")] == [
        Why.NOTHING, Why.UNKNOWN, Why.DOUBT, Why.DOUBT, Why.NOT_OFFERED,
    ]  # fmt: skip


def test_who_has_said_how_the_patient_agreed_answers_for_the_address_alone() -> None:
    """The tag holds both, so that it also works in a new mail; what is replied is only what was asked."""
    first, *_ = offers(["[consent written, teaching, right address]", "[emergency: why it cannot wait]"])
    assert (first.word, first.tag, first.meaning_key) == (
        "RIGHT ADDRESS",
        "[consent written, teaching, right address]",
        "right address",
    )
    several = [one.word for one in offers(["[consent verbal, right address]", "[consent written, right address]"])]
    assert several == ["VERBAL RIGHT ADDRESS", "WRITTEN RIGHT ADDRESS"]
