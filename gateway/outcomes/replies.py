"""What we answer, note, write and tell for everything that can become of a recipient.  docs/replies.md is the same table.

``gateway.outcomes.commit`` looks every reply up here; a test compares the table with the document and runs every row.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from gateway.model import Reply

ANY: Final = "any"
SOME: Final = "some"  # another recipient of this transaction is terminal: delivered, held or refused
NONE: Final = "none"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table: what follows when ``outcome`` is what became of a recipient."""

    outcome: str
    others: str  # any | some | none; for "refused": is anything but a refusal among the other recipients
    listeners: tuple[str, ...]  # relay | submission | release
    protocols: tuple[str, ...]  # SMTP | LMTP
    code: int
    enhanced: str
    whose: str  # ours | next-hop: its own code is passed on, ours stands where it gave none
    text: str
    ledger: str  # state of the row afterwards: DONE | UNKNOWN | as-before | none
    written: tuple[str, ...]  # hold | deferred | outcome | reply
    told: str  # by whom the sender is told: notice | dsn | upstream | service | reply | nobody


_MAIL = ("relay", "submission")
_BOTH = ("SMTP", "LMTP")
_SMTP, _LMTP = ("SMTP",), ("LMTP",)

REPLIES: Final[tuple[Row, ...]] = (
    Row("passed", ANY, _MAIL, _BOTH, 250, "2.0.0", "ours", "taken by the next hop", "none", (), "nobody"),
    Row("delivered", ANY, _MAIL, _BOTH, 250, "2.0.0", "ours", "accepted", "DONE", ("outcome",), "notice"),
    Row("held", ANY, _MAIL, _BOTH, 250, "2.0.0", "ours", "accepted", "DONE", ("hold", "outcome"), "notice"),
    Row("spent", ANY, _MAIL, _BOTH, 250, "2.0.0", "ours", "accepted", "DONE", ("hold", "outcome"), "notice"),
    Row("refused", ANY, ("relay",), _BOTH, 250, "2.0.0", "ours", "accepted", "DONE", ("outcome",), "notice"),
    Row("refused", SOME, ("submission",), _BOTH, 250, "2.0.0", "ours", "accepted", "DONE", ("outcome",), "notice"),
    Row("refused", NONE, ("submission",), _BOTH, 550, "5.7.1", "ours", "not sent: {why}", "DONE", ("outcome",), "reply"),
    Row("temporary", SOME, _MAIL, _SMTP, 250, "2.0.0", "ours", "accepted", "DONE", ("deferred", "outcome"), "notice"),
    Row("temporary", NONE, _MAIL, _SMTP, 451, "4.4.1", "next-hop", "the next hop cannot take it now", "none", (), "upstream"),
    Row("temporary", ANY, _MAIL, _LMTP, 451, "4.4.1", "next-hop", "the next hop cannot take it now", "none", (), "upstream"),
    Row("unknown", SOME, _MAIL, _SMTP, 250, "2.0.0", "ours", "accepted", "DONE", ("deferred", "outcome"), "notice"),
    Row("unknown", NONE, _MAIL, _SMTP, 451, "4.4.2", "ours", "the next hop's answer was lost", "UNKNOWN", (), "upstream"),
    Row("unknown", ANY, _MAIL, _LMTP, 451, "4.4.2", "ours", "the next hop's answer was lost", "UNKNOWN", (), "upstream"),
    Row("late", ANY, _MAIL, _SMTP, 250, "2.0.0", "ours", "accepted", "DONE", ("deferred", "outcome"), "notice"),
    Row("late", ANY, _MAIL, _LMTP, 451, "4.4.7", "ours", "no time left to deliver it", "none", (), "upstream"),
    Row("permanent", SOME, _MAIL, _SMTP, 250, "2.0.0", "ours", "accepted", "DONE", ("outcome",), "dsn"),
    Row("permanent", NONE, _MAIL, _SMTP, 554, "5.0.0", "next-hop", "the next hop refused it", "none", (), "upstream"),
    Row("permanent", ANY, _MAIL, _LMTP, 554, "5.0.0", "next-hop", "the next hop refused it", "none", (), "upstream"),
    Row("delivered", ANY, ("release",), _LMTP, 250, "2.0.0", "ours", "DELIVERED", "DONE", ("outcome",), "service"),
    Row("held", ANY, ("release",), _LMTP, 250, "2.1.5", "ours", "HELD-AGAIN {why}", "none", (), "service"),
    Row("spent", ANY, ("release",), _LMTP, 250, "2.1.5", "ours", "HELD-AGAIN {why}", "UNKNOWN", (), "service"),
    Row("refused", ANY, ("release",), _LMTP, 550, "5.7.1", "ours", "REFUSED {why}", "none", (), "service"),
    Row("temporary", ANY, ("release",), _LMTP, 451, "4.4.1", "next-hop", "DEFERRED", "none", (), "service"),
    Row("unknown", ANY, ("release",), _LMTP, 451, "4.4.2", "ours", "DEFERRED", "UNKNOWN", (), "service"),
    Row("late", ANY, ("release",), _LMTP, 451, "4.4.7", "ours", "DEFERRED", "none", (), "service"),
    Row("permanent", ANY, ("release",), _LMTP, 554, "5.0.0", "next-hop", "FAILED", "none", (), "service"),
    Row("answer", ANY, _MAIL, _BOTH, 250, "2.0.0", "ours", "accepted", "none", ("reply",), "service"),
    Row("unwritten", ANY, _MAIL, _BOTH, 451, "4.3.0", "ours", "local trouble, try again later", "as-before", (), "upstream"),
    Row("unwritten", ANY, ("release",), _LMTP, 451, "4.3.0", "ours", "try again later", "as-before", (), "service"),
    Row("busy", ANY, _MAIL, _BOTH, 451, "4.3.2", "ours", "still at work on this message", "as-before", (), "upstream"),
    Row("busy", ANY, ("release",), _LMTP, 451, "4.3.2", "ours", "still at work on this message", "as-before", (), "service"),
)

