"""Circles are found before the ledger sees the message."""

from __future__ import annotations

import pytest

from gateway.finishing.edits import received_line
from gateway.inbound.loops import MOST_HOPS, MOST_OWN, SEEN_BEFORE, TOO_MANY_HOPS, loop_reply
from gateway.model import Envelope, Recipient

pytestmark = pytest.mark.unit

HOST = "gw.hospital.example"
OWN = b"Received: from mta ([127.0.0.1])\r\n by gw.hospital.example (Clinigate) with ESMTP id 1\r\n for <b@y.example>; x\r\n"
TO_B = Envelope("a@x.example", (Recipient("B@Y.example"), Recipient("c@y.example")))


def test_fifty_hops_pass_and_one_more_is_a_loop() -> None:
    hop = b"received: from a by b; x\r\n"
    assert loop_reply(hop * MOST_HOPS + b"\r\nbody\r\n", HOST, TO_B) is None
    assert loop_reply(hop * (MOST_HOPS + 1) + b"\r\nbody\r\n", HOST, TO_B) == TOO_MANY_HOPS


def test_own_line_for_the_same_recipient_is_a_loop() -> None:
    assert loop_reply(b"Received: from x\r\n" + OWN + b"Subject: s\r\n\r\n", HOST, TO_B) == SEEN_BEFORE


def test_own_line_for_somebody_else_is_a_forward() -> None:
    """A colleague's rule forwards to somebody new: the second pass is a new mail to a new recipient."""
    assert loop_reply(OWN + b"\r\n", HOST, Envelope("a@x.example", (Recipient("new@z.example"),))) is None


def test_another_gateways_line_is_none_of_ours() -> None:
    assert loop_reply(OWN + b"\r\n", "other.example", TO_B) is None


def test_trace_lines_in_the_body_do_not_count() -> None:
    """A forwarded message as attachment brings its own trace."""
    body = b"Subject: s\r\n\r\n" + OWN * 60
    assert loop_reply(body, HOST, TO_B) is None
    assert loop_reply(b"\r\n" + OWN * 60, HOST, TO_B) is None


def test_a_message_that_is_all_header_is_judged_too() -> None:
    assert loop_reply(OWN, HOST, TO_B) == SEEN_BEFORE
    assert loop_reply(b"", HOST, TO_B) is None


@pytest.mark.parametrize("protocol", ["SMTP", "LMTP"])
def test_the_line_that_we_write_is_the_line_that_we_find(protocol: str) -> None:
    envelope = Envelope("a@x.example", (Recipient("B@Y.example"),), client="127.0.0.1", helo="mta.example", protocol=protocol)
    line = received_line(f"{HOST} (Clinigate)", envelope, "0123456789AB", 1_795_000_000.0)
    assert loop_reply(line + b"\r\n", HOST, TO_B) == SEEN_BEFORE


def test_a_circle_of_mail_to_several_is_found_after_a_few_passes() -> None:
    """Our line names nobody then (no copy tells of another's address), so it is the number that tells."""
    line = received_line(f"{HOST} (Clinigate)", TO_B, "0123456789AB", 1_795_000_000.0)
    assert b"for <" not in line
    assert loop_reply(line * MOST_OWN + b"\r\n", HOST, TO_B) is None
    assert loop_reply(line * (MOST_OWN + 1) + b"\r\n", HOST, TO_B) == TOO_MANY_HOPS
