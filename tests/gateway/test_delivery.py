"""Delivery to a next hop: per-recipient answers, extensions, kept connections."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.delivery import Delivery, Route, Routes
from gateway.model import Envelope, Recipient, Result
from gateway.outbound.nexthop import blocks
from tests.support.peers import Peer, Wire, peer

pytestmark = pytest.mark.unit

FULL = ("PIPELINING", "SIZE 50000000", "8BITMIME", "SMTPUTF8", "DSN", "XFORWARD NAME ADDR IDENT")
BODY = b"From: a@x.example\r\nSubject: s\r\n\r\nbody\r\n"


def delivery(running: Peer, **options: object) -> Delivery:
    return Delivery(Routes([Route("default", "127.0.0.1", running.port, helo="gw.example", **options)]))  # type: ignore[arg-type]  # test options


def to(*addresses: str) -> list[Recipient]:
    return [Recipient(address) for address in addresses]


async def send(
    out: Delivery, recipients: list[Recipient], data: bytes = BODY, sender: str = "a@x.example", **envelope: object
) -> list[Result]:
    return await out.send(
        "default", sender, recipients,
        SimpleNamespace(data=data),  # type: ignore[arg-type]  # stands for what only the exit check makes
        Envelope(sender, tuple(recipients), **envelope),  # type: ignore[arg-type]  # test options
    )


def codes(results: list[Result]) -> list[int]:
    return [result.code for result in results]


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",), FULL])
async def test_each_recipient_gets_the_next_hops_own_answer(extensions: tuple[str, ...]) -> None:
    async def script(wire: Wire) -> None:
        await wire.greet(*extensions)
        await wire.serve(rcpt=["250 ok", "550 5.1.1 no such user", "450 4.2.0 later", "251 forwarded"])

    async with peer(script) as hop:
        out = delivery(hop)
        results = await send(out, to("a@b.example", "c@b.example", "d@b.example", "e@b.example"))
        assert codes(results) == [250, 550, 450, 250]
        assert results[1].permanent and "5.1.1 no such user" in results[1].text
        assert hop.messages == [BODY]
        await out.aclose()
    assert hop.heard[-1] == b"QUIT"


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
async def test_when_every_recipient_is_refused_no_message_is_sent_and_the_session_lives(extensions: tuple[str, ...]) -> None:
    async def script(wire: Wire) -> None:
        await wire.greet(*extensions)
        await wire.serve(rcpt=["550 no", "550 no", "250 yes"])

    async with peer(script) as hop:
        out = delivery(hop)
        assert codes(await send(out, to("a@b.example", "c@b.example"))) == [550, 550]
        assert b"".join(hop.messages) == b""
        assert codes(await send(out, to("d@b.example"))) == [250]
        assert len(hop.wires) == 1 and hop.commands("RSET")
        await out.aclose()


@pytest.mark.parametrize("extensions", [(), ("PIPELINING",)])
@pytest.mark.parametrize(
    ("verb", "answer"),
    [("mail", "550 no"), ("mail", "451 later"), ("data", "554 no"), ("final", "552 5.3.4 big"), ("final", "451 later")],
)
async def test_a_refusal_of_the_whole_is_everybodys_answer(extensions: tuple[str, ...], verb: str, answer: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.greet(*extensions)
        await wire.serve(**{verb: answer})

    async with peer(script) as hop:
        out = delivery(hop)
        results = await send(out, to("a@b.example", "c@b.example"))
        assert codes(results) == [int(answer[:3])] * 2 and not any(result.unknown for result in results)
        await out.aclose()


async def test_lmtp_takes_one_final_reply_for_each_recipient_taken() -> None:
    """RFC 2033 4.2: the refused one has no final reply of its own."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve(rcpt=["250 ok", "550 no", "250 ok", "250 ok"], final=["250 ok", "452 full", "554 virus"])

    async with peer(script) as hop:
        out = delivery(hop, protocol="LMTP")
        assert codes(await send(out, to("a@b.example", "c@b.example", "d@b.example", "e@b.example"))) == [250, 550, 452, 554]
        assert hop.heard[0] == b"LHLO gw.example"
        assert codes(await send(out, to("f@b.example"))) != [0]
        await out.aclose()


