"""The DATA reader on bytes alone: chunking never matters, only CRLF.CRLF ends, nothing smuggled is kept."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.inbound import replies as say
from gateway.inbound.data import SMALL, DataReader, dotted
from gateway.model import Reply

pytestmark = pytest.mark.unit

LEGAL = st.lists(st.sampled_from([b"\r\n", b".", b"..", b"a", b"\r\n.", b"\r\n..", b"body "])).map(b"".join)
WIRE = LEGAL | st.lists(
    st.sampled_from([b"\r\n", b".", b"..", b"\r", b"\n", b"\0", b"a", b"\r\n.\r\n", b"\r\n..", b"body "])
).map(b"".join)


def read(wire: bytes, sizes: list[int] | None = None, **options: object) -> tuple[Reply | None, bytes, bytes | None]:
    """Feed ``wire`` in pieces of ``sizes`` (cycled): fault, content, what came after the end (None: no end)."""
    reader = DataReader(**{"limit": 10**9, **options})  # type: ignore[arg-type]  # test options
    rest, at, turn = None, 0, 0
    while rest is None and at < len(wire):
        size = sizes[turn % len(sizes)] if sizes else len(wire)
        rest = reader.feed(wire[at : at + size])
        at, turn = at + size, turn + 1
    return reader.fault, reader.content(), None if rest is None else rest + wire[at:]


def oracle(wire: bytes, normalise: bool) -> tuple[Reply | None, bytes, bytes | None]:
    """The same, written the slow and obvious way."""
    end = (b"\r\n" + wire).find(b"\r\n.\r\n")
    if end < 0:
        return None, b"", None
    lines = wire[:end].split(b"\r\n")[:-1]
    body = b"".join(line.removeprefix(b".") + b"\r\n" for line in lines)
    stray = any(b"\r" in line or b"\n" in line for line in lines)
    rest = wire[end + 3 :]
    if stray and not normalise:
        return say.BARE_NEWLINE, b"", rest
    for found, wanted in ((b"\r\n", b"\n"), (b"\r", b"\n"), (b"\n", b"\r\n")):
        body = body.replace(found, wanted)
    return None, body, rest


@given(WIRE.filter(lambda wire: b"\0" not in wire), st.lists(st.integers(1, 7), min_size=1), st.booleans())
def test_agrees_with_the_obvious_reader_in_any_chunks(wire: bytes, sizes: list[int], normalise: bool) -> None:
    wire += b"\r\n.\r\nQUIT\r\n"
    got, wanted = read(wire, sizes, normalise=normalise), oracle(wire, normalise)
    assert (got[0], got[2]) == (wanted[0], wanted[2])
    if wanted[0] is None:
        assert got[1] == wanted[1]


def test_450_random_chunkings_equal_one_shot() -> None:
    """Pipelined messages with dot lines, in 450 random ways of cutting them, byte for byte the same."""
    chance = random.Random(20261122)
    lines = [b"", b".", b"..", b".x", b"text", b"A" * 76, b"B" * 2000, b" . ", b"\xff\xfe"]
    for _ in range(450):
        body = b"\r\n".join(chance.choices(lines, k=chance.randrange(0, 40))) + b"\r\n"
        wire = (
            b"\r\n".join(b"." + line if line.startswith(b".") else line for line in body.split(b"\r\n"))
            + b".\r\nRSET\r\nQUIT\r\n"
        )
        sizes = [chance.choice([1, 1, 2, 3, 5, 8, 100, 4096]) for _ in range(50)]
        assert read(wire) == (None, body, b"RSET\r\nQUIT\r\n")
        assert read(wire, sizes) == read(wire)


@given(WIRE, st.lists(st.integers(1, 5), min_size=1))
def test_a_nul_is_never_kept(wire: bytes, sizes: list[int]) -> None:
    fault, content, _ = read(wire + b"\0\r\n.\r\n", sizes, normalise=True)
    assert fault == say.NUL or b"\0" not in content


def test_the_first_line_can_end_or_be_stuffed() -> None:
    assert read(b".\r\nQUIT\r\n") == (None, b"", b"QUIT\r\n")
    assert read(b"..\r\n.\r\n") == (None, b".\r\n", b"")


def test_a_first_dot_goes_even_where_nobody_doubled_it() -> None:
    """RFC 5321 4.5.2: the first character is deleted if it is a dot and others follow on the line."""
    assert read(b".a\r\n..b\r\nc.\r\n.\r\n") == (None, b"a\r\n.b\r\nc.\r\n", b"")


def test_size_is_counted_without_dots_and_terminator() -> None:
    """RFC 1870 3: doubled dots and the terminator do not count; one byte more is 552."""
    wire = b"..\r\n" * 100 + b".\r\n"
    assert read(wire, limit=300)[0] is None
    assert read(wire, limit=299)[0] == say.TOO_BIG


def test_a_message_too_big_is_read_to_its_end_without_being_kept() -> None:
    reader = DataReader(1000)
    for _ in range(1000):
        assert reader.feed(b"x" * 998 + b"\r\n") is None
        assert len(reader._kept.getbuffer()) <= 1000
    assert reader.feed(b".\r\nQUIT\r\n") == b"QUIT\r\n"
    assert reader.fault == say.TOO_BIG


def test_memory_is_asked_for_before_anything_is_kept() -> None:
    asked: list[int] = []
    reader = DataReader(10**6, grow=lambda size: asked.append(size) or size <= 100)  # type: ignore[func-returns-value]  # append in a lambda
    reader.feed(b"x" * 90)
    assert reader.fault is None
    reader.feed(b"x" * 90)
    assert reader.fault == say.NO_MEMORY
    assert asked == [90, 180]


@pytest.mark.parametrize("length", [998, 999, 5000, 400_000])
def test_long_lines_are_taken(length: int) -> None:
    """Lines over 998 octets come from PACS and Outlook; the limit of RFC 5321 4.5.3.1.6 is no reason to lose them."""
    body = b"x" * length + b"\r\n"
    assert read(body + b".\r\n", [4096]) == (None, body, b"")


def test_normalised_newlines_do_not_make_a_dot_line_an_end() -> None:
    assert read(b"a\n.\nb\r.\rc\r\n.\r\n", normalise=True) == (None, b"a\r\n.\r\nb\r\n.\r\nc\r\n", b"")


def test_cr_lf_split_over_chunks_is_no_bare_newline() -> None:
    """The trap of counting: ``CR x LF`` has as many CR as LF and is not CRLF."""
    assert read(b"a\r\nb\r\n.\r\n", [2])[0] is None
    assert read(b"a\rx\nb\r\n.\r\n")[0] == say.BARE_NEWLINE
    assert read(b"\r.\n\r\n.\r\n")[0] == say.BARE_NEWLINE


@pytest.mark.parametrize("declared", [0, 1, 2**16, 2**22, 2**22 + 5, 10**7])
def test_what_the_sender_declared_never_changes_what_is_read(declared: int) -> None:
    """SIZE only says how much room is made ahead: too little, too much or none at all, the bytes are the same."""
    body = b"A" * 76 + b"\r\n"
    wire = body * ((2**22 + 2**18) // len(body)) + b".\r\nQUIT\r\n"
    assert read(wire, [2**16], expected=declared) == (None, wire[:-9], b"QUIT\r\n")
    fault, content, rest = read(wire, [2**16], expected=declared, limit=10**6)
    assert (fault, content, rest) == (say.TOO_BIG, b"", b"QUIT\r\n")


@pytest.mark.parametrize("size", [SMALL // 2, 2 * SMALL])
@pytest.mark.parametrize("line", [b"\r\n.", b"\n.", b"a.", b".\r\n", b"\n\n.."])
def test_a_line_that_starts_with_a_dot_is_seen_in_windows_of_any_size(size: int, line: bytes) -> None:
    """The quick ways of looking agree with the plain one."""
    for window in (b"a" * size + line, line + b"a" * size, b"." + b"b" * size + line + b"c" * size):
        assert dotted(window) is (b"\n." in window)
