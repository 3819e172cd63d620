"""What a client meets on a listener: announcements, envelope, limits, SMTP and LMTP, failures of the intake."""

from __future__ import annotations

import hashlib
import logging

import pytest

from gateway.inbound.limits import MemoryBudget
from gateway.model import Received, Reply
from tests.support.smtppeer import FakeIntake, connect, dial, listening, session, until

pytestmark = pytest.mark.unit

BODY = b"From: a@x.example\r\nSubject: s\r\n\r\nhello"


async def test_banner_and_hello_tell_no_version() -> None:
    async with listening(FakeIntake()) as listener:
        client = await dial(listener)
        banner = await client.reply()
        hello = await client.hello()
    assert banner == "220 clinigate.localdomain ESMTP"
    assert not any(word in (banner + hello).lower() for word in ("python", "aiosmtpd", "1.4", "version"))


async def test_what_is_announced() -> None:
    async with listening(FakeIntake(), max_size=12345) as listener:
        hello = (await (await connect(listener)).hello()).split("\n")
    words = {line[4:] for line in hello[1:]}
    assert words == {
        "PIPELINING",
        "SIZE 12345",
        "8BITMIME",
        "SMTPUTF8",
        "DSN",
        "ENHANCEDSTATUSCODES",
        "XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE",
    }


async def test_only_what_the_next_hop_offers_is_announced_and_taken() -> None:
    intake = FakeIntake(offers=frozenset())
    async with session(intake) as client:
        assert "8BITMIME" not in await client.hello()
        assert (await client.cmd("MAIL FROM:<a@x.example> BODY=8BITMIME")).startswith("555 5.5.4")
        assert (await client.cmd("MAIL FROM:<a@x.example> RET=FULL")).startswith("555 5.5.4")
        intake.offers = frozenset({"DSN"})
        assert "DSN" in await client.hello()
        assert (await client.cmd("MAIL FROM:<a@x.example> RET=FULL")).startswith("250")


async def test_the_envelope_arrives_as_it_was_given() -> None:
    intake = FakeIntake()
    async with session(intake, name="in") as client:
        await client.cmd("XFORWARD NAME=pc.example ADDR=192.0.2.7", "XFORWARD IDENT=4YxQ1 SOURCE=REMOTE HELO=[UNAVAILABLE]")
        assert (await client.cmd("MAIL FROM:<> SIZE=99 RET=HDRS ENVID=QqQ+2B BODY=8BITMIME AUTH=<>")).startswith("250 2.1.0")
        await client.cmd(
            "RCPT TO:<B@Y.example> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;Bob@Y.example", "RCPT TO:<postmaster>", "DATA"
        )
        await client.raw(BODY + b"\r\n.\r\n")
        assert await client.reply() == "250 2.0.0 taken"
    envelope = intake.seen[0].envelope
    assert (envelope.sender, envelope.size, envelope.ret, envelope.envid, envelope.body) == ("", 99, "HDRS", "QqQ+2B", "8BITMIME")
    assert [(one.address, one.notify, one.orcpt) for one in envelope.recipients] == [
        ("B@Y.example", "SUCCESS,FAILURE", "rfc822;Bob@Y.example"),
        ("postmaster@clinigate.localdomain", None, None),
    ]
    assert envelope.xforward == {"NAME": "pc.example", "ADDR": "192.0.2.7", "IDENT": "4YxQ1", "SOURCE": "REMOTE"}
    assert (envelope.client, envelope.helo, envelope.listener, envelope.protocol) == ("127.0.0.1", "client.example", "in", "SMTP")
    assert intake.admitted == [99]
    assert (intake.seen[0].raw, intake.seen[0].key) == (BODY + b"\r\n", "4YxQ1")


async def test_the_key_is_the_hash_of_the_bytes_where_no_ident_was_given() -> None:
    """IDENT belongs to one transaction: the next message must not inherit it."""
    intake = FakeIntake()
    async with session(intake) as client:
        await client.cmd("XFORWARD IDENT=Q1")
        await client.send(BODY)
        await client.send(BODY)
        await client.cmd("XFORWARD IDENT=Q2", "RSET")
        await client.send(b"x" * 300_000)
    wanted = [hashlib.sha256(body + b"\r\n").hexdigest() for body in (BODY, b"x" * 300_000)]
    assert [one.key for one in intake.seen] == ["Q1", *wanted]


