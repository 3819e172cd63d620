"""Pictures that come again as another file: what the gateway makes of them, and that it never costs a mail."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pytest

from filters.api import Malformed, TooBig
from gateway.context import Context
from gateway.evidence.aggregation import resembling
from gateway.evidence.likeness import Likenesses
from gateway.evidence.recognising import journalled
from gateway.facts import Memory
from gateway.model import Plan
from gateway.pipeline import judge, plan
from gateway.sandbox import parent
from gateway.sandbox.parent import SandboxFailed
from policies.counsel import AGGREGATE
from policies.files.sidesettings import Aggregation
from policies.model import Facts, RecipientClass
from quarantine.consents.model import Standing
from quarantine.ledger.fingerprintkey import FingerprintKey
from tests.support.contexts import AT, COLLEAGUE, context, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit
LIKENESS = b"\x01" + bytes(132) + b"\0"


def remembering(monkeypatch: pytest.MonkeyPatch, likeness: bytes = LIKENESS, **memory: Any) -> Context:
    """A gateway that sees ``likeness`` in every clinical picture, and remembers what ``memory`` says."""
    monkeypatch.setattr("gateway.context.Likenesses", lambda *_: lambda data: likeness)
    made = context()
    opening = made.spec.opening.model_copy(update={"recognise": 1})
    known = {
        "disclosed": lambda image, to: False,
        "first_written_to": lambda sender, ones: "somebody",
        "withdrawn": lambda numbers: False,
    }
    spec = made.spec.model_copy(update={"opening": opening})
    return dataclasses.replace(made, spec=spec, memory=Memory(**(known | memory)))


def mail() -> bytes:
    return letter("dr.adams@clinic.example", [COLLEAGUE], pictures=(canary_photo(),), subject="As before")


def facts(made: Context) -> Facts:
    return judge(made, received(mail(), COLLEAGUE)).facts[0]


def planned(made: Context) -> Plan:
    return plan(made, received(mail(), COLLEAGUE))


# -- the thread that is not asked twice ----------------------------------------------------------------------------------


def test_a_picture_saved_anew_counts_as_disclosed_to_this_recipient(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[bytes, str]] = []
    made = remembering(monkeypatch, disclosed_again=lambda likeness, to: asked.append((likeness, to)) or True)
    assert [one.disclosed for one in facts(made).images] == [True]
    assert asked == [(LIKENESS, COLLEAGUE)]


@pytest.mark.parametrize(
    ("likeness", "file", "again", "known"),
    [
        (LIKENESS, False, False, False),
        (LIKENESS, False, None, False),  # asked as if it were new
        (b"", False, True, False),  # it has no likeness: nothing is claimed of it
        (LIKENESS, None, True, None),  # what is not known of the file stays unknown
        (LIKENESS, True, False, True),
    ],
)
def test_only_a_sure_answer_relaxes_anything(
    monkeypatch: pytest.MonkeyPatch, likeness: bytes, file: bool | None, again: bool | None, known: bool | None
) -> None:
    made = remembering(monkeypatch, likeness, disclosed=lambda *_: file, disclosed_again=lambda *_: again)
    assert [one.disclosed for one in facts(made).images] == [known]


def test_the_policy_can_switch_it_off(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembering(monkeypatch, disclosed_again=lambda *_: True)
    strict = dataclasses.replace(made.policy, settings=made.policy.settings.model_copy(update={"recognise_resaved": False}))
    assert [one.disclosed for one in facts(dataclasses.replace(made, policy=strict)).images] == [False]


# -- what a patient said -------------------------------------------------------------------------------------------------


def test_what_looks_like_a_refused_picture_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembering(
        monkeypatch,
        said_of_image=lambda sha256: (),
        said_of_likeness=lambda likeness: [Standing("refused", AT - 86400, (), ())],
        disclosed_again=lambda *_: True,
    )
    (one,) = facts(made).images
    assert one.on_file is not None
    assert not planned(made).copies


def test_that_it_cannot_be_known_whether_it_was_refused_is_a_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembering(monkeypatch, said_of_image=lambda sha256: (), said_of_likeness=lambda likeness: None)
    assert [one.looked_up for one in facts(made).images] == [False]


# -- near-identical pictures ---------------------------------------------------------------------------------------------


def before(*mails: str, same: bool = False) -> Callable[[bytes, str, float], list[tuple[str, str, bool]]]:
    return lambda likeness, recipient, since: [(f"image of {one}", one, same) for one in mails]


@pytest.mark.parametrize(
    ("past", "cls", "found"),
    [
        (before("a", "b"), RecipientClass.APPROVED_CLINICAL, True),
        (before("a", "a"), RecipientClass.APPROVED_CLINICAL, False),  # two pictures of one mail
        (before("a", "b"), RecipientClass.OWN, False),
        (before("a", "b", same=True), RecipientClass.APPROVED_CLINICAL, False),  # they have this very picture
        (before("a"), RecipientClass.APPROVED_CLINICAL, False),
        (lambda *_: None, RecipientClass.APPROVED_CLINICAL, False),
    ],
)
def test_the_third_mail_with_nearly_the_same_picture_is_a_finding(past: Any, cls: RecipientClass, found: bool) -> None:
    codes = resembling(past, Aggregation(mails=3, days=30), [LIKENESS], COLLEAGUE, cls, AT)
    assert codes == (frozenset({AGGREGATE}) if found else frozenset())


def test_only_as_many_days_are_looked_at_as_the_policy_says() -> None:
    asked: list[float] = []
    resembling(
        lambda a, b, since: asked.append(since) or (),
        Aggregation(mails=3, days=7),
        [LIKENESS],
        COLLEAGUE,
        RecipientClass.UNKNOWN,
        AT,
    )
    assert asked == [AT - 7 * 86400]


def test_a_mail_that_names_no_patient_has_the_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembering(monkeypatch, gone_alike=before("a", "b"))
    assert AGGREGATE in facts(made).codes


# -- what is kept --------------------------------------------------------------------------------------------------------


def test_the_record_has_it_encrypted_and_the_journal_has_numbers_only(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembering(monkeypatch)
    record = planned(made).record
    ((sha256, text),) = record["fingerprints"].items()
    assert FingerprintKey(made.hashes).from_text(sha256, text) == LIKENESS
    assert sha256 in {one["sha256"] for one in record["images"]}
    assert record["recognised"] == {"made": 1, "none": 0}
    written = json.dumps(journalled(record))
    assert "fingerprints" not in written
    assert LIKENESS.hex() not in json.dumps(dict(record))


def test_a_picture_without_one_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    record = planned(remembering(monkeypatch, b"")).record
    assert (record["fingerprints"], record["recognised"]) == ({}, {"made": 0, "none": 1})


def test_a_mail_without_a_clinical_picture_says_nothing_of_it(monkeypatch: pytest.MonkeyPatch) -> None:
    words = letter("dr.adams@clinic.example", [COLLEAGUE], subject="Lunch")
    assert not {"fingerprints", "recognised"} & set(plan(remembering(monkeypatch), received(words, COLLEAGUE)).record)


# -- what it may cost ----------------------------------------------------------------------------------------------------


def answering(monkeypatch: pytest.MonkeyPatch, *answers: object) -> list[bytes]:
    """The sandbox's answers one after the other; returns what it was given."""
    given: list[bytes] = []
    left = list(answers)

    def one_frame(sandbox: object, job: str, data: bytes, *_: object) -> parent.Frame:
        given.append(data)
        answer = left.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return {}, list(answer) if isinstance(answer, tuple) else []

    monkeypatch.setattr("gateway.evidence.likeness.one_frame", one_frame)
    return given


