"""Every row of the grammar of Clinical-Image-Consent (docs/policy.md; domain/03 3.3) as a test; its promises as properties."""

from __future__ import annotations

import email.message
import email.policy
import time
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.consent import combine, read_header, write_header
from policies.model import Carrier, ConsentStatus, Reading, Statement
from policies.statements.header import MAX_BYTES, MAX_STATEMENTS, PARAMS
from policies.vocabulary import BASES, BYPASSES, CAPACITIES, FORMS, GIVERS, INFORMED, PURPOSES, SCOPES, STATUSES

pytestmark = pytest.mark.unit

EXAMPLES = [  # domain/03 3.4
    'given; v=1; form=verbal; given-by=patient; purpose=COC; scope=record; date="2025-11-20"; patient="p-7f3a9c21";'
    ' record="EPR-C-204417"; identifiable; intimate=?0',
    'given; v=1; form=written; given-by=parental-responsibility; purpose=COC; scope=record; date="2025-11-20";'
    ' expires="2026-05-20"; child; part="rash-1.jpg", bypassed; v=1; purpose=ETREAT; bypass=emergency;'
    ' reason="unconscious, burns unit on call"; part="burn.jpg"',
    "not-required; v=1; purpose=TRAIN; basis=gmc-10; identifiable=?0",
    'withdrawn; v=1; date="2025-11-21"; patient="p-7f3a9c21"',
]

# parameter -> what may be written for it in the canonical form, and the value of the statement's field (3.3, one row each)
ROWS: list[tuple[str, str, str, object]] = [
    *(("form", word, "form", word) for word in FORMS),
    *(("given-by", word, "given_by", word) for word in GIVERS),
    *(("purpose", word, "purpose", word) for word in PURPOSES),
    *(("scope", word, "scope", frozenset({word})) for word in SCOPES),
    ("scope", '"record teaching research"', "scope", frozenset({"record", "teaching", "research"})),
    *(("informed", word, "informed", frozenset({word})) for word in INFORMED),
    ("informed", '"people purpose"', "informed", frozenset({"purpose", "people"})),
    ("informed", "?1", "informed", frozenset(INFORMED) - {"reassured"}),
    ("informed", '"purpose, the weather"', "informed", frozenset({"purpose"})),
    ("date", '"2025-11-20"', "dated", date(2025, 11, 20)),
    ("expires", '"2026-05-20"', "expires", date(2026, 5, 20)),
    ("patient", '"p-7f3a9c21"', "patient", "p-7f3a9c21"),
    ("record", '"Consent/123"', "record", "Consent/123"),
    ("policy", '"photo-3.1"', "policy", "photo-3.1"),
    ("part", '"rash-1.jpg"', "part", "rash-1.jpg"),
    ("part", '"a \\"b\\", c; d.jpg"', "part", 'a "b", c; d.jpg'),
    *(("basis", word, "basis", word) for word in BASES),
    *(("bypass", word, "bypass", word) for word in BYPASSES),
    ("reason", '"unconscious, burns unit on call"', "reason", "unconscious, burns unit on call"),
    *(("capacity", word, "capacity", word) for word in CAPACITIES),
    *((name, "?1", name, True) for name in ("intimate", "identifiable", "child", "deceased")),
    *((name, "?0", name, False) for name in ("intimate", "identifiable", "child", "deceased")),
]  # fmt: skip


@pytest.mark.parametrize(("key", "written", "name", "value"), ROWS)
def test_each_row_of_the_grammar(key: str, written: str, name: str, value: object) -> None:
    reading = read_header(f"given; v=1; {key}={written}")
    assert reading.problems == ()
    assert getattr(reading.statements[0], name) == value


def test_no_row_is_missing() -> None:
    assert {key for key, _, _, _ in ROWS} | {"to-patient", "recipients-checked"} == set(PARAMS)


@pytest.mark.parametrize("status", STATUSES)
def test_each_status(status: str) -> None:
    assert read_header(status).statements[0].status.value == status


@pytest.mark.parametrize("key", ["intimate", "identifiable", "child", "deceased"])
def test_a_bare_key_is_true(key: str) -> None:
    """3.3: "intimate" [ "=" sf-boolean ]; RFC 9651 3.1.2."""
    assert getattr(read_header(f"given; {key}").statements[0], key) is True