SENDER_KINDS: Final = ("person", "machine", "null", "auto", "list")

# What the outcome object says of a recipient -> {sender kind -> who is told}.  "sender" is the envelope sender, "owner" is
# Plan.owner (the machine's owner, else IG or postmaster).  A notice is sent only where the plan names one.
NOTIFIED: Final[dict[str, dict[str, str]]] = {
    "delivered": {"person": "sender", "machine": "nobody", "null": "nobody", "auto": "nobody", "list": "nobody"},
    "held": {"person": "sender", "machine": "owner", "null": "owner", "auto": "owner", "list": "owner"},
    "deferred": {"person": "sender", "machine": "owner", "null": "owner", "auto": "owner", "list": "owner"},
    "refused": {"person": "sender", "machine": "owner", "null": "owner", "auto": "owner", "list": "owner"},
    "failed": {"person": "sender", "machine": "sender", "null": "owner", "auto": "sender", "list": "sender"},
}


def find(outcome: str, others: bool, listener: str, protocol: str) -> Row:
    """The one row for this case.  Raises LookupError when the table has none (release over SMTP)."""
    word = SOME if others else NONE
    for row in REPLIES:
        if row.outcome == outcome and row.others in (ANY, word) and listener in row.listeners and protocol in row.protocols:
            return row
    raise LookupError(f"docs/replies.md has no row for {outcome}, {word}, {listener}, {protocol}")


def reply(row: Row, code: int = 0, enhanced: str = "", why: str = "") -> Reply:
    """Our reply line.  Of the next hop's answer only codes are passed on: its text may name people.

    421 would announce that this connection closes; it becomes the row's own code.
    """
    if row.whose == "next-hop" and code // 100 == row.code // 100 and code != 421:
        own = enhanced if enhanced.startswith(f"{code // 100}.") else f"{code // 100}.0.0"
        return Reply(code, own, row.text)
    return Reply(row.code, row.enhanced, row.text.replace("{why}", why or "unnamed"))