GOOD = (b"\x01\x01\xe0\x01\x68" + bytes(128) + b"\0",)


@pytest.mark.parametrize("trouble", [Malformed("x"), TooBig("x"), SandboxFailed("x"), (), (b"nonsense",), (*GOOD, b"")])
def test_whatever_the_sandbox_does_the_picture_only_has_no_likeness(monkeypatch: pytest.MonkeyPatch, trouble: object) -> None:
    answering(monkeypatch, trouble, GOOD)
    made = Likenesses(parent.Sandbox(1, 1.0), 9, 9.0)
    assert made(b"first") == b""
    assert made(b"second") == GOOD[0]


def test_each_picture_is_looked_at_once_and_only_so_many(monkeypatch: pytest.MonkeyPatch) -> None:
    given = answering(monkeypatch, GOOD, GOOD, GOOD)
    made = Likenesses(parent.Sandbox(1, 1.0), 2, 9.0)
    assert [bool(made(one)) for one in (b"a", b"a", b"b", b"c", b"a")] == [True, True, True, False, True]
    assert given == [b"a", b"b"]


def test_when_the_time_is_over_nothing_is_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    given = answering(monkeypatch, GOOD)
    assert Likenesses(parent.Sandbox(1, 1.0), 9, 0.0)(b"a") == b""
    assert given == []