async def test_xforward_is_refused_within_a_transaction_and_where_it_is_off() -> None:
    async with session(FakeIntake()) as client:
        await client.cmd("MAIL FROM:<a@x.example>")
        assert (await client.cmd("XFORWARD IDENT=Q1")).startswith("503")
        assert (await client.cmd("RSET", "XFORWARD FOO=1")).startswith("501")
    async with session(FakeIntake(), xforward=False) as client:
        assert "XFORWARD" not in await client.hello()
        assert (await client.cmd("XFORWARD IDENT=Q1")).startswith("500")


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ("VRFY someone", "252"),
        ("VRFY", "501"),
        ("EXPN list", "502 5.5.1"),
        ("HELP", "214"),
        ("NOOP x", "250"),
        ("RSET", "250"),
        ("RSET x", "501"),
        ("QUIT x", "501"),
        ("QUIT", "221"),
        ("AUTH PLAIN x", "500"),
        ("BDAT 3", "500"),
        ("STARTTLS", "500"),
        ("ETRN x", "500"),
        ("LHLO x", "500"),
        ("EHLO", "501"),
        ("EHLO a(b)", "501"),
        ("MAIL TO:<a@b.example>", "501"),
        ("MAIL", "501"),
        ("MAIL FROM:a@b.example", "553"),
        ("RCPT TO:<a@b.example>", "503"),
        ("DATA", "503"),
        ("", "500"),
        ("__init__", "500"),
    ],
)
async def test_answers_to_single_commands(command: str, code: str) -> None:
    async with session(FakeIntake()) as client:
        assert (await client.cmd(command)).startswith(code)


async def test_order_of_commands_is_kept() -> None:
    async with listening(FakeIntake()) as listener:
        client = await connect(listener)
        assert (await client.cmd("MAIL FROM:<a@x.example>")).startswith("503")
        await client.hello()
        assert (await client.cmd("MAIL FROM:<a@x.example>", "MAIL FROM:<a@x.example>")).startswith("503")
        assert (await client.cmd("DATA")).startswith("503")
        assert (await client.cmd("RCPT TO:<>")).startswith("553 5.1.3")
        await client.cmd("RCPT TO:<b@y.example>")
        assert (await client.cmd("EHLO again.example", "DATA")).startswith("503")


async def test_helo_has_no_extensions() -> None:
    intake = FakeIntake()
    async with session(intake) as client:
        assert await client.hello("HELO") == "250 clinigate.localdomain"
        assert (await client.cmd("MAIL FROM:<a@x.example> SIZE=1")).startswith("555")
        assert (await client.send(BODY)).startswith("250")


async def test_pipelined_transactions_are_answered_in_order_and_together() -> None:
    """RFC 2920: two whole transactions in one packet each side, replies in groups."""
    intake = FakeIntake()
    async with session(intake) as client:
        await client.raw(b"MAIL FROM:<a@x.example>\r\nRCPT TO:<b@y.example>\r\nRCPT TO:<bad>\r\nDATA\r\n")
        first = await client.reader.readuntil(b"354 End data with <CR><LF>.<CR><LF>\r\n")
        assert [line[:3] for line in first.split(b"\r\n")] == [b"250", b"250", b"553", b"354", b""]
        await client.raw(b"one\r\n.\r\nMAIL FROM:<c@x.example>\r\nRCPT TO:<d@y.example>\r\nDATA\r\n")
        assert [(await client.reply())[:3] for _ in range(4)] == ["250", "250", "250", "354"]
        await client.raw(b"two\r\n.\r\nQUIT\r\n")
        assert [(await client.reply())[:3] for _ in range(2)] == ["250", "221"]
    assert [(one.raw, one.envelope.sender) for one in intake.seen] == [(b"one\r\n", "a@x.example"), (b"two\r\n", "c@x.example")]


@pytest.mark.parametrize("count", [1, 3])
async def test_lmtp_answers_each_recipient(count: int) -> None:
    """RFC 2033 4.2: as many final replies as accepted recipients, in their order."""
    codes = [250, 451, 550][:count]

    async def answer(received: Received) -> list[Reply]:
        return [
            Reply(code, f"{code // 100}.0.0", one.address) for code, one in zip(codes, received.envelope.recipients, strict=True)
        ]

    intake = FakeIntake(answer=answer)
    async with session(intake, protocol="LMTP") as client:
        names = [f"r{number}@y.example" for number in range(count)]
        first = await client.send(BODY, *names)
        replies = [first, *[await client.reply() for _ in names[1:]]]
        assert replies == [f"{code} {code // 100}.0.0 {name}" for code, name in zip(codes, names, strict=True)]
        assert (await client.cmd("NOOP")).startswith("250")
    assert intake.seen[0].envelope.protocol == "LMTP"