async def test_over_a_unix_socket(tmp_path: Path) -> None:
    async def script(wire: Wire) -> None:
        await wire.greet()
        await wire.serve()

    async with peer(script, socket=tmp_path / "hop") as hop:
        out = Delivery(Routes([Route("default", socket=tmp_path / "hop", protocol="LMTP")]))
        assert codes(await send(out, to("a@b.example"))) == [250]
        assert hop.messages == [BODY]
        await out.aclose()


async def test_parameters_go_only_where_the_extension_is_offered() -> None:
    offered: list[str] = list(FULL)

    async def script(wire: Wire) -> None:
        await wire.greet(*offered)
        await wire.serve()

    facts = {
        "smtputf8": True, "body": "8BITMIME", "ret": "HDRS", "envid": "QQ+2B1",
        "xforward": {"NAME": "[UNAVAILABLE]", "ADDR": "192.0.2.1", "IDENT": "a+b", "HELO": "not-asked"},
    }  # fmt: skip
    who = [Recipient("a@b.example", "SUCCESS,FAILURE", "rfc822;a@b.example"), Recipient("c@b.example")]
    async with peer(script) as hop:
        out = delivery(hop)
        assert codes(await send(out, who, **facts)) == [250, 250]
        assert hop.heard[1:5] == [
            b"XFORWARD NAME=[UNAVAILABLE] ADDR=192.0.2.1 IDENT=a+2Bb",
            b"MAIL FROM:<a@x.example> SIZE=%d BODY=8BITMIME SMTPUTF8 RET=HDRS ENVID=QQ+2B1" % len(BODY),
            b"RCPT TO:<a@b.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;a@b.example",
            b"RCPT TO:<c@b.example>",
        ]
        await out.aclose()
        del offered[:]
        hop.heard.clear()
        out = delivery(hop)
        assert codes(await send(out, who, **facts)) == [250, 250]
        assert hop.heard[1:4] == [b"MAIL FROM:<a@x.example>", b"RCPT TO:<a@b.example>", b"RCPT TO:<c@b.example>"]
        await out.aclose()


async def test_what_the_next_hop_cannot_take_is_refused_for_good_and_never_sent() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("SIZE 100000")
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop)
        mixed = to("jörg@b.example", "a@b.example")
        results = await send(out, mixed, smtputf8=True)
        assert codes(results) == [553, 250] and results[0].text.startswith("5.6.7")
        assert codes(await send(out, to("a@b.example"), sender="jörg@x.example", smtputf8=True)) == [553]
        assert codes(await send(out, to("a@b.example"), "Subject: ö\r\n\r\n".encode(), smtputf8=True)) == [553]
        eight = await send(out, to("a@b.example"), "Subject: o\r\n\r\nö\r\n".encode(), body="8BITMIME")
        assert codes(eight) == [554] and eight[0].text.startswith("5.6.3")
        assert codes(await send(out, to("a@b.example"), b"x" * 100_001)) == [552]
        assert len(hop.messages) == 1
        await out.aclose()


FORGERIES = ["a@b.example>\r\nRCPT TO:<evil@b.example", "a b@x", "a@b\0", "<a@b>", "", '"a\r\nDATA"@x', 'a"b c"@x', '"a b@x']


@pytest.mark.parametrize("bad", FORGERIES)
async def test_no_address_can_forge_a_command(bad: str) -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING", "DSN")
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop)
        assert codes(await send(out, to(bad, "c@b.example"))) == [553, 250]
        if bad:
            assert codes(await send(out, to("c@b.example"), sender=bad)) == [553]
        assert codes(await send(out, [Recipient("c@b.example", orcpt="x\r\nDATA")])) == [501]
        assert codes(await send(out, to("c@b.example"), envid="a b")) == [501]
        assert b"evil" not in b"".join(hop.heard) and len(hop.messages) == 1
        await out.aclose()


async def test_a_quoted_local_part_may_hold_what_an_address_otherwise_may_not() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop)
        assert codes(await send(out, to('"john smith"@b.example', '"<\\">"@b.example', "postmaster"), sender="")) == [250] * 3
        assert hop.heard[1:3] == [b"MAIL FROM:<>", b'RCPT TO:<"john smith"@b.example>']
        await out.aclose()


