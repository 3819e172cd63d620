"""The outbox: what was promised is said once, to the right mailbox, and a row stays until it was."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller

from quarantine import promises
from quarantine.model import State
from quarantine.notices.renderer import Renderer
from quarantine.notices.wording import load
from quarantine.outbox import LONGEST_RETRY, Outbox, SmtpTransport, back_off, open_outbox, unsent
from quarantine.records import Records
from quarantine.settings import QuarantineSettings
from quarantine.state import Event, move
from tests.support.noticeworld import (
    CHEN,
    LEE,
    MESSAGE_ID,
    NOW,
    PATIENT,
    SENDER,
    SENT,
    SETTINGS,
    asked,
    held,
    hold,
    line,
    meta,
    refused,
    sent,
)  # fmt: skip

pytestmark = pytest.mark.unit

TEMPLATES = load()
WINDOW = 5.0
DAY = 86400.0
HOLD = "ab" * 16


@dataclass
class Box:
    """A transport that keeps, or fails as told."""

    mails: list[tuple[str, bytes]] = field(default_factory=list)
    fails: Exception | None = None
    after: Callable[[], None] = lambda: None

    def send(self, to: str, data: bytes) -> None:
        if self.fails is not None:
            raise self.fails
        self.mails.append((to, data))
        self.after()

    def texts(self) -> list[str]:
        return [text_of(data) for _, data in self.mails]


def parsed(data: bytes) -> EmailMessage:
    message = message_from_bytes(data, policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def text_of(data: bytes) -> str:
    body = parsed(data).get_body(("plain",))
    assert body is not None
    return " ".join(body.get_content().split())


class World:
    """Real records, an outbox, and a clock."""

    def __init__(self) -> None:
        self.now = NOW
        self.records = Records(":memory:")
        self.box = Box()
        self.outbox = Outbox(self.records, self.box, Renderer(self.records, SETTINGS, TEMPLATES), lambda: self.now)

    def outcome(self, identity: str, *lines: dict[str, Any], merge: str = "m1", **more: Any) -> None:
        """As the intake does it: outcome, holds and promise in one transaction."""
        told = [{"tell": "sender", **({"kind": "notice"} if one["notice"] else {}), **one} for one in lines]
        outcome = meta(*told, **more)
        with self.records.transaction():
            self.records.add_outcome(identity, outcome["message"], merge, outcome["created"], outcome)
            promises.outcome_told(self.records, identity, merge, outcome, self.now, WINDOW)

    def hold(self, identity: str, *addresses: str, **more: Any) -> None:
        self.records.add_hold(hold(identity, **more), held(*addresses))

    def run(self, later: float = WINDOW) -> int:
        self.now += later
        return self.outbox.run_due()

    def pending(self) -> int:
        return unsent(self.records)[0]


@pytest.fixture
def world() -> Iterator[World]:
    made = World()
    yield made
    made.records.close()


def test_one_notice_however_often_the_loop_runs(world: World) -> None:
    """P8: one notice per message and state change."""
    world.outcome("o1", asked(), sent(), refused())
    assert world.run(0) == 0, "the merge window is still open"
    assert [world.run(), world.run(), world.run()] == [1, 0, 0]
    assert [to for to, _ in world.box.mails] == [SENDER]
    assert world.pending() == 0


def test_copies_of_a_split_message_are_one_notice(world: World) -> None:
    """An upstream hands us one message as two: different queue ids and notices, one notice naming everyone."""
    world.outcome("o1", asked(), message="A")
    world.now += 2
    world.outcome("o2", sent(), refused(), message="B", created=SENT + 2)
    assert world.run(3) == 1
    assert world.box.texts()[0].startswith("Your email to 1 of 3 people is waiting.")
    assert world.pending() == 0


def test_two_messages_are_two_notices(world: World) -> None:
    """Merging never joins what a sender sent as two."""
    world.outcome("o1", asked(), message="A", merge="m1")
    world.outcome("o2", asked(CHEN), message="B", merge="m2", message_id="<other@example.nhs.uk>")
    assert world.run() == 2


@pytest.mark.parametrize(
    "error", [OSError("CANARY"), smtplib.SMTPRecipientsRefused({}), ValueError("CANARY"), RuntimeError("CANARY")]
)
def test_the_row_stays_whatever_fails(world: World, error: Exception) -> None:
    """Every exception keeps the promise; the log names its type and nothing it says."""
    world.outcome("o1", asked())
    world.box.fails = error
    with structlog.testing.capture_logs() as logs:
        assert world.run() == 0
    assert world.pending() == 1
    assert logs[0]["error"] == type(error).__name__
    assert "CANARY" not in str(logs) and SENDER not in str(logs)
    world.box.fails = None
    assert world.run(30) == 0, "not before its back-off"
    assert world.run(31) == 1
    assert world.pending() == 0


def test_a_notice_that_cannot_be_made_stays_and_stops_no_other(world: World) -> None:
    """One bad address does not keep the others from being told."""
    world.outcome("o1", asked(), merge="m1", sender="a@b.example, c@d.example")
    world.outcome("o2", asked(CHEN), merge="m2", message="B")
    assert world.run() == 1
    assert world.pending() == 1


def test_crash_after_sending_repeats_with_the_same_message_id(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The relay took it and our note was lost: said twice, but as the same message."""
    world.outcome("o1", asked())
    done = world.records.outbox_done

    def lost(row: int, now: float, code: str = "sent") -> None:
        monkeypatch.setattr(world.records, "outbox_done", done)
        raise sqlite3.OperationalError("disk I/O error")

    monkeypatch.setattr(world.records, "outbox_done", lost)
    assert world.run() == 0
    assert world.run(61) == 1
    first, second = (parsed(data) for _, data in world.box.mails)
    assert first["Message-ID"] == second["Message-ID"]
    assert world.run(9999) == 0


