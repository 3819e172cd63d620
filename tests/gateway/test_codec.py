"""The border between the SMTP process and a compute process: what goes in comes out, and nonsense never becomes a plan."""

from __future__ import annotations

import contextlib
import dataclasses
import json
import os
import socket
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateway.compute import codec
from gateway.compute.codec import dump_received, load_plan, load_received, pack, plan_header, unpack
from gateway.exitcheck import Cleared, Original, adopt
from gateway.model import Copy, Envelope, Hold, Plan, Received, Recipient, Refusal
from gateway.pipeline import plan
from tests.support.contexts import COLLEAGUE, STRANGER, context, received
from tests.support.letters import canary_photo, letter

pytestmark = pytest.mark.unit

TEXT = st.text(max_size=8)
MAYBE = st.none() | TEXT
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
RECORD = st.dictionaries(TEXT, JSON, max_size=3)
INDEXES = st.lists(st.integers(0, 50), max_size=3).map(tuple)
WORDS = st.lists(TEXT, max_size=3).map(tuple)
RECIPIENTS = st.builds(Recipient, TEXT, MAYBE, MAYBE)
ENVELOPES = st.builds(
    Envelope,
    sender=TEXT,
    recipients=st.lists(RECIPIENTS, max_size=3).map(tuple),
    listener=TEXT,
    smtputf8=st.booleans(),
    body=MAYBE,
    ret=MAYBE,
    envid=MAYBE,
    size=st.none() | st.integers(0, 2**40),
    client=TEXT,
    helo=TEXT,
    protocol=st.sampled_from(["SMTP", "LMTP"]),
    xforward=st.dictionaries(TEXT, TEXT, max_size=3),
    release=st.none() | RECORD,
)
MESSAGES = st.builds(Received, ENVELOPES, st.binary(max_size=300), st.floats(0, 2**40), TEXT, TEXT)
BYTES = st.builds(adopt, st.binary(max_size=300), st.sampled_from(["Cleared", "Original"]))
COPIES = st.builds(Copy, INDEXES, BYTES, TEXT, TEXT, TEXT)
HOLDS = st.builds(
    Hold, INDEXES, TEXT, TEXT, WORDS, TEXT, TEXT, MAYBE, WORDS, TEXT, alert=st.booleans(), facts=RECORD
)  # fmt: skip
REFUSALS = st.builds(Refusal, INDEXES, TEXT, WORDS, MAYBE, RECORD)
PLANS = st.builds(
    Plan,
    st.lists(COPIES, max_size=3).map(tuple),
    st.lists(HOLDS, max_size=2).map(tuple),
    st.lists(REFUSALS, max_size=2).map(tuple),
    RECORD,
    st.booleans(),
    TEXT,
    TEXT,
)


def sent(header: dict[str, Any], blobs: list[bytes], *, inline: bool) -> tuple[dict[str, Any], list[bytes]]:
    """Through a real socket, inline or by memfd."""
    limit = codec.INLINE_BYTES
    codec.INLINE_BYTES = limit if inline else -1
    try:
        packet, fd = pack(header, blobs)
    finally:
        codec.INLINE_BYTES = limit
    assert (fd < 0) == inline
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, theirs:
        socket.send_fds(ours, [packet], [fd] if fd >= 0 else [])
        if fd >= 0:
            os.close(fd)
        got, fds, _, _ = socket.recv_fds(theirs, 1 << 18, 1)
    return unpack(got, fds)


def comparable(made: Plan) -> Any:
    """A plan with its guarded bytes as (kind, bytes), and facts compared too."""
    copies = [(type(one.data), one.data.data, one.recipients, one.route, one.method, one.sender) for one in made.copies]
    holds = [(hold, hold.facts) for hold in made.holds]
    return copies, holds, [(one, one.facts) for one in made.refusals], made.record, made.plain, made.sender_kind, made.owner


