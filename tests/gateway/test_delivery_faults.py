"""A next hop that is dead, slow, rude or mad: every recipient still gets a truthful answer, and nothing is sent twice unasked."""

from __future__ import annotations

import asyncio
import socket
import time
from types import SimpleNamespace

import pytest

from gateway.delivery import Delivery, Route, Routes, Timeouts
from gateway.model import Envelope, Recipient, Result
from tests.support.peers import Peer, Wire, peer

pytestmark = [pytest.mark.unit, pytest.mark.slow]

BODY = b"From: a@x.example\r\nSubject: s\r\n\r\nbody\r\n"
QUICK = Timeouts(connect=0.2, greeting=0.2, command=0.2, block=0.2, final=0.2)
TWO = [Recipient("a@b.example"), Recipient("c@b.example")]


class Clock:
    """A clock the test moves."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def delivery(port: int, clock: Clock | None = None, **options: object) -> Delivery:
    route = Route("default", "127.0.0.1", port, timeouts=QUICK, **options)  # type: ignore[arg-type]  # test options
    return Delivery(Routes([route]), clock=clock or time.monotonic)


async def send(out: Delivery, data: bytes = BODY, recipients: list[Recipient] = TWO) -> list[Result]:
    cleared = SimpleNamespace(data=data)
    return await out.send("default", "s@x.example", recipients, cleared, Envelope("s@x.example", tuple(recipients)))  # type: ignore[arg-type]  # stands for what only the exit check makes


def outcome(results: list[Result]) -> list[tuple[int, bool]]:
    return [(result.code, result.unknown) for result in results]


NOTHING = [(0, False)] * 2
UNKNOWN = [(0, True)] * 2


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def silent(wire: Wire) -> None:
    await asyncio.sleep(5)


async def hangs_up(wire: Wire) -> None:
    return


def says(*lines: str | bytes) -> object:
    async def script(wire: Wire) -> None:
        await wire.say(*lines)
        await asyncio.sleep(5)

    return script


def after(verb: str, *, extensions: tuple[str, ...] = (), then: str | None = None, **replies: str) -> object:
    """Serve until ``verb``; then say ``then`` (if any) and close."""

    async def script(wire: Wire) -> None:
        await wire.greet(*extensions)
        while not (await wire.hear()).lower().startswith(verb.encode()):
            await wire.say(replies.get(wire.heard[-1][:4].decode().lower(), "250 ok"))
        if then is not None:
            await wire.say(then)

    return script


def end_of_data(*lines: str | bytes, wait: float = 0.0) -> object:
    """Take the message, then say ``lines`` and close."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        while not (await wire.hear()).startswith(b"DATA"):
            await wire.say("250 ok")
        await wire.say("354 go on")
        wire.messages.append(await wire.take())
        await asyncio.sleep(wait)
        await wire.say(*lines)

    return script


async def test_a_dead_next_hop_is_no_answer() -> None:
    out = delivery(closed_port())
    assert outcome(await send(out)) == NOTHING
    assert await out.probe("default") == "connect: ConnectionRefusedError"


@pytest.mark.parametrize(
    "script",
    [
        silent, hangs_up, says("554 no service"), says("421 busy"), says("22"),
        says(b"\xff\xfe nonsense"), says("HTTP/1.1 400 Bad Request"),
        says("220-a", "221 b"), says("220-" + "x" * 70_000), says(*["220-more"] * 300), says("999 what"), says("22O oh"),
        says("220-a", "nonsense", "220 b"), says("220 ok", "554 ehlo no"), says("220 ok", "garbage"), says("220 ok", "250-half"),
        after("mail"), after("rcpt"), after("data"),
        after("mail", then="nonsense"), after("mail", then="354 what"), after("data", then="250 what"),
        after("data", extensions=("PIPELINING",)), after("mail", then="220-", extensions=("PIPELINING",)),
    ],
)  # fmt: skip
async def test_whatever_fails_before_the_message_nothing_was_taken(script: object) -> None:
    async with peer(script) as hop:  # type: ignore[arg-type]  # made above
        out = delivery(hop.port)
        assert outcome(await send(out)) == NOTHING
        assert hop.messages == []
        await out.aclose()