async def test_lmtp_refuses_per_recipient_too_and_has_no_ehlo() -> None:
    async with session(FakeIntake(), protocol="LMTP", max_size=100) as client:
        assert (await client.cmd("EHLO x")).startswith("500")
        first = await client.send(b"x" * 200, "b@y.example", "c@y.example")
        assert [first, await client.reply()] == ["552 5.3.4 Message is larger than this server takes"] * 2
        assert (await client.cmd("NOOP")).startswith("250")


async def test_smtputf8_rules() -> None:
    """RFC 6531: a UTF-8 address only with the parameter; it is given on as text; broken UTF-8 never passes."""
    intake = FakeIntake()
    async with session(intake) as client:
        assert (await client.cmd("MAIL FROM:<jürgen@x.example>")).startswith("553 5.6.7")
        await client.cmd("MAIL FROM:<a@x.example>")
        assert (await client.cmd("RCPT TO:<jürgen@x.example>")).startswith("553 5.6.7")
        await client.cmd("RSET")
        assert (await client.cmd(b"MAIL FROM:<\xff@x.example> SMTPUTF8")).startswith("501")
        await client.send(b"Subject: \xc3\xa9\r\n", "bücher@y.example", mail="MAIL FROM:<jürgen@x.example> SMTPUTF8")
    assert (intake.seen[0].envelope.sender, intake.seen[0].envelope.smtputf8) == ("jürgen@x.example", True)


async def test_size_is_enforced_at_mail_and_while_receiving() -> None:
    """552 5.3.4 both times; the transaction ends, the connection goes on, nothing reaches the intake."""
    intake = FakeIntake()
    async with session(intake, max_size=1000) as client:
        assert (await client.cmd("MAIL FROM:<a@x.example> SIZE=1001")).startswith("552 5.3.4")
        assert (await client.send(b"x" * 998)).startswith("250")
        assert (await client.send(b"x" * 999)).startswith("552 5.3.4")
        assert (await client.send(b"x" * 500_000)).startswith("552 5.3.4")
        assert (await client.cmd("RCPT TO:<b@y.example>")).startswith("503")
    assert len(intake.seen) == 1
    assert intake.budget.used == 0


async def test_too_many_recipients_are_452() -> None:
    """RFC 5321 4.5.3.1.10: the client sends the rest in another transaction."""
    async with session(FakeIntake(), max_recipients=2) as client:
        await client.cmd("MAIL FROM:<a@x.example>", "RCPT TO:<b@y.example>", "RCPT TO:<c@y.example>")
        assert (await client.cmd("RCPT TO:<d@y.example>")).startswith("452 4.5.3")
        assert (await client.cmd("DATA")).startswith("354")


async def test_memory_is_reserved_at_mail_and_given_back() -> None:
    intake = FakeIntake(budget=MemoryBudget(3_000_000))
    async with session(intake) as client:
        assert (await client.cmd("MAIL FROM:<a@x.example> SIZE=4000000")).startswith("452 4.3.1")
        await client.cmd("MAIL FROM:<a@x.example> SIZE=2500000")
        assert intake.budget.used == 2_500_000
        await client.cmd("RSET")
        assert intake.budget.used == 0
        assert (await client.send(b"x" * 100, mail="MAIL FROM:<a@x.example> SIZE=2500000")).startswith("250")
        assert intake.budget.used == 0


async def test_memory_grows_for_undeclared_size_and_runs_out_as_452() -> None:
    """Never a pause in the middle of DATA: the message is read to its end, then refused for now."""
    intake = FakeIntake(budget=MemoryBudget(3_000_000))
    async with session(intake) as client:
        assert (await client.send(b"x" * 1_500_000)).startswith("250")
        assert (await client.send(b"x" * 4_000_000)).startswith("452 4.3.1")
        assert (await client.send(b"x" * 4_000_000, mail="MAIL FROM:<a@x.example> SIZE=5")).startswith("452 4.3.1")
        assert intake.budget.used == 0
        assert (await client.send(b"x")).startswith("250")


async def test_an_open_circuit_is_told_at_mail() -> None:
    intake = FakeIntake(refusal=Reply(451, "4.4.1", "Next hop does not answer"))
    async with session(intake) as client:
        assert await client.cmd("MAIL FROM:<a@x.example>") == "451 4.4.1 Next hop does not answer"
        intake.refusal = None
        assert (await client.cmd("MAIL FROM:<a@x.example>")).startswith("250")


