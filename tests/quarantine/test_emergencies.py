"""Break-glass: what goes on the emergency word is a case that somebody reviews within a working day.  Its reason stays sealed."""

from __future__ import annotations

import base64
import dataclasses
import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from policies.statements.tags import EMERGENCY_REASON
from quarantine import ops
from quarantine.deadlines import OfficeHours
from quarantine.emergencies import desk, notes, watch
from quarantine.emergencies.cases import Cases
from quarantine.emergencies.model import REASON_LETTERS, Case
from quarantine.emergencies.opening import NoReason, answered, due
from quarantine.emergencies.reason import opened, sealed
from quarantine.lmtp import Answer
from quarantine.model import SealedObject, State
from quarantine.notices.renderer import Mail, Renderer
from quarantine.notices.settings import from_options
from quarantine.notices.wording import load
from quarantine.ops import NotFound
from quarantine.retention import purge
from quarantine.seal import Damaged, NoKey
from quarantine.settings import QuarantineSettings
from quarantine.state import NotAllowed
from tests.support.quarantine_kit import MONDAY, PEER, SENDER, World, answering, hex_id, hold_object, outcome_object

pytestmark = pytest.mark.unit

WHY = "CANARY-reason: unconscious, Mrs Jones of 4 Mill Lane, burns unit waits"
DAY = 86_400.0
LONDON = ZoneInfo("Europe/London")


def went(name: str = "urgent", why: str = WHY, *, to: str = PEER, **meta: Any) -> SealedObject:
    """An outcome as the gateway makes it of ``[emergency: why]`` that went at once."""
    made = outcome_object(delivered=(to,), name=name, **meta)
    lines = [{**made.meta["recipients"][0], "reasons": ["consent.emergency"], "notice": "N-6", "rule": "EMERGENCY-CLINICAL"}]
    told = {**made.meta, "recipients": lines, "emergency": {"way": "subject"}, "ref": f"REF-{name}", **meta}
    return dataclasses.replace(made, meta=told, aside=why)


def said(world: World) -> list[str]:
    return [f"{row.kind} {row.role} {row.to}".strip() for row in world.records.outbox_due(world.now + 60)]


def mails(world: World, kind: str) -> list[str]:
    """The text of what is due now of one kind."""
    renderer = Renderer(world.records, from_options(world.settings), load())
    rows = [row for row in world.records.outbox_due(world.now + 60) if row.kind == kind]
    made = [renderer.render([row], world.now) for row in rows]
    return [one.data.decode() for one in made if isinstance(one, Mail)]


def local(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(LONDON).strftime("%a %d %b %H:%M")


def only(world: World) -> Case:
    (case,) = Cases(world.records).all()
    return case


# -- a case is opened ----------------------------------------------------------------------------------------------------


def test_what_goes_on_the_emergency_word_opens_a_case(tmp_path: Path) -> None:
    """Sender, recipient, rule, and where the word stood; due at the end of the next working day; IG is told at once."""
    world = World(tmp_path)
    assert world.take(went()) == 1
    case = only(world)
    assert (case.sender, case.way, case.ref, case.reviewed) == (SENDER, "subject", "REF-urgent", None)
    (person,) = Cases(world.records).people(case.id)
    assert (person.address, person.rule, person.method) == (PEER, "EMERGENCY-CLINICAL", "route")
    assert local(case.due) == "Tue 24 Nov 17:30"
    assert "emergency ig" in said(world)


def test_the_reason_stands_nowhere_in_clear_and_the_reviewer_reads_it(tmp_path: Path) -> None:
    """Not in records, audit, notices or store; with the review key it is there, without it the command says how to get it."""
    world = World(tmp_path)
    world.take(went())
    notes.write_notes(world.records, world.store, world.public)
    told = mails(world, "emergency")
    for path in [p for p in tmp_path.rglob("*") if p.is_file()]:
        assert b"CANARY-reason" not in path.read_bytes(), path
        assert b"Mill Lane" not in path.read_bytes(), path
    assert told and all("CANARY" not in one and SENDER not in one and PEER not in one for one in told)
    assert desk.show(world.desk(), "REF-urgent", "ig1")["reason"] == WHY
    blind = dataclasses.replace(world.desk(), private_keys={"online": world.private["online"]})
    shown = desk.show(blind, "REF-urgent", "ig1")
    assert shown["reason"] == "" and "--key" in shown["reason_hidden"]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"state": "held"}, "it did not go"),
        ({"reasons": ["consent.stated"]}, "consent was stated"),
        ({"class": "O"}, "colleagues of the own organisation need no word"),
        ({"class": "archive"}, "an archive is nobody"),
        ({"method": "observe"}, "in observe everything goes"),
        ({"method": "advise"}, "in advise everything goes"),
    ],
)
def test_no_case_where_the_word_opened_nothing(tmp_path: Path, line: dict[str, Any], why: str) -> None:
    """A case is a bypass; without one there is nothing to review."""
    world = World(tmp_path)
    made = went()
    lines = [{**made.meta["recipients"][0], **line}]
    world.take(dataclasses.replace(made, meta={**made.meta, "recipients": lines}))
    assert Cases(world.records).all() == [], why