def test_back_off_grows_to_an_hour() -> None:
    """A dead relay is not hammered, and not forgotten."""
    assert [back_off(n) for n in range(8)] == [60, 120, 240, 480, 960, 1920, 3600, 3600]
    assert back_off(10_000) == LONGEST_RETRY


def test_what_cannot_be_sent_is_as_old_as_its_promise(world: World) -> None:
    """A notice that is retried again and again counts from when it was due first; what is not due yet is not old."""
    world.outcome("o1", asked())
    world.records.outbox_add("digest", to=SENDER, role="sender", due=NOW + 86400, message="x")
    first = min(due for due, _ in world.records.outbox_waiting())
    world.box.fails = OSError()
    for _ in range(7):
        world.run(600)
    waiting, oldest = unsent(world.records)
    assert waiting == 2 and oldest is not None and first <= oldest < world.now - 900
    world.box.fails = None
    world.run(LONGEST_RETRY)
    assert unsent(world.records) == (1, NOW + 86400)


def test_null_sender_is_told_to_ig(world: World) -> None:
    """Nobody answers a null sender: the mailbox of the role gets it."""
    world.outcome("o1", asked(reasons=["consent.missing"]), sender="", sender_kind="null")
    world.run()
    assert world.box.mails[0][0] == "ig@example.nhs.uk"
    assert "no person is named for it" in world.box.texts()[0]


def test_machines_owner_is_told(world: World) -> None:
    """A scanner's owner gets the notice."""
    world.outcome("o1", asked(), sender="scan@example.nhs.uk", sender_kind="machine", owner="own@example.nhs.uk")
    world.run()
    assert world.box.mails[0][0] == "own@example.nhs.uk"


def test_never_a_notice_about_a_notice(world: World) -> None:
    """Our own messages are recognised by their Message-ID."""
    world.outcome("o1", asked(), message_id="<notice.0123@example.nhs.uk>")
    assert world.run() == 0
    assert world.pending() == 0


def test_notices_have_a_null_sender_and_reach_a_real_server(world: World) -> None:
    """Handed over by SMTP to a relay; what arrives is what was rendered."""
    taken: list[tuple[str | None, list[str], bytes]] = []

    class Sink:
        async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:
            taken.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
            await asyncio.sleep(0)
            return "250 OK"

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    controller = Controller(Sink(), hostname="127.0.0.1", port=port)
    controller.start()
    try:
        transport = SmtpTransport("127.0.0.1", port, "example.nhs.uk", timeout=5)
        outbox = Outbox(world.records, transport, Renderer(world.records, SETTINGS, TEMPLATES), lambda: world.now)
        world.outcome("o1", asked(), sent())
        world.now += WINDOW
        assert outbox.run_due() == 1
    finally:
        controller.stop()
    [(mail_from, rcpt, data)] = taken
    assert mail_from == "<>" and rcpt == [SENDER]
    assert parsed(data)["Subject"] == "Waiting for you: email sent 14:02 to dr.lee@royal-example.nhs.uk (ref H7Q2-93KD)"
    assert b"CANARY" not in data


