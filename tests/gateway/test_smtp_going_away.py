"""The client goes away, dawdles or pipelines its farewell: the work is done, and nobody believes a reply that was not read."""

from __future__ import annotations

import asyncio
import os
import socket

import pytest

from gateway.model import Received, Reply
from tests.support.smtppeer import TAKEN, Client, FakeIntake, connect, listening, session, until

pytestmark = pytest.mark.unit

BODY = b"Subject: s\r\n\r\nhello\r\n.\r\n"


class Slow:
    """An intake's answer that comes when the test says so."""

    def __init__(self) -> None:
        self.started, self.go = asyncio.Event(), asyncio.Event()

    async def __call__(self, received: Received) -> list[Reply]:
        self.started.set()
        await self.go.wait()
        return [TAKEN]


async def leave_reset(client: Client) -> None:
    await client.raw(BODY)
    await asyncio.sleep(0.01)  # a reset drops what the kernel has not handed over
    client.reset()


async def leave_closed(client: Client) -> None:
    await client.raw(BODY)
    client.close()


async def leave_with_quit(client: Client) -> None:
    await client.raw(BODY + b"QUIT\r\n")
    client.close()


async def leave_half_closed(client: Client) -> None:
    await client.raw(BODY + b"QUIT\r\n")
    client.writer.write_eof()


WAYS = [leave_reset, leave_closed, leave_with_quit, leave_half_closed]


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
async def test_work_ends_when_the_client_leaves_after_the_dot(way: object) -> None:
    """aiosmtpd cancels the handler (#110): mail relayed and not acknowledged, or half quarantined."""
    slow = Slow()
    intake = FakeIntake(answer=slow)
    async with listening(intake) as listener:
        client = await connect(listener)
        await client.hello()
        await client.to_data()
        await way(client)  # type: ignore[operator]  # a coroutine function of the list above
        await slow.started.wait()
        await asyncio.sleep(0.02)
        slow.go.set()
        await until(lambda: len(intake.finished) == 1)
        if way is leave_half_closed:  # it still listens, and gets what it asked for
            assert [await client.reply(), (await client.reply())[:3]] == ["250 2.0.0 taken", "221"]
            assert await client.closed()
        await until(lambda: listener.connections == 0)
    assert intake.on == [], "went_on for a reply that nobody is known to have read"
    assert intake.budget.used == 0


async def test_memory_is_kept_until_the_work_ends() -> None:
    slow = Slow()
    intake = FakeIntake(answer=slow)
    async with session(intake) as client:
        await client.to_data(mail="MAIL FROM:<a@x.example> SIZE=5000")
        await leave_reset(client)
        await slow.started.wait()
        await asyncio.sleep(0.02)
        assert intake.budget.used == 5000
        slow.go.set()
        await until(lambda: intake.budget.used == 0)


async def test_nothing_is_taken_from_a_client_that_leaves_before_the_dot() -> None:
    intake = FakeIntake()
    async with listening(intake) as listener:
        for ending in (b"", b"\r\n", b"\r\n.", b"\r\n.\r"):
            client = await connect(listener)
            await client.hello()
            await client.to_data()
            await client.raw(b"Subject: half" + ending)
            client.close()
        await until(lambda: listener.connections == 0)
        assert (intake.seen, intake.budget.used) == ([], 0)


async def test_a_pipelined_next_command_does_not_prove_that_the_reply_was_read() -> None:
    """RFC 2920 lets a client send MAIL or QUIT together with the message; only a later command shows that it went on."""
    slow = Slow()
    intake = FakeIntake(answer=slow)
    async with session(intake) as client:
        await client.cmd("XFORWARD IDENT=Q1")
        await client.to_data()
        await client.raw(BODY + b"NOOP\r\n")
        await slow.started.wait()
        await client.raw(b"NOOP\r\n")
        await asyncio.sleep(0.02)
        slow.go.set()
        assert [(await client.reply())[:3] for _ in range(3)] == ["250"] * 3
        assert intake.on == []
        await client.cmd("NOOP")
        assert intake.on == ["Q1"]


async def test_half_a_command_sent_before_the_reply_proves_it_when_completed() -> None:
    slow = Slow()
    intake = FakeIntake(answer=slow)
    async with session(intake) as client:
        await client.cmd("XFORWARD IDENT=Q1")
        await client.to_data()
        await client.raw(BODY + b"NO")
        await slow.started.wait()
        slow.go.set()
        await client.reply()
        await client.cmd("OP")
        assert intake.on == ["Q1"]


async def test_went_on_is_not_called_for_what_the_intake_never_took() -> None:
    intake = FakeIntake(raises={"message": RuntimeError()})
    async with session(intake) as client:
        await client.to_data()
        await client.raw(BODY)
        assert (await client.reply()).startswith("451")
        await client.cmd("NOOP")
    assert intake.on == []


@pytest.mark.slow
async def test_a_slow_steady_upload_is_progress() -> None:
    """aiosmtpd counts from the last command and cuts it."""
    intake = FakeIntake()
    async with session(intake, command_timeout=0.1, data_timeout=0.1) as client:
        await client.to_data()
        for _ in range(10):
            await client.raw(b"line\r\n")
            await asyncio.sleep(0.03)
        await client.raw(b".\r\n")
        assert (await client.reply()).startswith("250")
    assert intake.seen[0].raw == b"line\r\n" * 10