def test_copies_of_one_email_are_one_case(tmp_path: Path) -> None:
    """An upstream that splits a message does not make two emergencies of it; the second person is added."""
    world = World(tmp_path)
    same = {"message_id": "<one@own.example>"}
    world.take(went("a", **same), went("b", to="dr.two@royal.example", **same))
    case = only(world)
    assert sorted(p.address for p in Cases(world.records).people(case.id)) == [PEER, "dr.two@royal.example"]
    assert case.version == 2
    assert said(world).count("emergency ig") == 1
    assert desk.find(world.desk(), "REF-b").id == case.id


def test_an_outcome_taken_twice_is_one_case(tmp_path: Path) -> None:
    """The gateway may write an outcome again."""
    world = World(tmp_path)
    world.take(went())
    world.take(went())
    assert only(world).version == 1


def test_an_old_outcome_without_a_kept_reason_is_a_case_all_the_same(tmp_path: Path) -> None:
    """What was written before reasons were kept is reviewed without one, and that is said."""
    world = World(tmp_path)
    made = went()
    world.take(dataclasses.replace(made, aside="", meta={k: v for k, v in made.meta.items() if k != "emergency"}))
    assert desk.show(world.desk(), "REF-urgent", "ig1")["reason_hidden"] == "no reason was kept"


# -- out of a hold -------------------------------------------------------------------------------------------------------


async def test_an_answer_emergency_is_a_case_once_it_has_gone(tmp_path: Path) -> None:
    """Sealed while the release runs, judged by the gateway as written, told to IG, and N-6 to the sender."""
    world = World(tmp_path)
    hold = hold_object(key="online", action="ASK", reasons=["consent.missing"], releases="sender", notice="N-1")
    world.take(hold, outcome_object([hold], name="asked"))
    ops.release(world.desk(), hold.id, "sender", statement=f"[emergency: {WHY}]", sender=True, emergency=("reply", WHY))
    row = world.records.hold(hold.id)
    assert row is not None and row.release is not None and "CANARY" not in row.release
    assert Cases(world.records).all() == []  # nothing has gone yet
    seen: list[Any] = []

    async def deliver(path: Path, people: Any, data: bytes, parameters: Any, seconds: float) -> list[Answer]:
        seen.extend(parameters)
        return [Answer(250, "2.0.0 DELIVERED", True)]

    assert await world.releaser(deliver).run(world.now) == 1
    case = only(world)
    assert (case.way, case.hold, case.ref) == ("reply", hold.id, row.ref)
    assert desk.show(world.desk(), row.ref, "ig1")["reason"] == WHY
    token = next(str(word) for word in seen if str(word).startswith("CLINIGATE-RELEASE="))
    payload = token.partition("=")[2].partition(".")[0]
    assert WHY in json.loads(base64.urlsafe_b64decode(payload + "=="))["statement"]
    assert "emergency ig" in said(world)
    notice = mails(world, "N-5")
    assert len(notice) == 1 and "as an emergency" in notice[0] and "CANARY" not in notice[0]
    for path in [p for p in (tmp_path / "state").rglob("*") if p.is_file()]:
        assert b"CANARY-reason" not in path.read_bytes(), path


async def test_a_release_that_is_held_again_is_no_case(tmp_path: Path) -> None:
    """A refusal on file beats the word: the gateway holds the release, nothing went, nothing is to be reviewed."""
    world = World(tmp_path)
    hold = hold_object(key="online", action="ASK", reasons=["consent.missing"], releases="sender", notice="N-1")
    world.take(hold, outcome_object([hold], name="asked"))
    ops.release(world.desk(), hold.id, "sender", statement="[emergency: x]", sender=True, emergency=("form", WHY))
    await world.releaser(answering(Answer(250, "2.0.0 HELD-AGAIN consent.refused", True))).run(world.now)
    row = world.records.hold(hold.id)
    assert row is not None and row.state is State.QUARANTINED
    assert Cases(world.records).all() == []


