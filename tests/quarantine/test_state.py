"""States: every move stands in the table, is made once, by whom it belongs to, and leaves a line of history."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from quarantine import roles
from quarantine.model import HoldRow, State
from quarantine.records import Change, Records
from quarantine.state import TERMINAL, TRANSITIONS, Conflict, Event, NotAllowed, move

pytestmark = pytest.mark.unit

# Written out, not computed: what each event does in each state.  A dash is "not allowed".
EXPECTED = """
              ASKED      QUARANTINED  DEFERRED   RELEASING    RELEASED  REFUSED  EXPIRED  DELETED
release       RELEASING  RELEASING    -          -            -         -        -        -
approve       ASKED      QUARANTINED  -          -            -         -        -        -
retry         -          -            RELEASING  -            -         -        -        -
sent          -          -            -          RELEASED     -         -        -        -
held-again    -          -            -          QUARANTINED  -         -        -        -
later         -          -            -          RELEASING    -         -        -        -
put-off       -          -            -          DEFERRED     -         -        -        -
failed        -          -            -          REFUSED      -         -        -        -
refuse        REFUSED    REFUSED      REFUSED    -            -         -        -        -
delete        DELETED    DELETED      DELETED    -            -         -        -        -
ask-ig        QUARANTINED -        -            -          -         -        -        -
resent        DELETED    -            -          -            -         -        -        -
expire        EXPIRED    EXPIRED      EXPIRED    EXPIRED      -         -        -        -
"""
HUMAN = {Event.RELEASE, Event.APPROVE, Event.REFUSE, Event.DELETE, Event.ASK_IG}


def table() -> dict[tuple[State, Event], State | None]:
    head, *lines = EXPECTED.strip().splitlines()
    return {
        (State(state), Event(words[0])): None if target == "-" else State(target)
        for words in (line.split() for line in lines)
        for state, target in zip(head.split(), words[1:], strict=True)
    }


def add(records: Records, state: State, **change: object) -> HoldRow:
    row = HoldRow(
        id="ab" * 16, ref="R", state=state, version=0, created=1.0, deadline=100.0, action="QUARANTINE", rule="r",
        reasons=("domain.unknown",), releases="ig", key="review", sender="s@a.example", recipients=(), message="m", complete=2,
    )  # fmt: skip
    records.add_hold(replace(row, **change), [])  # type: ignore[arg-type]  # a test's keyword arguments
    found = records.hold(row.id)
    assert found is not None
    return found


def test_the_table_names_every_state_and_event() -> None:
    assert set(table()) == {(state, event) for state in State for event in Event}
    assert {key for key, target in table().items() if target} == set(TRANSITIONS)


@pytest.mark.parametrize(("state", "event"), sorted((s, e) for s in State for e in Event))
def test_every_state_and_event_does_what_the_table_says(state: State, event: Event) -> None:
    records = Records(":memory:")
    row = add(records, state)
    role = "ig" if event in HUMAN else roles.SYSTEM
    target = table()[state, event]
    if target is None:
        with pytest.raises(NotAllowed):
            move(records, row, event, "who", role, 5.0)
        assert records.hold(row.id) == row
        assert records.transitions(row.id) == []
        return
    moved = move(records, row, event, "who", role, 5.0, reason="code")
    assert (moved.state, moved.version) == (target, 1)
    assert (moved.closed is not None) == (target in TERMINAL)
    [line] = records.transitions(row.id)
    assert (line.event, line.source, line.target, line.actor, line.role, line.reason, line.at) == (
        event, state, target, "who", role, "code", 5.0,
    )  # fmt: skip


@pytest.mark.parametrize(("event", "may"), [(Event.ASK_IG, True), (Event.DELETE, True), (Event.RELEASE, False)])
def test_a_sender_may_pass_on_or_take_back_what_others_decide_and_never_let_it_go(event: Event, may: bool) -> None:
    records = Records(":memory:")
    row = add(records, State.ASKED)
    if not may:
        with pytest.raises(NotAllowed):
            move(records, row, event, "sender", roles.SENDER, 5.0)
        return
    assert move(records, row, event, "sender", roles.SENDER, 5.0).state in (State.QUARANTINED, State.DELETED)


def test_nothing_leaves_a_terminal_state() -> None:
    assert not [key for key in TRANSITIONS if key[0] in TERMINAL]


@pytest.mark.parametrize("state", sorted(set(State) - TERMINAL))
def test_every_open_state_can_end_by_time(state: State) -> None:
    """P6: every hold ends."""
    assert TRANSITIONS[state, Event.EXPIRE].target in TERMINAL


@pytest.mark.parametrize("event", sorted(set(Event) - HUMAN))
def test_people_cannot_do_what_is_the_services_own(event: Event) -> None:
    records = Records(":memory:")
    for state in State:
        if (state, event) in TRANSITIONS:
            with pytest.raises(NotAllowed):
                move(records, add(records, state), event, "who", "ig", 5.0)
            break


def test_a_row_that_was_moved_meanwhile_is_a_conflict() -> None:
    records = Records(":memory:")
    row = add(records, State.QUARANTINED)
    move(records, row, Event.RELEASE, "one", "ig", 2.0)
    with pytest.raises(Conflict):
        move(records, row, Event.REFUSE, "two", "ig", 3.0)
    assert [line.actor for line in records.transitions(row.id)] == ["one"]


def test_of_many_at_once_exactly_one_wins(tmp_path: Path) -> None:
    """Several processes have the file open: each thread here has its own connection."""
    path = tmp_path / "records.sqlite"
    row = add(Records(path), State.QUARANTINED)
    results: list[str] = []
    start = threading.Barrier(6)

    def decide(name: str, event: Event) -> None:
        records = Records(path)
        start.wait()
        try:
            move(records, row, event, name, "ig", 2.0)
            results.append(name)
        except Conflict:
            pass
        finally:
            records.close()

    events = (Event.RELEASE, Event.REFUSE, Event.DELETE) * 2
    threads = [threading.Thread(target=decide, args=(f"user{n}", event)) for n, event in enumerate(events)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    records = Records(path)
    assert len(results) == 1
    assert [line.actor for line in records.transitions(row.id)] == results


# reason, what the rule says → who must decide
ROLES = [
    ("opaque.corrupt", "mail-admin", "mail-admin"),
    ("mime.ambiguous", "mail-admin", "mail-admin"),
    ("protect.no-key", "mail-admin", "mail-admin"),
    ("poison", "mail-admin", "mail-admin"),
    ("internal-error", "mail-admin", "mail-admin"),
    ("consent.missing", "mail-admin", "ig"),
    ("domain.unknown", "mail-admin", "ig"),
    ("kind.video", "mail-admin", "ig"),
    ("no.such.code", "mail-admin", "ig"),
    ("opaque.corrupt", "ig", "ig"),
    ("consent.missing", "sender", "sender"),
    ("kind.intimate", "sender", "two-person"),
    ("kind.intimate-child", "mail-admin", "two-person"),
    ("consent.child", "ig", "two-person"),
    ("child", "ig", "two-person"),
    ("opaque.corrupt", "nonsense", "ig"),
    ("opaque.corrupt", "two-person", "two-person"),
]


@pytest.mark.parametrize(("reason", "releases", "needed"), ROLES)
def test_who_may_release_what(reason: str, releases: str, needed: str) -> None:
    assert roles.required(releases, (reason,)) == needed


def test_any_intimate_or_child_reason_needs_two_people_wherever_it_stands() -> None:
    assert roles.required("mail-admin", ("opaque.corrupt", "kind.intimate")) == "two-person"


@pytest.mark.parametrize(
    ("releases", "reasons", "allowed"),
    [
        ("mail-admin", ("opaque.corrupt",), {"mail-admin", "ig"}),
        ("ig", ("domain.unknown",), {"ig"}),
        ("sender", ("consent.missing",), {"sender", "ig"}),
        ("two-person", ("kind.intimate",), {"ig"}),
    ],
)
def test_only_the_right_roles_may_decide(releases: str, reasons: tuple[str, ...], allowed: set[str]) -> None:
    for role in ("sender", "mail-admin", "ig", "two-person", "system", "nobody"):
        records = Records(":memory:")
        row = add(records, State.QUARANTINED, releases=releases, reasons=reasons)
        if role in allowed:
            assert move(records, row, Event.REFUSE, "who", role, 2.0).state is State.REFUSED
        else:
            with pytest.raises(NotAllowed):
                move(records, row, Event.REFUSE, "who", role, 2.0)


def test_two_different_people_must_agree_on_the_same_terms() -> None:
    records = Records(":memory:")
    row = add(records, State.QUARANTINED, releases="two-person", reasons=("kind.intimate",))
    with pytest.raises(NotAllowed):
        move(records, row, Event.RELEASE, "one", "ig", 2.0, reason="terms:a")
    row = move(records, row, Event.APPROVE, "one", "ig", 2.0, reason="terms:a")
    with pytest.raises(NotAllowed):
        move(records, row, Event.RELEASE, "one", "ig", 3.0, reason="terms:a")  # the same person
    with pytest.raises(NotAllowed):
        move(records, row, Event.RELEASE, "two", "ig", 3.0, reason="terms:b")  # other terms
    assert move(records, row, Event.RELEASE, "two", "ig", 3.0, reason="terms:a").state is State.RELEASING


def test_an_approval_does_not_outlive_the_release_it_was_for() -> None:
    records = Records(":memory:")
    row = add(records, State.QUARANTINED, releases="two-person", reasons=("kind.intimate",))
    row = move(records, row, Event.APPROVE, "one", "ig", 2.0, reason="t")
    row = move(records, row, Event.RELEASE, "two", "ig", 3.0, reason="t")
    row = move(records, row, Event.HELD_AGAIN, "service", "system", 4.0)
    with pytest.raises(NotAllowed):
        move(records, row, Event.RELEASE, "two", "ig", 5.0, reason="t")


def test_a_hold_that_ended_nags_nobody() -> None:
    records = Records(":memory:")
    row = add(records, State.QUARANTINED)
    for kind in ("N-1r", "alert", "N-7"):
        records.outbox_add(kind, to="x@a.example", role="ig", due=1.0, hold=row.id)
    records.outbox_add("N-5", to="x@a.example", role="sender", due=1.0, hold=row.id)
    move(records, row, Event.REFUSE, "one", "ig", 2.0, change=Change())
    assert [r.kind for r in records.outbox_due(9.0)] == ["N-5"]


def test_whoever_releases_what_goes_by_itself_is_told_so() -> None:
    """Symptom: "a hold that is DEFERRED cannot release", and a mail admin who wonders what to do."""
    records = Records(":memory:")
    row = add(records, State.DEFERRED, releases="mail-admin")
    with pytest.raises(NotAllowed, match="DEFERRED takes no release; it is sent again by itself"):
        move(records, row, Event.RELEASE, "one", "mail-admin", 2.0)
