"""Failures are reported to the sender once; emergencies and alarms reach their desk and name nobody."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from quarantine import promises
from tests.support.noticeworld import CHEN, LEE, MESSAGE_ID, SENDER, SENT, line, sent
from tests.support.outboxworld import HOLD, World, parsed

pytestmark = pytest.mark.unit


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.records.close()


def test_failed_recipient_gets_a_report(world: World) -> None:
    """A DSN to the sender, headers only."""
    world.outcome("o1", line(LEE, "failed", None, kind="dsn", code="550 5.1.1"), sent(notice=None))
    assert world.run() == 1
    message = parsed(world.box.mails[0][1])
    assert message.get_content_type() == "multipart/report"
    assert message["In-Reply-To"] == MESSAGE_ID


def test_later_report_does_not_repeat_the_first(world: World) -> None:
    """A retry of the rest of a message fails later: the second report is about the second failure."""
    world.outcome("o1", line(LEE, "failed", None, kind="dsn", code="550"))
    world.run()
    world.outcome("o2", line(CHEN, "failed", None, kind="dsn", code="550"), created=SENT + 60)
    assert world.run() == 1
    assert CHEN in world.box.mails[1][1].decode() and LEE not in world.box.mails[1][1].decode()


def test_unwanted_report_is_dropped(world: World) -> None:
    """NOTIFY=NEVER reaches as far as here."""
    world.outcome("o1", line(LEE, "failed", None, kind="dsn", notify="NEVER"))
    assert world.run() == 0
    assert world.pending() == 0


def test_failure_of_mail_without_sender_is_told_to_the_postmaster(world: World) -> None:
    """No report to nobody: the postmaster is told in words."""
    world.outcome("o1", line(LEE, "failed", None, kind="dsn", code="550"), sender="", sender_kind="null")
    assert world.run() == 1
    to, data = world.box.mails[0]
    assert to == "postmaster@example.nhs.uk"
    assert parsed(data).get_content_type() == "multipart/alternative"


def test_emergency_is_told_to_sender_and_ig(world: World) -> None:
    """N-6 to the sender, reference and counts to IG, each once."""
    world.outcome("o1", line(LEE, "delivered", "N-6", reasons=["consent.emergency"], method="route"))
    world.run()
    world.run()
    assert [to for to, _ in world.box.mails] == [SENDER, "ig@example.nhs.uk"]
    alert = world.box.texts()[1]
    assert "H7Q2-93KD" in alert and "consent.emergency" in alert
    for private in (SENDER, LEE, "royal-example", "CANARY"):
        assert private not in alert
    assert world.run() == 0


def test_emergency_is_promised_to_ig_even_if_the_sender_cannot_be_told(world: World) -> None:
    """The relay refuses the sender's notice: IG's row stands all the same."""
    world.outcome("o1", line(LEE, "delivered", "N-6"))
    world.box.fails = OSError()
    world.run()
    assert world.pending() == 2


@pytest.mark.parametrize(
    ("kind", "role", "to"),
    [
        ("alert", "on-call", "on-call@example.nhs.uk"),
        ("alert", "ig", "ig@example.nhs.uk"),
        ("damaged", "mail-admin", "mail@example.nhs.uk"),
        ("alarm", "on-call", "on-call@example.nhs.uk"),
    ],
)
def test_alerts_hold_references_codes_and_counts_only(world: World, kind: str, role: str, to: str) -> None:
    """Who looks after holds learns which and why, never who wrote to whom; several make one mail."""
    for identity in (HOLD, "cd" * 16):
        world.hold(identity, LEE, urgency="urgent")
        row = world.records.hold(identity)
        assert row is not None
        promises.told(world.records, row, kind, role, world.now, f"{kind}:{identity}", why="unanswered")
    assert world.run() == 1
    assert world.box.mails[0][0] == to
    text = world.box.texts()[0]
    assert "ABAB-2345" in text and "CDCD-2345" in text and "consent.missing" in text and "unanswered" in text
    for private in (SENDER, LEE, "royal-example"):
        assert private.encode() not in world.box.mails[0][1]
    assert parsed(world.box.mails[0][1])["Auto-Submitted"] == "auto-generated"


def test_damaged_object_nobody_knows_is_named_by_its_id(world: World) -> None:
    """No hold in the index: the object's id is all there is."""
    world.records.outbox_add("damaged", to="", role="mail-admin", due=world.now, hold="f" * 32, detail={"why": "no-key"})
    assert world.run() == 1
    assert "f" * 32 in world.box.texts()[0]