async def test_what_a_reviewer_lets_go_on_the_word_is_a_case_with_the_reason_of_the_email(tmp_path: Path) -> None:
    """To an unknown address the word alone does not do: on call decides, and the review still asks whether the patient knows."""
    world = World(tmp_path)
    hold = hold_object(reasons=["consent.emergency", "domain.unknown"], rule="EMERGENCY-ON-CALL")
    outcome = outcome_object([hold], name="held")
    outcome = dataclasses.replace(outcome, meta={**outcome.meta, "emergency": {"way": "header"}}, aside=WHY)
    world.take(hold, outcome)
    assert Cases(world.records).all() == []
    ops.release(world.desk(), hold.id, "ig1", accepted=["domain.unknown"])
    await world.releaser(answering(Answer(250, "2.0.0 DELIVERED", True))).run(world.now)
    assert only(world).way == "ig"
    assert desk.show(world.desk(), only(world).ref, "ig2")["reason"] == WHY


def test_a_reason_of_nine_letters_is_none() -> None:
    """Ten letters, as the policy asks of every other carrier."""
    assert REASON_LETTERS == EMERGENCY_REASON == 10
    with pytest.raises(NoReason):
        answered("reply", " burns     x ", "[emergency: burns x]", hex_id("h"), {})


def test_a_sealed_reason_opens_with_its_key_only(tmp_path: Path) -> None:
    """Changed is damaged; another key is no key."""
    world = World(tmp_path)
    blob = sealed(WHY, hex_id("x"), world.public)
    assert opened(blob, world.private) == WHY
    with pytest.raises(NoKey):
        opened(blob, {"online": world.private["online"]})
    with pytest.raises(Damaged):
        opened("not base64!", world.private)


# -- review --------------------------------------------------------------------------------------------------------------


def test_a_review_says_what_was_found_and_when_the_patient_was_told(tmp_path: Path) -> None:
    """The patient may be told later; both stand with who found it."""
    world = World(tmp_path)
    world.take(went())
    world.now += 3600
    done = desk.review(world.desk(), "REF-urgent", "ig1", verdict="justified", code="IG-2026-7")
    assert (done["verdict"], done["reviewer"], done["informed"], done["overdue"]) == ("justified", "ig1", "", False)
    world.now += 3 * DAY
    later = desk.review(world.desk(), "REF-urgent", "ig2", informed="2026-11-25")
    told = tuple(later[name] for name in ("verdict", "reviewer", "informed", "note"))
    assert told == ("justified", "ig1", "2026-11-25", "IG-2026-7")
    assert later["reviewed"] == done["reviewed"]
    assert desk.list_cases(world.desk()) == []
    assert len(desk.list_cases(world.desk(), everything=True)) == 1
    events = [json.loads(line) for line in world.settings.audit.read_text().splitlines()]
    assert [e["event"] for e in events if e["event"].startswith("emergency")] == [
        "emergency-used", "emergency-reviewed", "emergency-reviewed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("user", "options", "says"),
    [
        ("adm", {"verdict": "justified"}, "reviewed by IG"),
        ("nobody", {"verdict": "justified"}, "reviewed by IG"),
        ("ig1", {}, "say first whether it was justified or not-justified"),
        ("ig1", {"informed": "2026-11-23"}, "say first"),
        ("ig1", {"verdict": "fine"}, "one of: justified, not-justified"),
        ("ig1", {"verdict": "justified", "code": "Mrs Jones"}, "code of letters"),
        ("ig1", {"verdict": "justified", "informed": "25/11/2026"}, "write the day as 2026-11-25"),
        ("ig1", {"verdict": "justified", "informed": "2026-11-22"}, "between the emergency and today"),
        ("ig1", {"verdict": "justified", "informed": "2026-12-24"}, "between the emergency and today"),
    ],
)
def test_a_review_that_cannot_be_is_refused_with_what_to_do(
    tmp_path: Path, user: str, options: dict[str, str], says: str
) -> None:
    """Only IG, an outcome first, codes and days in their form."""
    world = World(tmp_path)
    world.take(went())
    with pytest.raises(NotAllowed, match=says):
        desk.review(world.desk(), "REF-urgent", user, **options)
    assert only(world).reviewed is None