# -- round trip ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("inline", [True, False])
@settings(max_examples=30)
@given(message=MESSAGES)
def test_a_message_comes_out_as_it_went_in(inline: bool, message: Received) -> None:
    header, blobs = sent(dump_received(message), [message.raw], inline=inline)
    assert load_received(header, blobs[0]) == message


@pytest.mark.parametrize("inline", [True, False])
@settings(max_examples=30)
@given(made=PLANS)
def test_a_plan_comes_out_as_it_went_in(inline: bool, made: Plan) -> None:
    header, blobs = sent(*plan_header(made), inline=inline)
    assert comparable(load_plan(header, blobs)) == comparable(made)


def test_every_field_of_the_contract_travels() -> None:
    """A field added to the model and forgotten here would silently get its default on the other side."""
    header, _ = plan_header(Plan((Copy((0,), adopt(b"x", "Cleared"), "r", "m"),), (Hold((1,), "a", "r", (), "k", "r"),)))
    for told, kind in ((header["copies"][0], Copy), (header["holds"][0], Hold), (header, Plan)):
        assert {field.name for field in dataclasses.fields(kind)} - set(told) == set(), kind
    assert {field.name for field in dataclasses.fields(Received)} - set(dump_received(received(b"x"))) == {"raw"}


def test_equal_bytes_travel_once() -> None:
    data = adopt(b"x" * 100, "Cleared")
    header, blobs = plan_header(Plan((Copy((0,), data, "a", "none"), Copy((1,), data, "b", "none"))))
    assert len(blobs) == 1
    loaded = load_plan(*sent(header, blobs, inline=True))
    assert [copy.data.data for copy in loaded.copies] == [data.data] * 2


def test_what_the_pipeline_makes_travels_whole() -> None:
    mail = received(letter("dr.adams@clinic.example", (COLLEAGUE, STRANGER), pictures=(canary_photo(),)), COLLEAGUE, STRANGER)
    made = plan(context(), mail)
    assert made.copies and made.holds
    assert comparable(load_plan(*sent(*plan_header(made), inline=False))) == comparable(made)


@pytest.mark.parametrize("size", [0, 1, codec.INLINE_BYTES, codec.INLINE_BYTES + 1, 3_000_000])
def test_size_decides_the_way_and_nothing_else(size: int) -> None:
    blob = os.urandom(size)
    packet, fd = pack({"a": 1}, [blob, b"", b"tail"])
    assert (fd >= 0) == (size >= codec.INLINE_BYTES)
    header, blobs = unpack(packet, [fd] if fd >= 0 else [])
    assert (header["a"], blobs) == (1, [blob, b"", b"tail"])


# -- nonsense ------------------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def constant_descriptors() -> Any:
    before = os.listdir("/proc/self/fd")
    yield
    assert len(os.listdir("/proc/self/fd")) == len(before)


def memfd(data: bytes) -> int:
    fd = os.memfd_create("test", os.MFD_CLOEXEC)
    os.write(fd, data)
    return fd


@given(packet=st.binary(max_size=200), body=st.none() | st.binary(max_size=200))
def test_any_packet_is_understood_or_a_value_error_and_no_descriptor_stays_open(packet: bytes, body: bytes | None) -> None:
    with constant_descriptors(), contextlib.suppress(ValueError):
        unpack(packet, [] if body is None else [memfd(body)])


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        b"{}",
        b"[]",
        b'"text"',
        b'{"blobs": 3}',
        b'{"blobs": [true]}\0x',
        b'{"blobs": [-1, 2]}\0x',
        b'{"blobs": [1.0]}\0x',
        b'{"blobs": ["1"]}\0x',
        b'{"blobs": [5]}\0half',
        b'{"blobs": [1]}\0more than one',
        b"[" * 100_000,
    ],
)
def test_a_packet_that_is_not_whole_is_nonsense(packet: bytes) -> None:
    """Symptom: none seen; a packet cut short would have given a mail cut short, marked as cleared.
    Cause: slicing past the end is silent in Python; now the sizes must fill the packet to the last byte."""
    with pytest.raises(ValueError):
        unpack(packet, [])