def test_what_is_left_out_has_the_documented_default() -> None:
    """3.3 rule 5: identifiable, not intimate, no child; purpose open."""
    (said,) = read_header("given; v=1; form=verbal").statements
    assert (said.identifiable, said.intimate, said.child, said.deceased, said.purpose) == (True, False, False, False, None)


def test_parents_and_gillick_are_about_a_child() -> None:
    """3.3, mapping: capacity=gillick is a child competent to decide; settled: PARENT implies child."""
    for value in ("given; given-by=parental-responsibility", "given; capacity=gillick"):
        assert read_header(value).statements[0].child


def test_the_limits() -> None:
    """3.3 rule 3: 2 KiB and 20 statements, to the last one."""
    many = ", ".join(["given; form=verbal"] * MAX_STATEMENTS)
    assert len(read_header(many).statements) == MAX_STATEMENTS
    fits = "given; x=" + "y" * (MAX_BYTES - 9)
    assert read_header(fits).problems == () and read_header(fits + "y").problems[0].code == "consent.too-long"


@pytest.mark.parametrize("value", ["given; form=v\u00e9rbal", "=?utf-8?q?given?=", 'given; reason="=?utf-8?q?x?=\u00e9"'])
def test_only_ascii(value: str) -> None:
    """3.3 rule 2: letters beyond ASCII and encoded words make no statement."""
    assert read_header(value).statements == ()


def test_unknown_words_keep_or_drop_as_documented() -> None:
    """3.3 rule 4: an unknown parameter is ignored; an unknown status, form, giver makes no statement and names itself."""
    assert read_header("given; form=verbal; colour=blue; x-y=?1").statements
    for value, word in (("granted", "granted"), ("given; form=loud", "loud"), ("given; given-by=aunt", "aunt")):
        reading = read_header(value)
        assert reading.statements == () and reading.problems[0].word == word


@pytest.mark.parametrize(
    ("value", "name", "expected"),
    [
        ("given; form=oral", "form", "verbal"),
        ("given; form=Signed", "form", "written"),
        ("given; given-by=mum", "given_by", "parental-responsibility"),
        ("given; given-by=LPA", "given_by", "attorney"),
        ("given; purpose=referral", "purpose", "COC"),
        ('given; purpose="second opinion"', "purpose", "COC"),
    ],
)
def test_people_words_in_the_header(value: str, name: str, expected: str) -> None:
    """The reader is tolerant: the words of tags do for values."""
    (said,) = read_header(value).statements
    assert getattr(said, name) == expected


@pytest.mark.parametrize("value", EXAMPLES)
def test_examples_are_valid_structured_fields(value: str) -> None:
    """Judged by an independent parser of RFC 9651, as written here and as written by us."""
    sfv = pytest.importorskip("http_sfv")
    for text in (value, write_header(*read_header(value).statements)):
        parsed = sfv.List()
        parsed.parse(text.encode())
        assert [str(item.value) for item in parsed] == [s.status.value for s in read_header(value).statements]


@pytest.mark.parametrize("value", EXAMPLES)
def test_examples_fold_and_unfold(value: str) -> None:
    """Through an independent mail library: the folded field reads as the unfolded one."""
    message = email.message.EmailMessage(email.policy.SMTP)
    message["Clinical-Image-Consent"] = value
    raw = message.as_bytes().decode().partition(":")[2].partition("\r\n\r\n")[0]
    assert read_header(raw) == read_header(value)


PSEUDO = st.text("ABCxyz019-_./:", min_size=1, max_size=64)
PRINTED = st.text([chr(code) for code in range(0x20, 0x7F)], min_size=1, max_size=40)
DAYS = st.dates(date(2000, 1, 1), date(2099, 12, 31))
HOWEVER = {
    "form": st.sampled_from(FORMS), "given_by": st.sampled_from(GIVERS), "purpose": st.sampled_from(sorted(PURPOSES)),
    "scope": st.frozensets(st.sampled_from(SCOPES)), "dated": DAYS, "expires": DAYS, "patient": PSEUDO, "record": PSEUDO,
    "policy": PSEUDO, "part": PRINTED, "basis": st.sampled_from(BASES), "bypass": st.sampled_from(BYPASSES), "reason": PRINTED,
    "capacity": st.sampled_from(CAPACITIES), "intimate": st.booleans(), "identifiable": st.booleans(), "child": st.booleans(),
    "deceased": st.booleans(), "to_patient": st.booleans(),
    "informed": st.frozensets(st.sampled_from(INFORMED)),
}  # fmt: skip