def test_nobody_reviews_their_own_emergency(tmp_path: Path) -> None:
    """A member of IG who is a clinician, too."""
    world = World(tmp_path, options={"reviewers": {"ig": ["dr.lee"], "mail_admin": []}})
    world.take(went())
    with pytest.raises(NotAllowed, match="of their own"):
        desk.review(world.desk(), "REF-urgent", "dr.lee", verdict="justified")


def test_a_finding_is_changed_on_purpose_only(tmp_path: Path) -> None:
    """--again."""
    world = World(tmp_path)
    world.take(went())
    desk.review(world.desk(), "REF-urgent", "ig1", verdict="justified")
    with pytest.raises(NotAllowed, match="justified by ig1 already; add --again"):
        desk.review(world.desk(), "REF-urgent", "ig2", verdict="not-justified")
    assert desk.review(world.desk(), "REF-urgent", "ig2", verdict="not-justified", again=True)["reviewer"] == "ig2"


def test_an_unknown_reference_says_where_to_look(tmp_path: Path) -> None:
    """A wrong reference is the commonest mistake."""
    with pytest.raises(NotFound, match="emergency list --all"):
        desk.show(World(tmp_path).desk(), "AAAA-2222", "ig1")


# -- time ----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("used", "ends"),
    [
        ((2026, 11, 23, 9, 0), "Tue 24 Nov 17:30"),  # Monday morning
        ((2026, 11, 27, 18, 0), "Mon 30 Nov 17:30"),  # Friday evening
        ((2026, 11, 28, 3, 0), "Mon 30 Nov 17:30"),  # Saturday night
        ((2026, 12, 24, 23, 0), "Tue 29 Dec 17:30"),  # Christmas Eve, holidays on 25 and 28
        ((2026, 3, 27, 16, 0), "Mon 30 Mar 17:30"),  # over the change to summer time
        ((2026, 10, 23, 16, 0), "Mon 26 Oct 17:30"),  # over the change back
    ],
)
def test_a_review_is_due_at_the_end_of_the_next_working_day(used: tuple[int, ...], ends: str) -> None:
    """By the wall's clock, over week-ends, holidays and the change of the clocks."""
    office = OfficeHours.model_validate({"holidays": ["2026-12-25", "2026-12-28"]})
    assert local(due(datetime(*used, tzinfo=LONDON).timestamp(), office)) == ends  # type: ignore[misc,arg-type]  # (Y, M, D, h, m)


def test_an_office_that_never_opens_still_has_a_due_day() -> None:
    """No endless search where the configuration names no working day."""
    assert local(due(MONDAY, OfficeHours(days=()))) == "Tue 24 Nov 17:30"


def test_reminded_on_the_morning_and_escalated_when_the_day_is_over(tmp_path: Path) -> None:
    """Once each; then every working day to IG until somebody reviews it; never at night or at the week-end."""
    world = World(tmp_path)
    world.take(went())
    case = only(world)

    def look(at: float) -> list[str]:
        before = said(world)
        watch.look(world.records, at, world.settings.office, "")
        world.now = at
        return sorted((Counter(said(world)) - Counter(before)).elements())

    tuesday = case.due - 9.5 * 3600  # 08:00
    assert look(tuesday - 60) == []
    assert look(tuesday) == ["review-due ig"]
    assert look(tuesday + 3600) == []
    assert look(case.due) == []
    assert look(case.due + 1) == ["review-overdue ig", "review-overdue on-call"]
    assert look(case.due + 12 * 3600) == []  # at night nobody is written to again
    assert look(case.due + 18 * 3600) == ["review-overdue ig"]  # Wednesday morning
    assert look(case.due + 19 * 3600) == []
    assert look(case.due + 42 * 3600) == ["review-overdue ig"]  # Thursday morning
    assert look(case.due + 90 * 3600) == []  # Saturday
    desk.review(world.desk(), "REF-urgent", "ig1", verdict="justified")
    assert watch.look(world.records, case.due + 5 * DAY, world.settings.office, "") == 0
    for kind, words in (("review-due", "ends today"), ("review-overdue", "not reviewed within a working day")):
        told = mails(world, kind)
        assert told and all("REF-urgent" in one and SENDER not in one for one in told)
        assert words in " ".join(told[0].replace("=\n", "").split())