async def test_an_upload_without_progress_is_cut() -> None:
    intake = FakeIntake()
    async with session(intake, data_timeout=0.05) as client:
        await client.to_data()
        await client.raw(b"line\r\n")
        assert (await client.reply()).startswith("421 4.4.2")
        assert await client.closed()
        assert intake.seen == []
        await until(lambda: intake.budget.used == 0)


async def test_an_endless_trickle_meets_the_total_limit() -> None:
    async with session(FakeIntake(), data_timeout=0.1, data_total=0.2) as client:
        await client.to_data()
        with pytest.raises(ConnectionError):
            for _ in range(100):
                await client.raw(b"x")
                await asyncio.sleep(0.02)


async def test_a_trickled_command_is_cut() -> None:
    """Slow loris: bytes of an unfinished command are no progress."""
    async with session(FakeIntake(), command_timeout=0.15) as client:
        for _ in range(5):
            await client.raw(b"N")
            await asyncio.sleep(0.02)
        assert (await client.reply()).startswith("421 4.4.2")


@pytest.mark.slow
async def test_a_long_work_is_never_timed_out() -> None:
    """A handler slower than aiosmtpd's timeout is cancelled and the connection closed without a reply."""

    async def answer(received: Received) -> list[Reply]:
        await asyncio.sleep(0.3)
        return [TAKEN]

    async with session(FakeIntake(answer=answer), command_timeout=0.1, data_timeout=0.1) as client:
        await client.to_data()
        await client.raw(BODY)
        assert (await client.reply()).startswith("250")
        assert (await client.cmd("NOOP")).startswith("250")


@pytest.mark.slow
async def test_the_time_for_the_next_command_starts_with_the_reply() -> None:
    async with session(FakeIntake(), command_timeout=0.2, data_timeout=0.05, max_size=10) as client:
        await client.to_data()
        await client.raw(b"x" * 100 + b"\r\n.\r\n")
        assert (await client.reply()).startswith("552")
        await asyncio.sleep(0.1)
        assert (await client.cmd("NOOP")).startswith("250")
        assert (await client.reply()).startswith("421 4.4.2")


async def test_replies_do_not_wait_for_the_work_of_a_pipelined_message() -> None:
    slow = Slow()
    async with session(FakeIntake(answer=slow)) as client:
        await client.raw(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nDATA\r\n" + BODY)  # against RFC 2920, but seen
        assert [(await client.reply())[:3] for _ in range(3)] == ["250", "250", "354"]
        slow.go.set()
        assert (await client.reply()).startswith("250")


async def test_a_failure_in_the_middle_of_data_closes() -> None:
    """What follows would be lines of the message: read as commands, they would be smuggled ones."""
    intake = FakeIntake()
    async with session(intake) as client:
        await client.to_data()
        intake.budget.capacity = "nonsense"  # type: ignore[assignment]  # makes the reservation raise
        await client.raw(b"x" * 3_000_000)
        assert (await client.reply()) == "451 4.3.0 Local error in processing"
        intake.budget.capacity = 10**9
        await client.raw(b"\r\nMAIL FROM:<ceo@x.example>\r\n")
        assert await client.closed()
    assert intake.admitted == [None]


@pytest.mark.slow
async def test_a_flood_of_pipelined_commands_proves_nothing() -> None:
    """More than is read ahead: what waits in the kernel was sent before the reply, though it is read after it."""
    slow = Slow()
    intake = FakeIntake(answer=slow)
    async with session(intake) as client:
        await client.to_data()
        count = 100_000
        client.writer.write(BODY + b"NOOP\r\n" * count)
        await slow.started.wait()
        await asyncio.sleep(0.05)
        slow.go.set()
        assert (await client.reply()).startswith("250 2.0.0 taken")
        got = await client.reader.readexactly(len(b"250 2.0.0 Ok\r\n") * count)
        assert got.count(b"250") == count
    assert intake.on == []


async def test_a_command_that_was_on_its_way_before_the_reply_proves_nothing() -> None:
    """It lies in the kernel, unread, when the work ends: nothing tells it from an answer to our reply but when it is read."""
    async with listening(intake := FakeIntake()) as listener:
        client = await connect(listener)

        async def answer(received: Received) -> list[Reply]:
            os.write(client.writer.get_extra_info("socket").fileno(), b"NOOP\r\n")  # no turn for the event loop in between
            return [TAKEN]

        intake.answer = answer
        await client.hello()
        await client.cmd("XFORWARD IDENT=Q1")
        assert (await client.send(b"x")).startswith("250 2.0.0 taken")
        assert (await client.reply()).startswith("250")
        assert intake.on == []
        await client.cmd("NOOP")
        assert intake.on == ["Q1"]


@pytest.mark.slow
async def test_a_client_that_is_gone_at_once_leaves_no_traceback_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    """Symptom: ``ERROR asyncio`` with a traceback after each health probe of a load balancer.  Cause: the half-close that ends a
    session answers ENOTCONN when the peer has reset, and that is an OSError but no ConnectionError."""
    async with listening(FakeIntake()) as listener:
        for _ in range(5):
            socket.create_connection(("127.0.0.1", listener.port)).close()
            await asyncio.sleep(0.05)
        await until(lambda: not listener.connections)
    assert [record.getMessage() for record in caplog.records] == []