@pytest.mark.parametrize("where", ["admit", "extensions", "message", "went_on"])
async def test_no_exception_text_on_the_wire_or_in_the_log(
    where: str, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    """451, generic, whatever raised; the transaction is reset and the connection usable."""
    secret = "NHS 943 476 5919\r\n250 forged"
    intake = FakeIntake(raises={where: RuntimeError(secret)})
    caplog.set_level(logging.DEBUG)
    async with listening(intake) as listener:
        client = await connect(listener)
        said = [await client.hello()]
        if where != "extensions":
            said.append(await client.cmd("MAIL FROM:<a@x.example>"))
        if where in ("message", "went_on"):
            await client.cmd("RCPT TO:<b@y.example>", "DATA")
            await client.raw(BODY + b"\r\n.\r\n")
            said.append(await client.reply())
        if where == "went_on":
            said.append(await client.cmd("NOOP"))
        assert said[-1] == "451 4.3.0 Local error in processing"
        intake.raises.clear()
        await client.hello()
        assert (await client.send(BODY)).startswith("250")
    out = capsys.readouterr()
    for text in ("".join(said), caplog.text, out.out, out.err):
        assert "943" not in text and "forged" not in text
    assert "RuntimeError" in out.out + out.err + caplog.text


@pytest.mark.parametrize(
    "nonsense", [None, [], "250 ok", [None], [Reply(250, "2.0.0", "a"), Reply(250, "2.0.0", "b")], [Reply(354, "", "")]]
)
async def test_a_missing_or_senseless_answer_is_451_never_250(nonsense: object) -> None:
    """The trap of the model: a misspelt handler method answered 250."""

    async def answer(received: Received) -> object:
        return nonsense

    async with session(FakeIntake(answer=answer)) as client:
        assert await client.send(BODY) == "451 4.3.0 Local error in processing"
        assert (await client.cmd("MAIL FROM:<a@x.example>")).startswith("250")
    async with session(FakeIntake(answer=answer), protocol="LMTP") as client:
        first = await client.send(BODY, "b@y.example", "c@y.example", "d@y.example")
        assert {first, await client.reply(), await client.reply()} == {"451 4.3.0 Local error in processing"}
        assert (await client.cmd("NOOP")).startswith("250")


async def test_a_next_hops_text_cannot_forge_a_reply() -> None:
    async def answer(received: Received) -> list[Reply]:
        return [Reply(550, "5.0.0", "no\r\n250 2.0.0 yes\0é" + "x" * 600)]

    async with session(FakeIntake(answer=answer)) as client:
        reply = await client.send(BODY)
        assert reply.startswith("550 5.0.0 no 250 2.0.0 yes x") and len(reply) <= 510
        assert (await client.cmd("NOOP")) == "250 2.0.0 Ok"


async def test_loops_are_refused_before_the_intake_sees_them() -> None:
    intake = FakeIntake()
    async with session(intake) as client:
        assert (await client.send(b"Received: x\r\n" * 51 + b"\r\nbody")).startswith("554 5.4.6")
    assert intake.seen == []


async def test_lines_over_the_limit_are_taken() -> None:
    intake = FakeIntake()
    async with session(intake) as client:
        assert (await client.send(b"x" * 100_000 + b"\r\n" + b"y" * 999)).startswith("250")
    assert len(intake.seen[0].raw) == 100_000 + 2 + 999 + 2


@pytest.mark.parametrize("line", [b"NOOP\n", b"NOOP\r\r\n", b"NO\rOP\r\n", b"NOOP\0\r\n", b"\n"])
async def test_commands_end_with_crlf_only(line: bytes) -> None:
    """500 and close: what follows on such a connection is not what the server thinks it is."""
    intake = FakeIntake()
    async with session(intake) as client:
        await client.raw(line + b"MAIL FROM:<a@x.example>\r\n")
        assert (await client.reply()).startswith("500 5.5.2")
        assert await client.closed()
    assert intake.admitted == []


async def test_a_long_command_line_is_refused_and_skipped() -> None:
    async with session(FakeIntake()) as client:
        assert (await client.cmd("NOOP " + "x" * 100_000)).startswith("500 5.5.2")
        assert (await client.cmd("NOOP")).startswith("250")


async def test_a_body_taken_for_commands_ends_soon() -> None:
    """Five unknown commands and the connection closes: an HTTP request or a message never gets far."""
    async with session(FakeIntake()) as client:
        await client.raw(b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\nC: d\r\nE: f\r\nMAIL FROM:<a@x.example>\r\n")
        replies = [await client.reply() for _ in range(6)]
        assert [reply[:3] for reply in replies] == ["500"] * 5 + ["421"]
        assert await client.closed()


async def test_no_state_is_shared_between_connections() -> None:
    """aiosmtpd's table of command limits is one for all connections: a new one changes the old ones' limits."""
    intake = FakeIntake()
    sender = f"{'l' * 64}@{'d' * 60}.{'e' * 60}.example"
    long = f"MAIL FROM:<{sender}> SIZE=1 ENVID={'x' * 100} BODY=8BITMIME SMTPUTF8 RET=FULL AUTH={'y' * 300}"
    async with listening(intake) as listener:
        one = await connect(listener)
        await one.hello()
        for _ in range(3):
            two = await connect(listener)
            for _ in range(5):
                await two.hello()
            assert (await one.cmd(long)).startswith("250")
            assert (await two.cmd("RCPT TO:<b@y.example>")).startswith("503")
            await one.cmd("RSET")
        await one.cmd("XFORWARD IDENT=one")
        await two.send(BODY)
        assert intake.seen[-1].envelope.xforward == {}


async def test_the_library_logs_nothing_of_the_mail(caplog: pytest.LogCaptureFixture) -> None:
    """At DEBUG aiosmtpd prints addresses and body lines; its logger stays silent whatever the root's level."""
    caplog.set_level(logging.DEBUG)
    async with session(FakeIntake()) as client:
        await client.cmd("BOGUS canary-command")
        await client.send(b"canary-body", "canary-rcpt@y.example", mail="MAIL FROM:<canary-from@x.example>")
    assert "canary" not in caplog.text


async def test_a_release_goes_out_from_who_sent_it_at_first() -> None:
    """Symptom: what was released left with a null sender, so that no bounce ever told its sender, and as of no sender group.
    Cause: the service submits releases from <>, and the first envelope in the token was not looked at.
    """
    first = {"sender": "dr@own.example", "ret": "HDRS", "envid": "E1"}
    intake = FakeIntake(tokens={"good": {"release": "R1", "envelope": first}})
    async with session(intake, kind="release") as client:
        assert (await client.send(BODY, mail="MAIL FROM:<> CLINIGATE-RELEASE=good")).startswith("250")
    envelope = intake.seen[0].envelope
    assert (envelope.sender, envelope.ret, envelope.envid) == ("dr@own.example", "HDRS", "E1")


async def test_release_parameter() -> None:
    """On a release listener, and there only, MAIL carries the signed release; no valid token, no mail."""
    intake = FakeIntake(tokens={"good": {"release": "R1"}})
    async with session(intake, kind="release") as client:
        assert "CLINIGATE-RELEASE" in await client.hello()
        assert (await client.cmd("MAIL FROM:<a@x.example>")).startswith("550 5.7.1")
        await client.cmd("MAIL FROM:<a@x.example> CLINIGATE-RELEASE=bad", "RCPT TO:<b@y.example>")
        assert (await client.cmd("DATA")).startswith("550 5.7.1")
        assert (await client.send(BODY, mail="MAIL FROM:<a@x.example> CLINIGATE-RELEASE=good")).startswith("250")
        long = "t" * 20_000
        await client.cmd(f"MAIL FROM:<a@x.example> CLINIGATE-RELEASE={long}", "RCPT TO:<b@y.example>")
        assert (await client.cmd("DATA")).startswith("550 5.7.1")
        intake.raises["verify_release"] = ValueError("secret")
        await client.cmd("MAIL FROM:<a@x.example> CLINIGATE-RELEASE=good", "RCPT TO:<b@y.example>")
        assert (await client.cmd("DATA")) == "451 4.3.0 Local error in processing"
    assert intake.seen[0].envelope.release == {"release": "R1"}
    assert intake.seen[0].envelope.sender == "a@x.example"
    assert [one.address for one in intake.judged[1][1].recipients] == ["b@y.example"]
    assert len(intake.seen) == 1
    async with session(intake) as client:
        assert (await client.cmd("MAIL FROM:<a@x.example> CLINIGATE-RELEASE=good")).startswith("555 5.5.4")


async def test_mistakes_are_forgiven_after_a_message() -> None:
    """A kept connection of a busy MTA does not die of errors spread over days."""
    async with session(FakeIntake()) as client:
        for _ in range(8):
            assert (await client.cmd("MAIL", "MAIL", "BOGUS")).startswith("500")
            assert (await client.send(BODY)).startswith("250")


async def test_went_on_is_called_once_by_the_next_command() -> None:
    intake = FakeIntake()
    async with session(intake) as client:
        await client.cmd("XFORWARD IDENT=Q1")
        await client.send(BODY)
        assert intake.on == []
        await client.cmd("NOOP", "NOOP")
        assert intake.on == ["Q1"]
        await client.cmd("XFORWARD IDENT=Q2")
        await client.send(BODY)
        await client.cmd("QUIT")
        await until(lambda: intake.on == ["Q1", "Q2"])
