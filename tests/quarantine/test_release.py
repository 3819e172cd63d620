"""Releases: what was decided goes exactly once, over a real LMTP connection on a Unix socket."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from quarantine import ops
from quarantine.lmtp import Answer
from quarantine.model import ObjectKind, State
from quarantine.release import fate
from quarantine.seal import peek
from quarantine.state import Conflict, NotAllowed
from quarantine.stores import Place
from quarantine.token import BadToken, sign, verify
from tests.support.quarantine_kit import (
    CONTENT,
    MONDAY,
    PEER,
    SENDER,
    Gate,
    World,
    hex_id,
    hold_object,
    image,
    outcome_object,
    released_outcome,
)

pytestmark = pytest.mark.unit
HOLD = hex_id("hold")
SECOND = "second@x.example"


class Killed(Exception):
    pass


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def held(world: World, **meta: Any) -> None:
    hold = hold_object(**meta)
    world.take(hold, outcome_object([hold]))


def deferred(world: World, **meta: Any) -> None:
    base = {"key": "online", "action": "DEFERRED", "reasons": ["next-hop-temporary"], "releases": "mail-admin", "notice": None}
    held(world, **base | meta)


@asynccontextmanager
async def gate(world: World) -> AsyncIterator[Gate]:
    one = Gate(world.release_key, world.clock)
    server = await one.start(world.settings.release_socket)
    try:
        yield one
    finally:
        server.close()


def state(world: World, hold: str = HOLD) -> State:
    row = world.records.hold(hold)
    assert row is not None
    return row.state


def notices(world: World) -> list[str]:
    return [row.kind for row in world.records.outbox_due(world.now + 10**6) if row.hold]


async def test_a_release_reaches_the_gateway_with_everything_it_needs(world: World) -> None:
    held(world, identity={"vouched": True, "codes": []})
    ops.release(world.desk(), HOLD, "ig1", accepted=["opaque.encrypted"], statement="given; form=verbal")
    async with gate(world) as one:
        await world.releaser().run(world.now)
    assert one.data == [CONTENT]
    [seen] = one.seen
    assert seen["release"] == f"{HOLD}-1"
    assert (seen["hold"], seen["recipients"], seen["accepted"]) == (HOLD, [PEER], ["opaque.encrypted"])
    assert seen["statement"] == "given; form=verbal"
    assert seen["envelope"]["sender"] == SENDER
    assert seen["identity"] == {"vouched": True, "codes": []}
    assert state(world) is State.RELEASED
    assert [(r.state, r.code) for r in world.records.recipients(HOLD)] == [("delivered", "250 2.0.0")]
    assert notices(world) == ["N-5"]
    row = world.records.hold(HOLD)
    assert row is not None
    assert row.release is None, "a statement in people's words is kept only while the release needs it"


@pytest.mark.parametrize("point", ["release.claimed", "release.sent"])
async def test_a_crash_between_sending_and_noting_delivers_once(world: World, point: str) -> None:
    """The release id is the same at the next try, and the gateway knows it."""

    def crash(name: str) -> None:
        if name == point:
            raise Killed

    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        await world.releaser(crash_point=crash).run(world.now)
        assert state(world) is State.RELEASING
        world.now += 3600
        await world.releaser().run(world.now)
        assert one.delivered == [(f"{HOLD}-1", PEER)]
        assert state(world) is State.RELEASED
        await world.releaser().run(world.now + 3600)
    assert len(one.seen) == (2 if point == "release.sent" else 1)


async def test_an_answer_that_never_came_is_asked_for_again_under_the_same_id(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        one.hang_up_after_data = True
        await world.releaser().run(world.now)
        assert state(world) is State.RELEASING
        one.hang_up_after_data = False
        await world.releaser().run(world.now + 30)  # not due yet
        assert len(one.seen) == 1
        world.now += 61
        await world.releaser().run(world.now)
    assert one.delivered == [(f"{HOLD}-1", PEER)]
    assert state(world) is State.RELEASED


async def test_nobody_at_the_socket_is_a_reason_to_wait(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    await world.releaser().run(world.now)
    row = world.records.hold(HOLD)
    assert row is not None
    assert (row.state, row.attempts, row.next_try) == (State.RELEASING, 1, world.now + 60)


async def test_held_again_goes_back_to_the_same_hold_without_a_second_notice(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        one.answers[PEER] = "250 2.1.5 HELD-AGAIN kind-rule"
        await world.releaser().run(world.now)
        assert state(world) is State.QUARANTINED
        assert notices(world) == ["desk"]  # of its coming in
        assert peek(world.store.open(HOLD, ObjectKind.HOLD)).key == "review"  # a person decides again
        one.answers.clear()
        ops.release(world.desk(), HOLD, "ig1", accepted=["kind.video"])
        await world.releaser().run(world.now)
    assert [seen["release"] for seen in one.seen] == [f"{HOLD}-1", f"{HOLD}-2"]  # another decision, another id
    assert state(world) is State.RELEASED


async def test_a_refusal_by_policy_or_by_the_next_hop_ends_it_and_is_told(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        one.answers[PEER] = "550 5.7.1 REFUSED denied-domain"
        await world.releaser().run(world.now)
    assert state(world) is State.REFUSED
    assert notices(world) == ["N-5"]


async def test_a_permanent_failure_at_the_next_hop_becomes_a_failure_report(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        one.answers[PEER] = "554 5.1.1 FAILED"
        await world.releaser().run(world.now)
    assert state(world) is State.REFUSED
    assert [(r.state, r.code) for r in world.records.recipients(HOLD)] == [("refused", "554 5.1.1")]
    assert "dsn" in notices(world)


async def test_a_token_the_gateway_will_not_take_ends_nothing(world: World) -> None:
    """A wrong key file is our own trouble: the mail is tried again, not refused."""
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        one.refuse_token = True
        await world.releaser().run(world.now)
    assert state(world) is State.RELEASING


async def test_each_recipient_has_an_outcome_and_only_the_open_ones_are_sent_again(world: World) -> None:
    held(world, recipients=[PEER, SECOND])
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        one.answers[SECOND] = "451 4.4.1 DEFERRED"
        await world.releaser().run(world.now)
        assert state(world) is State.RELEASING
        assert [r.state for r in world.records.recipients(HOLD)] == ["delivered", "held"]
        one.answers.clear()
        world.now += 61
        await world.releaser().run(world.now)
    assert [seen["recipients"] for seen in one.seen] == [[PEER, SECOND], [SECOND]]
    assert one.delivered == [(f"{HOLD}-1", PEER), (f"{HOLD}-1", SECOND)]
    assert state(world) is State.RELEASED


async def test_deferred_mail_is_sent_again_by_itself_with_back_off(world: World) -> None:
    deferred(world)
    tries: list[float] = []
    async with gate(world) as one:
        one.answers[PEER] = "451 4.4.1 DEFERRED"
        while world.now < MONDAY + 4 * 3600:
            if await world.releaser().run(world.now):
                tries.append(world.now - MONDAY)
            world.now += 30
        assert state(world) is State.DEFERRED
    assert [round(b - a) for a, b in zip([0.0, *tries], tries, strict=False)][:5] == [60, 60, 300, 900, 3600]
    assert {seen["release"] for seen in one.seen} == {f"{HOLD}-0"}


async def test_a_deferred_mail_that_goes_soon_is_nothing_to_tell(world: World) -> None:
    deferred(world)
    world.now += 61
    async with gate(world):
        await world.releaser().run(world.now)
    assert state(world) is State.RELEASED
    assert notices(world) == []


async def test_one_that_was_told_as_late_is_told_when_it_has_gone(world: World) -> None:
    deferred(world)
    world.now += 1000
    for row in world.records.outbox_due(world.now):
        world.records.outbox_done(row.id, world.now)
    async with gate(world):
        await world.releaser().run(world.now)
    assert notices(world) == ["N-5"]


async def test_a_release_that_never_gets_through_ends_and_is_told(world: World) -> None:
    """P6: also what is being released ends."""
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    for _ in range(100):
        await world.releaser().run(world.now)
        world.now += 3600
    assert state(world) is State.EXPIRED
    assert [r.state for r in world.records.recipients(HOLD)] == ["expired"]
    assert notices(world) == ["N-5"]


async def test_a_reviewer_with_the_review_key_hands_over_to_a_service_without_it(tmp_path: Path) -> None:
    world = World(tmp_path, review_key_here=False)
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        await world.releaser().run(world.now)
    assert one.data == [CONTENT]


async def test_without_the_review_key_anywhere_it_waits_and_is_told_of(tmp_path: Path) -> None:
    world = World(tmp_path, review_key_here=False)
    held(world)
    world.all_private.pop("review")
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as one:
        await world.releaser().run(world.now)
    assert one.seen == []
    assert state(world) is State.RELEASING
    assert notices(world) == ["damaged", "desk"]


async def test_a_lost_object_is_told_to_sender_and_admins(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    world.store.delete(HOLD, ObjectKind.HOLD)
    await world.releaser().run(world.now)
    assert state(world) is State.REFUSED
    assert sorted(notices(world)) == ["N-7", "damaged"]


async def test_what_was_released_counts_as_disclosed(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    async with gate(world) as gateway:
        await world.releaser().run(world.now)
    world.take(released_outcome(gateway.seen[0]))
    [row] = world.records.disclosures()
    assert (row.image, row.recipient, row.covered) == (image(), world.hashes.address(PEER), True)
    assert (row.hold, row.message, row.released_by, row.released_role) == (HOLD, "msg-hold", "ig1", "ig")
    assert world.records.hold(HOLD).ref == row.ref  # type: ignore[union-attr]  # it is there: it was released
    assert "N-3" not in notices(world)  # the release itself tells its sender


# -- who may ---------------------------------------------------------------------------------------------------------


def test_roles_are_enforced_and_the_user_is_recorded(world: World) -> None:
    held(world)
    for user in ("adm", "stranger", "root"):
        with pytest.raises(NotAllowed):
            ops.release(world.desk(), HOLD, user)
    ops.refuse(world.desk(), HOLD, "ig1", "domain.no")
    [line] = world.records.transitions(HOLD)
    assert (line.actor, line.role, line.reason) == ("ig1", "ig", "domain.no")
    assert notices(world) == ["N-5"]


def test_a_mail_admin_decides_technical_holds_only(world: World) -> None:
    held(world, reasons=["opaque.corrupt"], releases="mail-admin")
    assert ops.release(world.desk(), HOLD, "adm")["state"] == "RELEASING"


def test_two_people_release_what_is_intimate(world: World) -> None:
    held(world, reasons=["kind.intimate"], releases="two-person")
    first = ops.release(world.desk(), HOLD, "ig1")
    assert (first["state"], "needs" in first) == ("QUARANTINED", True)
    again = ops.release(world.desk(), HOLD, "ig1")
    assert again["state"] == "QUARANTINED"
    assert ops.release(world.desk(), HOLD, "ig2")["state"] == "RELEASING"


def test_two_decisions_at_once_are_one(world: World) -> None:
    held(world)
    ops.release(world.desk(), HOLD, "ig1")
    with pytest.raises((Conflict, NotAllowed)):
        ops.release(world.desk(), HOLD, "ig2")
    with pytest.raises((Conflict, NotAllowed)):
        ops.delete(world.desk(), HOLD, "ig2")


def test_holds_are_found_by_reference_as_people_type_it_and_as_notices_give_it(world: World) -> None:
    held(world)
    [listed] = ops.list_holds(world.desk())
    for ref in (listed["ref"], listed["ref"].lower(), HOLD, f" {HOLD} ", "OUTC-OME2"):
        assert ops.find(world.desk(), ref).id == HOLD
    with pytest.raises(ops.NotFound):
        ops.find(world.desk(), "NONE-SUCH")


async def test_the_command_line_works_beside_the_service_with_a_key_from_a_stick(world: World, tmp_path: Path) -> None:
    held(world)
    stick = tmp_path / "stick.key"
    (world.settings.keys / "review.key").rename(stick)
    world.private.pop("review")
    desk = ops.open_desk(world.settings, stick, world.clock)
    assert ops.release(desk, HOLD, "ig1")["state"] == "RELEASING"
    desk.records.close()
    async with gate(world) as one:
        await world.releaser().run(world.now)
    assert one.data == [CONTENT]


def test_show_tells_facts_and_never_content(world: World) -> None:
    held(world)
    shown = ops.show(world.desk(), HOLD, "adm")
    assert "CANARY" not in repr(shown)
    assert shown["recipients"] == [{"address": PEER, "state": "held", "code": ""}]
    assert shown["releases"] == "ig"


@pytest.mark.parametrize("reason", ["", "two words", "é", "x" * 65, "a\nb"])
def test_a_reason_is_a_code_and_never_free_text(world: World, reason: str) -> None:
    held(world)
    with pytest.raises(NotAllowed):
        ops.refuse(world.desk(), HOLD, "ig1", reason)


def test_ended_holds_are_listed_only_on_request(world: World) -> None:
    held(world)
    ops.delete(world.desk(), HOLD, "ig1")
    assert ops.list_holds(world.desk()) == []
    assert [hold["state"] for hold in ops.list_holds(world.desk(), everything=True)] == ["DELETED"]


# -- tokens and answers ----------------------------------------------------------------------------------------------

KEY = b"k" * 32


@given(st.dictionaries(st.text(max_size=5), st.text(max_size=20) | st.integers() | st.lists(st.text(max_size=5)), max_size=5))
def test_a_token_carries_its_payload_and_fits_an_esmtp_value(payload: dict[str, Any]) -> None:
    """RFC 5321 4.1.2: no "=", no space, no control character."""
    token = sign(payload | {"exp": 10.0}, KEY)
    assert verify(token, KEY, 9.0) == payload | {"exp": 10.0}
    assert set(token) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.")


@given(st.data())
def test_any_changed_character_of_a_token_is_noticed(data: st.DataObject) -> None:
    token = sign({"release": "x", "exp": 10.0}, KEY)
    position = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("AZaz09-_."))
    changed = token[:position] + other + token[position + 1 :]
    if changed != token:
        with pytest.raises(BadToken):
            verify(changed, KEY, 9.0)


@pytest.mark.parametrize(
    "token", ["", ".", "a.b", "é.é", "a", sign({"exp": 8.0}, KEY), sign({}, KEY), sign({"exp": 10.0}, b"o" * 32)]
)
def test_a_bad_old_or_foreign_token_is_refused(token: str) -> None:
    with pytest.raises(BadToken):
        verify(token, KEY, 9.0)


@pytest.mark.parametrize(
    ("code", "text", "expected"),
    [
        (250, "2.0.0 DELIVERED", ("delivered", "250 2.0.0")),
        (250, "2.1.5 HELD-AGAIN rule-1", ("again", "rule-1")),
        (250, "HELD-AGAIN rule-1", ("again", "rule-1")),
        (451, "4.4.1 DEFERRED", ("later", "451 4.4.1")),
        (421, "", ("later", "421")),
        (550, "5.7.1 REFUSED rule", ("refused", "550 5.7.1")),
        (550, "5.1.1 no such user", ("failed", "550 5.1.1")),
        (554, "5.0.0 FAILED", ("failed", "554 5.0.0")),
        (550, "5.7.1 Not a valid release", ("later", "550 5.7.1")),
        (0, "", ("later", "0")),
        (354, "", ("later", "354")),
    ],
)
def test_what_an_answer_means(code: int, text: str, expected: tuple[str, str]) -> None:
    assert fate(Answer(code, text, final=True)) == expected


def test_what_is_said_before_the_message_ends_nothing() -> None:
    assert fate(Answer(550, "5.1.1 no")) == ("later", "550 5.1.1")
    assert fate(replace(Answer(250, "2.0.0 OK"), final=False))[0] == "later"


async def test_dsn_parameters_go_with_their_recipient(world: World) -> None:
    hold = hold_object()
    envelope = {**hold.meta["envelope"], "recipients": [{"address": PEER, "notify": "NEVER", "orcpt": "rfc822;a@b.example"}]}
    world.take(hold_object(envelope=envelope))
    assert world.store.sync(HOLD, ObjectKind.HOLD, Place.HELD)
    [one] = world.records.recipients(HOLD)
    assert (one.notify, one.orcpt) == ("NEVER", "rfc822;a@b.example")