@st.composite
def said(draw: Any, statuses: tuple[ConsentStatus, ...] = tuple(ConsentStatus)) -> Statement:
    names = draw(st.lists(st.sampled_from(sorted(HOWEVER)), unique=True))
    fields = {name: draw(HOWEVER[name]) for name in names}
    if fields.get("given_by") == "parental-responsibility" or fields.get("capacity") == "gillick":
        fields["child"] = True  # the reader concludes it
    return Statement(status=draw(st.sampled_from(statuses)), carrier=Carrier.HEADER, **fields)


@given(st.lists(said(), min_size=1, max_size=3))
@pytest.mark.slow
def test_what_is_written_reads_as_the_same_statement(statements: list[Statement]) -> None:
    """Every field of every statement, in one field value."""
    value = write_header(*statements)
    if len(value) <= MAX_BYTES:
        assert read_header(value) == Reading(Carrier.HEADER, tuple(statements))


@given(said())
def test_the_reduced_form_names_no_patient(statement: Statement) -> None:
    """3.7 pseudonymise: status, v, purpose, scope, expires and nothing else."""
    (left,) = read_header(write_header(statement, private=False)).statements
    kept = Statement(
        statement.status, Carrier.HEADER, purpose=statement.purpose, scope=statement.scope, expires=statement.expires
    )
    assert left == kept


@pytest.mark.parametrize("text", ["Zo\u00eb", "a\r\nSubject: x", "\x00"])
def test_what_the_grammar_cannot_hold_is_not_written(text: str) -> None:
    """No header injection by way of a reason."""
    with pytest.raises(ValueError, match="reason cannot be written"):
        write_header(Statement(ConsentStatus.GIVEN, Carrier.HEADER, reason=text))


@given(st.text(max_size=200))
def test_reading_is_total(value: str) -> None:
    reading = read_header(value)
    assert reading.statements or reading.problems