@pytest.mark.parametrize(
    ("packet", "body"),
    [
        (b"", b""),
        (b"2", b"{}"),
        (b"-1", b"{}"),
        (b"99999999999999999999999999", b"{}"),
        (b"14", b'{"blobs": [5]}half'),
        (b"14", b'{"blobs": [1]}more'),
        (b"33", b'{"blobs": [1000000000000000000]} '),
    ],
)
def test_a_file_that_is_not_whole_is_nonsense(packet: bytes, body: bytes) -> None:
    with constant_descriptors(), pytest.raises(ValueError):
        unpack(packet, [memfd(body)])


def test_a_descriptor_that_is_no_file_is_nonsense() -> None:
    with constant_descriptors():
        reader, writer = os.pipe()
        os.write(writer, b'{"blobs":[]}')
        os.close(writer)
        with pytest.raises(ValueError):
            unpack(b"12", [reader])


def test_no_memory_for_a_memfd_leaves_no_descriptor_open(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_fd: int, _data: object) -> int:
        raise OSError(28, "No space left on device")

    with constant_descriptors():
        with monkeypatch.context() as patched, pytest.raises(OSError, match="No space"):
            patched.setattr(codec.os, "write", full)
            pack({}, [b"x" * 200_000])


GOOD, BLOBS = plan_header(
    Plan(
        (Copy((0,), adopt(b"copy", "Cleared"), "default", "none"),),
        (Hold((1,), "ASK", "r", ("a",), "online", "sender"),),
        (Refusal((2,), "r", ("b",)),),
    )
)
GOOD = json.loads(json.dumps(GOOD))


def paths(value: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Every place in a nested JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [at, *(path for key, one in inner for path in paths(one, (*at, key)))]


@given(at=st.sampled_from(paths(GOOD)), value=JSON, drop=st.booleans())
def test_a_plan_changed_anywhere_is_a_plan_of_the_right_types_or_nonsense(at: tuple[Any, ...], value: Any, drop: bool) -> None:
    """The compute process parses hostile bytes: whatever it answers, ValueError, KeyError or TypeError is all that happens."""
    header = json.loads(json.dumps(GOOD))
    if at:
        place = header
        for key in at[:-1]:
            place = place[key]
        if drop:
            del place[at[-1]]
        else:
            place[at[-1]] = value
    try:
        loaded = load_plan(header, BLOBS)
    except (ValueError, KeyError, TypeError):
        return
    for copy in loaded.copies:
        assert isinstance(copy.data, Cleared | Original)
        assert all(isinstance(word, str) for word in (copy.route, copy.method, copy.sender))
    for group in (*loaded.copies, *loaded.holds, *loaded.refusals):
        assert all(type(index) is int for index in group.recipients)


@pytest.mark.parametrize(
    ("where", "value"),
    [
        (("copies", 0, "data"), -1),
        (("copies", 0, "data"), 1),
        (("copies", 0, "data"), True),
        (("copies", 0, "kind"), "bytes"),
        (("copies", 0, "route"), ["default"]),
        (("copies", 0, "recipients"), [True]),
        (("copies", 0, "recipients"), ["0"]),
        (("copies", 0, "extra"), 1),
        (("holds", 0, "alert"), "yes"),
        (("holds", 0, "reasons"), "abc"),
        (("refusals", 0, "notice"), 4),
        (("record",), []),
        (("plain",), None),
        (("owner",), None),
    ],
)
def test_known_lies_are_nonsense(where: tuple[Any, ...], value: Any) -> None:
    header = json.loads(json.dumps(GOOD))
    place = header
    for key in where[:-1]:
        place = place[key]
    place[where[-1]] = value
    with pytest.raises((ValueError, KeyError, TypeError)):
        load_plan(header, BLOBS)
