"""The outbox: what was promised is said once, to the right mailbox, and a row stays until it was."""

from __future__ import annotations

import asyncio
import smtplib
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import structlog
from aiosmtpd.controller import Controller

from quarantine import promises
from quarantine.notices.renderer import Renderer
from quarantine.outbox import LONGEST_RETRY, Outbox, SmtpTransport, back_off, open_outbox, unsent
from quarantine.settings import QuarantineSettings
from tests.support.noticeworld import CHEN, LEE, NOW, PATIENT, SENDER, SENT, SETTINGS, asked, line, meta, refused, sent
from tests.support.outboxworld import TEMPLATES, WINDOW, World, parsed, text_of

pytestmark = pytest.mark.unit

DAY = 86400.0


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