@pytest.mark.parametrize(
    "script",
    [
        end_of_data(), end_of_data(wait=1), end_of_data("nonsense", "250 ok"), end_of_data("25"),
        end_of_data("250-half"), end_of_data("354 more?"),
    ],
)
async def test_a_reply_lost_after_the_dot_is_unknown_and_is_not_repeated(script: object) -> None:
    """RFC 1047: the next hop may have taken it; only the ledger may decide what comes next."""
    async with peer(script) as hop:  # type: ignore[arg-type]  # made above
        out = delivery(hop.port)
        assert outcome(await send(out)) == UNKNOWN
        assert len(hop.messages) == len(hop.wires) == 1
        await out.aclose()


async def test_lmtp_says_for_whom_the_reply_was_lost() -> None:
    async with peer(end_of_data("250 ok")) as hop:  # type: ignore[arg-type]  # made above
        out = delivery(hop.port, protocol="LMTP")
        assert outcome(await send(out)) == [(250, False), (0, True)]
        await out.aclose()


async def test_a_connection_lost_in_the_middle_of_the_message_took_nothing() -> None:
    """RFC 5321 4.1.1.4: without the final dot there is no message."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        while not (await wire.hear()).startswith(b"DATA"):
            await wire.say("250 ok")
        await wire.say("354 go on")
        await wire.reader.readexactly(1000)
        wire.writer.transport.abort()

    async with peer(script) as hop:
        out = delivery(hop.port)
        assert outcome(await send(out, BODY + b"x" * 70 * 500_000)) == NOTHING
        await out.aclose()


async def test_a_next_hop_that_stops_reading_is_left() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        while not (await wire.hear()).startswith(b"DATA"):
            await wire.say("250 ok")
        wire.reader._limit = 1  # type: ignore[attr-defined]  # stop taking from the socket
        await wire.say("354 go on")
        await asyncio.sleep(5)

    async with peer(script) as hop:
        out = delivery(hop.port)
        begun = time.monotonic()
        assert outcome(await send(out, BODY + b"x" * 30_000_000)) == NOTHING
        assert time.monotonic() - begun < 3
        await out.aclose()


async def test_a_kept_connection_that_died_is_replaced_once() -> None:
    async def one(wire: Wire) -> None:
        while not (await wire.hear()).startswith(b"DATA"):
            await wire.say("250 ok")
        await wire.say("354 go on")
        wire.messages.append(await wire.take())
        await wire.say("250 taken")

    async def dies_unnoticed(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await one(wire)
        if wire.number:
            await wire.serve()
        else:
            await wire.hear()  # the next MAIL meets a closed door

    async def says_421(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await one(wire)
        if wire.number:
            await wire.serve()
        else:
            await wire.hear()
            await wire.say("421 idle too long")

    async def dies_at_once(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await one(wire)
        if wire.number:
            await wire.serve()

    for behaviour in (dies_unnoticed, says_421, dies_at_once):
        async with peer(behaviour) as hop:
            out = delivery(hop.port)
            for _ in range(2):
                assert outcome(await send(out)) == [(250, False)] * 2
                await asyncio.sleep(0.01)
            assert len(hop.wires) == 2 and len(hop.messages) == 2
            assert out.circuit("default") == "closed"
            await out.aclose()


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
async def test_a_kept_connection_with_a_word_left_over_is_not_used_again(extensions: tuple[str, ...]) -> None:
    """A second reply to the last message would be read as the answer to the next MAIL, and so on, one off."""

    async def script(wire: Wire) -> None:
        await wire.greet(*extensions)
        await wire.serve(final=["250 taken", "550 and another word"])

    async with peer(script) as hop:
        out = delivery(hop.port)
        for _ in range(3):
            assert outcome(await send(out)) == [(250, False)] * 2
            await asyncio.sleep(0.01)
        assert len(hop.wires) == 3
        await out.aclose()


async def test_a_fresh_connection_that_dies_is_not_tried_again() -> None:
    async with peer(after("mail")) as hop:  # type: ignore[arg-type]  # made above
        out = delivery(hop.port)
        await send(out)
        assert len(hop.wires) == 1
        await out.aclose()


async def test_421_before_the_message_is_a_temporary_answer_for_those_still_open() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet()
        await wire.hear()
        await wire.say("250 ok")
        await wire.hear()
        await wire.say("550 no such user")
        await wire.hear()
        await wire.say("421 shutting down")

    async with peer(script) as hop:
        out = delivery(hop.port)
        assert outcome(await send(out)) == [(550, False), (421, False)]
        await out.aclose()


async def test_mails_own_refusal_counts_not_what_pipelined_commands_say_after_it() -> None:
    """503 for RCPT and DATA is only the echo: a 451 must not become permanent by it."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve(mail="451 4.7.1 greylisted", rcpt="503 need MAIL", data="503 need RCPT")

    async with peer(script) as hop:
        out = delivery(hop.port)
        assert outcome(await send(out)) == [(451, False)] * 2
        await out.aclose()