def test_dead_relay_keeps_the_row(world: World) -> None:
    """Nobody listens: the row stays."""
    renderer = Renderer(world.records, SETTINGS, TEMPLATES)
    outbox = Outbox(world.records, SmtpTransport("127.0.0.1", 1, "example.nhs.uk", timeout=1), renderer, lambda: world.now)
    world.outcome("o1", asked())
    world.now += WINDOW
    assert outbox.run_due() == 0
    assert world.pending() == 1


# -- what the holds say today ------------------------------------------------------------------------------------------


def test_held_mail_is_named_by_its_holds_reference_and_deadline(world: World) -> None:
    """The reference in the notice is the one "hold show" finds; the deadline is the hold's own."""
    world.hold(HOLD, LEE, deadline=SENT + 4 * 3600)
    world.outcome("o1", asked(hold=HOLD), sent())
    world.run()
    assert "(ref ABAB-2345)" in parsed(world.box.mails[0][1])["Subject"]
    assert "At 18:02 on Monday 3 March we delete the waiting copy." in world.box.texts()[0]
    assert "Reference: ABAB-2345, H7Q2-93KD." in world.box.texts()[0]


def test_late_notice_tells_what_is_true_now(world: World) -> None:
    """The relay was down for a day and the hold is over: nobody is asked to answer any more."""
    world.hold(HOLD, LEE)
    world.outcome("o1", asked(hold=HOLD))
    row = world.records.hold(HOLD)
    assert row is not None
    move(world.records, row, Event.EXPIRE, "service", "system", NOW)
    world.run()
    assert world.box.texts()[0].startswith(f"Your email to {LEE} was not sent. Its time ran out.")


def reminder(world: World, identity: str) -> None:
    row = world.records.hold(identity)
    assert row is not None
    promises.told(world.records, row, "N-1r", "sender", world.now, f"N-1r:{identity}")


def test_reminder(world: World) -> None:
    """A reminder is about what still waits, and says who has it already."""
    world.hold(HOLD, LEE)
    world.outcome("o1", asked(hold=HOLD), sent())
    world.run()
    reminder(world, HOLD)
    assert world.run() == 1
    text = world.box.texts()[1]
    assert text.startswith("Your email to 1 of 2 people is still waiting.")
    assert f"- {CHEN}: passed on" in text and "[consent verbal]" in text


def test_reminder_of_what_is_over_is_dropped(world: World) -> None:
    """Nobody is nagged about a hold that ended in between."""
    world.hold(HOLD, LEE)
    world.outcome("o1", asked(hold=HOLD))
    world.run()
    reminder(world, HOLD)
    world.records.set_recipient(HOLD, LEE, "delivered", "250")
    assert world.run() == 0
    assert world.pending() == 0


def test_two_holds_of_one_message_end_in_one_notice(world: World) -> None:
    """Both run out in the same round: one N-5."""
    other = "cd" * 16
    for identity, address in ((HOLD, LEE), (other, CHEN)):
        world.hold(identity, address)
    world.outcome("o1", asked(hold=HOLD), asked(CHEN, hold=other))
    world.run()
    for identity in (HOLD, other):
        row = world.records.hold(identity)
        assert row is not None
        moved = move(world.records, row, Event.EXPIRE, "service", "system", world.now)
        promises.decided_told(world.records, moved, world.now)
    assert world.run() == 1
    assert world.box.texts()[1].startswith("Your email was not sent to any of the 2 people. Its time ran out.")


@pytest.mark.parametrize(
    ("state", "recipient", "phrase"),
    [
        (State.RELEASED, "delivered", "was checked and has now been sent"),
        (State.REFUSED, "refused", "was checked and was not sent"),
        (State.DELETED, "deleted", "The waiting copy was deleted"),
        (State.REFUSED, "failed", "The other side did not take it"),
        (State.EXPIRED, "expired", "Its time ran out"),
    ],
)
def test_decisions(world: World, state: State, recipient: str, phrase: str) -> None:
    """N-5 says what IG or the clock decided."""
    world.hold(HOLD, LEE, state=state)
    world.records.set_recipient(HOLD, LEE, recipient)
    world.outcome("o1", line(LEE, "held", None, hold=HOLD))
    row = world.records.hold(HOLD)
    assert row is not None
    promises.decided_told(world.records, row, world.now)
    assert world.run() == 1
    assert phrase in world.box.texts()[0]


