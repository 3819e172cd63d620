"""SMTP smuggling on raw sockets: one message stays one, whatever the client calls its end and however loose the next hop is."""

from __future__ import annotations

import pytest

from tests.support.smtppeer import FakeIntake, connect, listening, loose_messages, stuffed, until

pytestmark = pytest.mark.unit

# The sequences of CVE-2023-51764 (Postfix), -51765 (Sendmail), -51766 (Exim), CVE-2024-27305 (aiosmtpd) and their neighbours.
ENDS = [
    b"\n.\n",
    b"\n.\r\n",
    b"\r\n.\n",
    b"\r.\r",
    b"\r.\r\n",
    b"\r\n.\r",
    b"\r.\n",
    b"\n.\r",
    b"\r\r\n.\r\r\n",
    b"\r\n.\r\r\n",
    b"\r\r\n.\r\n",
    b"\n\n.\n\n",
    b"\n\r\n.\r\n",
    b"\r\n\n.\r\n",
    b"\r\n\x00.\r\n",
    b"\r\n.\x00\r\n",
    b"\n\x00.\r\n",
    b"\x00\r\n.\r\n",
    b"\r\n.\n\r\n",
    b"\x00\n.\n",
    b"\r\n\r.\r\n",
    b"\r\n.\r\n\n",
]
HARMLESS = [b"\r\n .\r\n", b"\r\n. \r\n", b"\r\n.. \r\n", b"\r\n\t.\r\n"]
SMUGGLED = b"MAIL FROM:<ceo@x.example>\r\nRCPT TO:<victim@y.example>\r\nDATA\r\nSubject: smuggled\r\n\r\nx\r\n.\r\n"


def names(sequences: list[bytes]) -> list[str]:
    return [repr(one)[2:-1] for one in sequences]


@pytest.mark.parametrize("chunked", [False, True], ids=["whole", "bytewise"])
@pytest.mark.parametrize("end", ENDS, ids=names(ENDS))
async def test_a_strange_end_is_refused_and_nothing_after_it_is_obeyed(end: bytes, chunked: bool) -> None:
    """550 5.6.0 at the real end, then the connection closes: the pipelined rest is never read as commands."""
    intake = FakeIntake()
    async with listening(intake) as listener:
        client = await connect(listener)
        await client.hello()
        await client.to_data()
        wire = b"Subject: s\r\n\r\nfirst" + end + SMUGGLED
        for at in range(len(wire)) if chunked else ():
            await client.raw(wire[at : at + 1])
        if not chunked:
            await client.raw(wire)
        ours = await client.reply()
        if end.startswith(b"\r\n.\r\n"):  # a real end with a bare LF behind it, where a command should stand
            assert ours.startswith("250")
            assert (await client.reply()).startswith("500")
        else:
            assert ours.startswith("550 5.6.0")
        assert await client.closed()
    assert [one.envelope.sender for one in intake.seen] in ([], ["a@x.example"])
    assert intake.admitted == [None]


@pytest.mark.parametrize("end", ENDS, ids=names(ENDS))
async def test_lmtp_refuses_for_every_recipient(end: bytes) -> None:
    async with listening(FakeIntake(), protocol="LMTP") as listener:
        client = await connect(listener)
        await client.hello("LHLO")
        await client.to_data("b@y.example", "c@y.example")
        await client.raw(b"first" + end + b"x\r\n.\r\n")
        assert (await client.reply())[:3] == (await client.reply())[:3]


@pytest.mark.parametrize("end", [*ENDS, *HARMLESS], ids=names([*ENDS, *HARMLESS]))
@pytest.mark.parametrize("newlines", ["refuse", "normalise"])
async def test_a_loose_next_hop_never_sees_two_messages(end: bytes, newlines: str) -> None:
    """What the intake gets, sent on with dots stuffed, is one message for the loosest parser; the command in it is text."""
    intake = FakeIntake()
    async with listening(intake, bare_newlines=newlines) as listener:
        client = await connect(listener)
        await client.hello()
        await client.to_data()
        await client.raw(b"Subject: s\r\n\r\nfirst" + end + b"MAIL FROM:<ceo@x.example>\r\nlast\r\n.\r\n")
        reply = await client.reply()
        accepted = reply.startswith("250")
        assert len(intake.seen) == accepted
        assert accepted or reply.startswith("550 5.6.0")
    for one in intake.seen:
        assert loose_messages(stuffed(one.raw)) == 1
        assert one.raw.endswith(b"last\r\n") or b"\r\n.\r\n" in end  # a real end
    if end in HARMLESS:
        assert accepted


def test_the_loose_parser_is_loose() -> None:
    """The judge itself: relayed as it came (as stock aiosmtpd and smtplib do), each sequence splits for it."""
    split = [end for end in ENDS if loose_messages(b"first" + end + b"rest\r\n.\r\n") > 1]
    assert len(split) >= 15


@pytest.mark.parametrize("body", [b"a\nb", b"a\rb", b"a\0b", b"\n", b"\r", b"\0", b"a\r\r\nb"])
async def test_no_bare_newline_and_no_nul_at_all(body: bytes) -> None:
    intake = FakeIntake()
    async with listening(intake) as listener:
        client = await connect(listener)
        await client.hello()
        assert (await client.send(body)).startswith("550 5.6.0")
        assert await client.closed()
    assert intake.seen == []


async def test_normalise_turns_every_newline_into_crlf_and_still_refuses_nul() -> None:
    intake = FakeIntake()
    async with listening(intake, bare_newlines="normalise") as listener:
        client = await connect(listener)
        await client.hello()
        assert (await client.send(b"a\nb\rc\r\n..\n.d\r\n..e")).startswith("250")
        assert (await client.send(b"a\0b")).startswith("550 5.6.0")
    assert intake.seen[0].raw == b"a\r\nb\r\nc\r\n.\r\n.d\r\n.e\r\n"


async def test_the_refusal_is_read_though_more_input_was_waiting() -> None:
    """Closing with unread input would reset the connection and lose the 550: the upstream would try again for days."""
    async with listening(FakeIntake()) as listener:
        client = await connect(listener)
        await client.hello()
        await client.to_data()
        await client.raw(b"a\nb\r\n.\r\n" + b"NOOP\r\n" * 50_000)
        assert (await client.reply()).startswith("550 5.6.0")
        assert await client.closed()
        await until(lambda: listener.connections == 1)
        client.close()
        await until(lambda: listener.connections == 0)
