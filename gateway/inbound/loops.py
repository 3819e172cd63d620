"""Mail that goes in circles (RFC 5321 6.3).  Pure."""

from __future__ import annotations

import re

from gateway.model import Envelope, Reply

MOST_HOPS = 50
MOST_OWN = 5  # our line names no recipient where there were several; so many passes are a circle whoever it is for
TOO_MANY_HOPS = Reply(554, "5.4.6", "Too many hops, this mail goes in circles")
SEEN_BEFORE = Reply(554, "5.4.6", "This mail was here before for the same recipient")

_MOST_HEADER = 2**20  # trace lines stand on top; a longer header is not worth stopping the event loop for
_RECEIVED = re.compile(rb"^received[ \t]*:((?:[^\r]*\r\n)(?:[ \t][^\r]*\r\n)*)", re.IGNORECASE | re.MULTILINE)
_FOR = re.compile(rb"\sfor\s+<?([^\s<>;]+)>?")


def loop_reply(raw: bytes, hostname: str, envelope: Envelope) -> Reply | None:
    """The refusal of a mail that loops, or None.  ``raw`` has CRLF lines; its header alone is looked at.

    Signs: more than MOST_HOPS ``Received``; one that this host wrote (``by HOSTNAME (Clinigate) with ...``, see
    ``gateway.finishing.edits.received_line``) for a recipient of the envelope; more than MOST_OWN that this host wrote.
    """
    end = 0 if raw.startswith(b"\r\n") else raw.find(b"\r\n\r\n", 0, _MOST_HEADER) + 2
    trace = _RECEIVED.findall(raw, 0, end if end != 1 else min(len(raw), _MOST_HEADER))
    if len(trace) > MOST_HOPS:
        return TOO_MANY_HOPS
    mark = f"by {hostname} (Clinigate) with ".encode().lower()
    recipients = {recipient.address.encode().lower() for recipient in envelope.recipients}
    own = [flat for line in trace if mark in (flat := b" ".join(line.lower().split()))]
    if any(not recipients.isdisjoint(_FOR.findall(flat)) for flat in own):
        return SEEN_BEFORE
    return TOO_MANY_HOPS if len(own) > MOST_OWN else None