def test_hold_without_outcome_is_told_of_all_the_same(world: World) -> None:
    """The OUTCOME object is damaged: the hold's own row is enough to tell its sender."""
    world.hold(HOLD, LEE)
    reminder(world, HOLD)
    assert world.run() == 1
    assert world.box.mails[0][0] == SENDER
    assert "[consent verbal]" in world.box.texts()[0]


def test_unreadable_hold_asks_to_send_again(world: World) -> None:
    """Our copy is damaged: the sender is not told that it waits."""
    world.hold(HOLD, LEE)
    world.outcome("o1", line(LEE, "held", None, hold=HOLD))
    row = world.records.hold(HOLD)
    assert row is not None
    promises.told(world.records, row, "N-7", "sender", world.now, "damaged", variant="stuck")
    assert world.run() == 1
    assert "We cannot read our waiting copy. This is our mistake, not yours." in world.box.texts()[0]


def test_who_decides_is_told_of_new_holds_in_one_mail(world: World) -> None:
    """A notice says "they are told of it": within ten minutes one mail to the mail admins and one to IG name what came in."""
    technical = {"reasons": ("opaque.corrupt",), "releases": "mail-admin"}
    for name, more in (("aa", technical), ("bb", technical), ("cc", {"reasons": ("domain.unknown",), "releases": "ig"})):
        world.hold(name * 16, LEE, state=State.QUARANTINED, action="QUARANTINE", message=name, answers=(), **more)
        row = world.records.hold(name * 16)
        assert row is not None
        promises.hold_told(world.records, row, world.now)
    assert world.run(promises.DESK_EVERY) == 2
    told = {to: text for (to, _), text in zip(world.box.mails, world.box.texts(), strict=True)}
    assert set(told) == {SETTINGS.mail_admin_address, SETTINGS.ig_address}
    assert "AAAA-2345" in told[SETTINGS.mail_admin_address] and "BBBB-2345" in told[SETTINGS.mail_admin_address]
    assert LEE not in "".join(told.values()) and SENDER not in "".join(told.values())


def test_telling_who_decides_is_not_telling_the_sender(world: World) -> None:
    """The alarm for a hold nobody was told of looks at the sender's notice; the desk's mail does not quiet it."""
    world.hold(HOLD, LEE, state=State.QUARANTINED, action="QUARANTINE", reasons=("opaque.corrupt",), releases="mail-admin")
    row = world.records.hold(HOLD)
    assert row is not None
    promises.hold_told(world.records, row, world.now)
    assert world.run(promises.DESK_EVERY) == 1
    assert [one.id for one in world.records.unnoticed(world.now)] == [HOLD]


def test_delayed_mail(world: World) -> None:
    """A deferred copy: told that we try again and until when; later that it went."""
    world.hold(HOLD, LEE, state=State.DEFERRED, action="DEFERRED", deadline=SENT + 4 * 3600, notice=None, answers=())
    world.outcome("o1", line(LEE, "deferred", None, hold=HOLD), sent(notice=None))
    row = world.records.hold(HOLD)
    assert row is not None
    promises.hold_told(world.records, row, world.now)
    assert world.run(900) == 1
    assert "We try again by ourselves until 18:02 on Monday 3 March." in world.box.texts()[0]
    world.records.set_recipient(HOLD, LEE, "delivered", "250")
    promises.decided_told(world.records, replace(row, state=State.RELEASED), world.now)
    assert world.run() == 1
    assert "was delayed and has now been sent" in world.box.texts()[1]


# -- N-3: first three, then weekly -------------------------------------------------------------------------------------


def test_first_three_then_a_weekly_digest(world: World) -> None:
    """A sender's first three are told one by one, the rest together on Monday morning, patients' domains left out."""
    for number in range(6):
        who = sent(PATIENT, cls="C") if number == 5 else sent()
        world.outcome(f"o{number}", who, message=f"M{number}", merge=f"m{number}", created=SENT + number)
        world.run()
    assert len(world.box.mails) == 3
    assert world.run(7 * 86400) == 1
    _, data = world.box.mails[3]
    assert "mailbox.example" not in text_of(data) and "royal-example.nhs.uk" in text_of(data)
    assert text_of(data).count("- sent ") == 3
    assert world.pending() == 0