async def test_lmtp_that_opens_data_for_nobody_is_left_without_waiting() -> None:
    """RFC 2033 4.2 owes no reply to a dot for no recipient: there is nothing to wait for."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve(rcpt="550 no")

    async with peer(script) as hop:
        out = delivery(hop.port, protocol="LMTP")
        assert outcome(await send(out)) == [(550, False)] * 2
        assert outcome(await send(out)) == [(550, False)] * 2
        assert len(hop.wires) == 2 and hop.messages == []
        await out.aclose()


async def test_an_early_refusal_of_the_message_is_heard() -> None:
    """Some servers answer 552 in the middle of the message and close."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        while not (await wire.hear()).startswith(b"DATA"):
            await wire.say("250 ok")
        await wire.say("354 go on")
        await wire.reader.readexactly(1000)
        await wire.say("552 5.3.4 too much")
        wire.writer.write_eof()
        wire.reader._limit = 1  # type: ignore[attr-defined]  # stop taking from the socket
        await asyncio.sleep(5)

    async with peer(script) as hop:
        out = delivery(hop.port)
        assert outcome(await send(out, BODY + b"x" * 30_000_000)) == [(552, False)] * 2
        await out.aclose()


async def test_the_circuit_opens_after_failures_in_a_row_and_lets_one_probe_in() -> None:
    clock, port = Clock(), closed_port()
    out = delivery(port, clock)
    for _ in range(3):
        assert out.circuit("default") == "closed"
        await send(out)
    assert out.circuit("default") == "open"
    assert [result.text for result in await send(out)] == ["next hop is resting after connection failures"] * 2
    clock.now = 5.1
    assert out.circuit("default") == "closed"
    probe = asyncio.create_task(send(out))
    await asyncio.sleep(0)
    assert out.circuit("default") == "open", "one probe at a time"
    await probe
    clock.now = 5.1 + 9.9
    assert out.circuit("default") == "open", "longer each time"
    clock.now = 5.1 + 10.1
    assert out.circuit("default") == "closed"


async def test_the_circuit_closes_when_the_next_hop_is_back() -> None:
    clock = Clock()
    mood = [hangs_up]

    async def script(wire: Wire) -> None:
        if mood:
            return
        await wire.greet()
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop.port, clock)
        for _ in range(3):
            await send(out)
        assert out.circuit("default") == "open"
        mood.clear()
        clock.now = 6.0
        assert outcome(await send(out)) == [(250, False)] * 2
        assert out.circuit("default") == "closed"
        await out.aclose()


async def test_a_cancelled_delivery_leaves_no_half_transaction() -> None:
    async with peer(end_of_data("250 ok", wait=5)) as hop:  # type: ignore[arg-type]  # made above
        out = Delivery(Routes([Route("default", "127.0.0.1", hop.port)]))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await send(out)
        await asyncio.sleep(0.05)
        assert hop.wires[0].reader.at_eof() or hop.wires[0].reader.exception()
        assert hop.wires and await _ends(hop)
        await out.aclose()


async def _ends(hop: Peer) -> bool:
    try:
        return await hop.wires[0].reader.read() == b""
    except ConnectionError:
        return True


async def test_a_slow_but_steady_next_hop_is_waited_for() -> None:
    """Time-outs count progress, not the whole."""

    async def script(wire: Wire) -> None:
        await asyncio.sleep(0.1)
        await wire.greet("PIPELINING")
        for _ in range(4):
            await wire.hear()
            await asyncio.sleep(0.1)
            await wire.say("354 go on" if wire.heard[-1] == b"DATA" else "250 ok")
        await wire.take()
        await asyncio.sleep(0.1)
        await wire.say("250 taken")
        await asyncio.sleep(5)

    async with peer(script) as hop:
        out = delivery(hop.port)
        assert outcome(await send(out)) == [(250, False)] * 2
        await out.aclose()