async def test_a_next_hops_words_are_sanitised() -> None:
    """No control character, no 8-bit octet and no endless text of a next hop reaches a reply or a record of ours."""

    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve(rcpt=["550-first\r\n550 \x1b[31mgr\xfc\xdf " + "x" * 400])

    async with peer(script) as hop:
        out = delivery(hop)
        text = (await send(out, to("a@b.example")))[0].text
        assert text.isascii() and text.isprintable() and len(text) <= 200 and text.startswith("first ?[31mgr? ")
        await out.aclose()


async def test_connections_are_kept_and_reused_up_to_their_limit() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop, reuse=3)
        for _ in range(4):
            assert codes(await send(out, to("a@b.example"))) == [250]
        assert len(hop.wires) == 2 and len(hop.messages) == 4
        await out.aclose()


async def test_idle_connections_are_left_after_a_while() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop, keep=0.05)
        await send(out, to("a@b.example"))
        await asyncio.sleep(0.2)
        assert hop.heard[-1] == b"QUIT"
        await out.aclose()


async def test_never_more_connections_than_the_route_allows() -> None:
    now = peak = 0

    async def script(wire: Wire) -> None:
        nonlocal now, peak
        now += 1
        peak = max(peak, now)
        await wire.greet("PIPELINING")
        await wire.serve()
        now -= 1

    async with peer(script) as hop:
        out = delivery(hop, connections=2)
        results = await asyncio.gather(*(send(out, to("a@b.example")) for _ in range(20)))
        assert all(codes(result) == [250] for result in results) and len(hop.messages) == 20
        assert peak <= 2
        await out.aclose()


async def test_a_thousand_recipients_are_asked_in_groups() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet("PIPELINING")
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop)
        results = await send(out, to(*(f"r{n}@b.example" for n in range(1000))))
        assert codes(results) == [250] * 1000 and len(hop.messages) == 1
        await out.aclose()


async def test_probe_learns_extensions_and_size() -> None:
    async def script(wire: Wire) -> None:
        await wire.greet(*FULL)
        await wire.serve()

    async with peer(script) as hop:
        out = delivery(hop)
        assert out.extensions("default") == frozenset() and out.size("default") is None
        assert await out.probe("default") == "ok"
        assert out.extensions("default") == {"PIPELINING", "SIZE", "8BITMIME", "SMTPUTF8", "DSN", "XFORWARD"}
        assert out.size("default") == 50_000_000
        await send(out, to("a@b.example"))
        assert len(hop.wires) == 1
        await out.aclose()


@given(st.lists(st.sampled_from([b".", b"..", b"\r\n", b"x", b"\r\n.", b".\r\n", b"abc"]), max_size=60), st.integers(1, 12))
def test_the_data_survive_dot_stuffing_in_blocks_of_any_size(pieces: list[bytes], size: int) -> None:
    """RFC 5321 4.5.2, and the final dot is never inside: what the peer unstuffs is what we were given."""
    data = b"".join(pieces)
    sent = list(blocks(data, size))
    wire = b"".join(sent)
    assert sent[-1].endswith(b".\r\n")
    lines = wire.removesuffix(b".\r\n").split(b"\r\n")
    assert b"." not in lines
    unstuffed = b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)
    assert unstuffed == (data if data.endswith(b"\r\n") or not data else data + b"\r\n")


def test_an_empty_set_of_routes_or_an_unclear_route_is_refused() -> None:
    with pytest.raises(ValueError, match="no next-hop route"):
        Routes([])
    socket = Path("/s")
    host = {"host": "h"}
    for wrong in (
        {}, {**host, "socket": socket}, {**host, "helo": "a b"}, {**host, "tls": "mutual"}, {"socket": socket, "tls": "verified"},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="route r"):
            Route("r", **wrong)  # type: ignore[arg-type]  # wrong on purpose
    with pytest.raises(ValueError, match="same name"):
        Routes([Route("r", "h"), Route("r", "i")])