def test_digest_is_sent_on_monday_at_eight(world: World) -> None:
    """SENT is Monday 14:05; the next Monday 08:00 in London is the time."""
    for number in range(4):
        world.outcome(f"o{number}", sent(), message=f"M{number}", merge=f"m{number}")
        world.run()
    assert unsent(world.records) == (1, SENT - 14 * 3600 - 120 + 7 * 86400 + 8 * 3600)


def test_partial_delivery_is_always_told(world: World) -> None:
    """However many a sender has had: when somebody did not get it the sender hears at once."""
    for number in range(5):
        world.outcome(f"o{number}", sent(), message=f"M{number}", merge=f"m{number}")
        world.run()
    count = len(world.box.mails)
    world.outcome("o9", sent(), line(LEE, "failed", None, code="550"), message="M9", merge="m9")
    assert world.run() == 1
    assert len(world.box.mails) == count + 1
    assert "The other side did not take it" in world.box.texts()[-1]


# -- reports and alerts ------------------------------------------------------------------------------------------------


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


def test_promise_and_state_change_are_one(world: World) -> None:
    """An outcome that is not written leaves no row, and one that is written has its row: never one without the other."""

    @contextmanager
    def broken() -> Iterator[None]:
        with world.records.transaction():
            yield
            raise RuntimeError

    with pytest.raises(RuntimeError), broken():
        world.outcome("o1", refused())
    assert world.pending() == 0 and world.records.outcomes("4Z5q1x") == []
    world.outcome("o1", refused())
    assert world.pending() == 1 and len(world.records.outcomes("4Z5q1x")) == 1


def test_outbox_out_of_the_configuration(world: World, tmp_path: Path) -> None:
    """What the service opens at start; a broken template is found there."""
    addresses = dict.fromkeys(("sender", "ig", "mail_admin", "postmaster", "on_call"), "a@example.org")
    options = QuarantineSettings.model_validate({"addresses": addresses})
    assert isinstance(open_outbox(options, world.records, lambda: NOW), Outbox)
    options = QuarantineSettings.model_validate({"addresses": addresses, "templates": tmp_path})
    with pytest.raises(ValueError, match="no language folder"):
        open_outbox(options, world.records, lambda: NOW)
    options = QuarantineSettings.model_validate({"addresses": addresses, "language": "xx"})
    with pytest.raises(KeyError, match="no notice templates for language"):
        open_outbox(options, world.records, lambda: NOW)


def noted(address: str = LEE, **more: Any) -> dict[str, Any]:
    """A recipient of an email without a picture about which its sender shall be told something."""
    told = {"advice": ["The email links to a file share."], "advise_now": True}
    return line(address, **{"state": "delivered", "notice": "N-3-note", "method": "none", **told, **more})


def test_a_note_about_mail_without_a_picture_is_said_once_in_its_time(world: World) -> None:
    """Advice must not become noise: the second mail of the month is not told of, one after it is; another sender is."""

    def take(identity: str, at: float, **more: Any) -> int:
        world.now = at
        outcome = meta({"tell": "sender", "kind": "notice", **noted()}, message=identity, message_id=f"<{identity}@x>", **more)
        with world.records.transaction():
            world.records.add_outcome(identity, identity, identity, outcome["created"], outcome)
            promises.outcome_told(world.records, identity, identity, outcome, at, WINDOW, 30 * DAY)
        return world.run()

    assert take("o1", NOW) == 1
    text = world.box.texts()[0]
    assert "Sent, with a note" in str(parsed(world.box.mails[0][1])["Subject"])
    assert "links to a file share" in text and "did not hold or change it" in text
    assert "hidden data" not in text and "record" not in text.partition("Questions")[0]
    assert take("o2", NOW + 29 * DAY) == 0
    assert take("o3", NOW + 29 * DAY, sender="dr.other@clinic.example") == 1
    assert take("o4", NOW + 31 * DAY) == 1


def test_a_note_never_hides_another_notice_of_the_same_mail(world: World) -> None:
    world.outcome("o1", noted(), asked(CHEN))
    assert world.run() == 1
    assert "Waiting for you" in str(parsed(world.box.mails[0][1])["Subject"])