@pytest.mark.parametrize("unit", ["(", '"', '"\\', "given; ", "refused,", ", ", "\r\n ", "=", 'given; reason="\\"'])
def test_reading_is_linear(unit: str) -> None:
    """A megabyte of anything takes a moment."""
    start = time.perf_counter()
    read_header(unit * (1_000_000 // len(unit)))
    assert time.perf_counter() - start < 1


# ---- precedence (3.6) and validity (rule 6)

TODAY = date(2025, 11, 22)
RANK = (Carrier.RELEASE, Carrier.PART, Carrier.HEADER, Carrier.BODY, Carrier.SUBJECT)
GIVEN = (ConsentStatus.GIVEN, ConsentStatus.LIMITED)


def together(*statements: Statement) -> Any:
    readings = [Reading(one.carrier, (one,)) for one in statements]
    return combine(readings, today=TODAY, vouched=True, thread="new", images_covered=None)


@given(st.lists(st.sampled_from(RANK), min_size=1, unique=True), st.permutations(FORMS))
def test_the_strongest_carrier_decides(carriers: list[Carrier], forms: list[str]) -> None:
    """3.6: hold-reply or web form > part header > header field > body line > subject tag, in whatever order they are found."""
    each = dict(zip(RANK, forms, strict=True))
    chosen = together(*(Statement(ConsentStatus.GIVEN, one, form=each[one]) for one in carriers)).statement
    assert chosen.form == each[min(carriers, key=RANK.index)]


@given(st.sampled_from(RANK), st.lists(st.tuples(st.sampled_from(RANK), said(GIVEN)), max_size=5), st.integers(0, 5))
def test_a_refusal_anywhere_wins(where: Carrier, others: list[tuple[Carrier, Statement]], at: int) -> None:
    """3.6: whatever stands beside it, about the message or about a part."""
    statements = [replace(one, carrier=carrier) for carrier, one in others]
    statements.insert(min(at, len(statements)), Statement(ConsentStatus.REFUSED, where))
    consent = together(*statements)
    assert consent.statement.status is ConsentStatus.REFUSED
    assert all(one.status is ConsentStatus.REFUSED for one in consent.per_part)


@pytest.mark.parametrize(
    ("value", "form"),
    [
        ('given; form=written; part="a.jpg", given; form=verbal; part="a.jpg"', "verbal"),
        ('given; form=verbal; part="A.jpg", given; form=written; part="a.JPG"', "verbal"),
        ('given; form=written; part="a.jpg", refused; part="a.jpg"', None),
    ],
)
def test_of_two_statements_about_a_part_the_stricter_counts(value: str, form: str | None) -> None:
    """3.3 rule 1."""
    consent = combine([read_header(value)], today=TODAY, vouched=True, thread="new", images_covered=None)
    assert [one.form for one in consent.per_part] == [form]


def test_a_parts_own_field_beats_the_header_about_it() -> None:
    """3.2: the per-attachment form wins for that part; a purpose it leaves open comes from the message."""
    own = read_header("given; form=verbal", carrier=Carrier.PART, part="a.jpg")
    header = read_header('given; form=written; purpose=COC, given; form=written; purpose=TRAIN; part="a.jpg"')
    consent = combine([header, own], today=TODAY, vouched=True, thread="new", images_covered=None)
    assert [(one.form, one.purpose) for one in consent.per_part] == [("verbal", "TRAIN")]
    assert consent.statement is not None and consent.statement.form == "written"


def test_the_answer_to_a_hold_is_about_every_part() -> None:
    """3.6: it is the latest word; what a part's field declared of the picture stays."""
    part = read_header("given; form=implied; intimate", carrier=Carrier.PART, part="a.jpg")
    answer = read_header("given; form=verbal", carrier=Carrier.RELEASE)
    consent = combine([part, answer], today=TODAY, vouched=True, thread="new", images_covered=None)
    assert consent.per_part == ()
    assert consent.statement is not None and (consent.statement.form, consent.statement.intimate) == ("verbal", True)


def test_what_an_unvouched_field_declares_of_a_part_still_tightens() -> None:
    part = read_header("given; form=verbal; intimate", carrier=Carrier.PART, part="a.jpg")
    consent = combine([part], today=TODAY, vouched=False, thread="new", images_covered=None)
    assert [(one.status, one.form, one.intimate) for one in consent.per_part] == [(ConsentStatus.PENDING, None, True)]


@given(said(GIVEN), st.integers(-400, 400), st.integers(-400, 400))
def test_no_consent_of_tomorrow_or_that_has_run_out_counts(statement: Statement, dated: int, ends: int) -> None:
    """3.3 rule 6, to the day."""
    whole = replace(statement, part=None, dated=TODAY + timedelta(dated), expires=TODAY + timedelta(ends))
    found = together(whole).statement
    counts = found is not None and found.status in GIVEN
    assert counts == (dated <= 0 <= ends)


@given(said(GIVEN), st.sampled_from(["; form=loud", "; date=soon", "; v=9", "; scope=facebook", '; patient="John Smith"']))
def test_a_spoilt_statement_is_silence_never_a_refusal(statement: Statement, fault: str) -> None:
    """Settled: an honest statement is never treated worse than silence: what cannot be read neither permits nor refuses."""
    reading = read_header(write_header(statement) + fault)
    assert all(one.status is ConsentStatus.PENDING for one in reading.statements)
    assert reading.problems


def test_no_problem_shows_its_word() -> None:
    """P5: the word is for the sender's notice alone; it stands in no repr, and a possible name is not kept at all."""
    for value in ("given; form=Smith", "Smith", 'given; patient="John Smith"', 'given; record="943 476 5919"'):
        (problem,) = read_header(value).problems
        assert "Smith" not in repr(problem) and "943" not in repr(problem) + problem.word
    assert read_header('given; patient="John Smith"').problems[0].word == ""