def test_an_overdue_review_goes_to_who_is_named(tmp_path: Path) -> None:
    """emergencies.escalate_to, such as the Caldicott guardian."""
    world = World(tmp_path, options={"emergencies": {"escalate_to": "caldicott@own.example"}})
    world.take(went())
    world.now = only(world).due + 1
    watch.look(world.records, world.now, world.settings.office, world.settings.emergencies.escalate_to)
    assert "review-overdue ig caldicott@own.example" in said(world)
    assert "review-overdue on-call" not in said(world)


def test_the_rate_of_one_sender_is_told_once_a_month_and_blocks_nothing(tmp_path: Path) -> None:
    """The fourth in thirty days is told; the fifth goes as the others did; another sender is not counted with them."""
    world = World(tmp_path)
    for number in range(5):
        world.now = MONDAY + number * 3600
        world.take(went(f"n{number}", created=world.now))
    envelope = {**went("other").meta["envelope"], "sender": "dr.else@own.example"}
    world.take(went("other", envelope=envelope, created=world.now))
    assert len(Cases(world.records).all()) == 6
    assert said(world).count("review-often ig") == 1
    (told,) = mails(world, "review-often")
    assert "REF-n3" in told and "REF-n4" not in told and SENDER not in told


def test_the_rate_forgets_what_is_a_month_old(tmp_path: Path) -> None:
    """Thirty days."""
    world = World(tmp_path)
    for number in range(5):
        world.now = MONDAY + number * 11 * DAY
        world.take(went(f"n{number}", created=world.now))
    assert "review-often ig" not in said(world)


@pytest.mark.parametrize("bad", [{"per_sender": 0}, {"escalate_to": "caldicott"}, {"monthly": 3}])
def test_settings_that_make_no_sense_are_refused(tmp_path: Path, bad: dict[str, Any]) -> None:
    """A count of at least one, an address."""
    world = World(tmp_path)
    with pytest.raises(ValueError, match="emergencies"):
        QuarantineSettings.model_validate({**world.settings.model_dump(), "emergencies": bad})


# -- nothing is lost -----------------------------------------------------------------------------------------------------


def test_a_rebuild_keeps_cases_and_what_was_found(tmp_path: Path) -> None:
    """From the objects alone: a new database knows the case, its sealed reason and its review; nobody is told again."""
    world = World(tmp_path)
    world.take(went("a"), went("b"))
    desk.review(world.desk(), "REF-a", "ig1", verdict="not-justified", code="C-1")
    assert notes.write_notes(world.records, world.store, world.public) == 2
    assert notes.write_notes(world.records, world.store, world.public) == 0
    before = [dataclasses.replace(case, reminded=None) for case in Cases(world.records).all()]
    world.records.close()
    for path in (tmp_path / "state").glob("records.sqlite*"):
        path.unlink()
    again = World(tmp_path)
    again.intake.rebuild(again.now)
    assert Cases(again.records).all() == before
    assert [p.address for p in Cases(again.records).people(before[0].id)] == [PEER]
    assert said(again) == []
    assert desk.show(again.desk(), "REF-a", "ig1")["reason"] == WHY


def test_a_rebuild_beside_the_old_index_changes_nothing(tmp_path: Path) -> None:
    """A review whose note is not written yet stays."""
    world = World(tmp_path)
    world.take(went())
    desk.review(world.desk(), "REF-urgent", "ig1", verdict="justified")
    world.intake.rebuild(world.now)
    assert only(world).verdict == "justified"


def test_an_old_case_is_forgotten_with_its_notes_once_it_was_reviewed(tmp_path: Path) -> None:
    """Addresses and reason go, what was found stays; a case nobody reviewed is not forgotten."""
    world = World(tmp_path)
    world.take(went("a"), went("b"))
    desk.review(world.desk(), "REF-a", "ig1", verdict="justified")
    notes.write_notes(world.records, world.store, world.public)
    stored = sum(world.places().values())
    purge(world.store, world.records, world.audit, world.settings.retention, world.now + 2923 * DAY)
    cases = {case.ref: case for case in (Cases(world.records).get(c) for c in _ids(world)) if case is not None}
    assert (cases["REF-a"].sender, cases["REF-a"].reason, cases["REF-a"].verdict) == ("", "", "justified")
    assert cases["REF-b"].sender == SENDER
    assert all(PEER not in p.address for p in Cases(world.records).people(cases["REF-a"].id))
    assert sum(world.places().values()) < stored


def _ids(world: World) -> list[str]:
    return [str(row["id"]) for row in world.records.all("SELECT id FROM emergencies")]
