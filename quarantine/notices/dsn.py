"""Delivery status notifications (RFC 3464): for people in plain words, for programs in fields, of the email only its Message-ID.

RET=FULL is never honoured: nothing of the email goes back (RFC 3461 4.3 allows that).  A null sender gets none (RFC 5321 4.5.5).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime
from email.message import EmailMessage, Message
from email.utils import format_datetime
from typing import Any, Literal

from quarantine.notices import clock
from quarantine.notices.fates import Fate, Told, merge
from quarantine.notices.letter import POLICY, boundary, encoding, manners, message_policy, write_headers
from quarantine.notices.prose import as_text, blocks, sentence
from quarantine.notices.settings import Settings
from quarantine.notices.wording import Language, Templates

Action = Literal["failed", "delayed", "relayed"]

# action -> (state of the recipients, NOTIFY word that asks for it, told when NOTIFY was not given, status when none is known)
ACTIONS: Mapping[Action, tuple[str, str, bool, str]] = {
    "failed": ("failed", "FAILURE", True, "5.0.0"),
    "delayed": ("deferred", "DELAY", True, "4.0.0"),
    "relayed": ("delivered", "SUCCESS", False, "2.0.0"),
}
# What may be given back of the email's own header, if the outcome kept it.  No Subject; no To, which may name a patient.
HEADERS = ("Date", "Message-ID")

_FLAT = POLICY.clone(max_line_length=None)  # a folded address would be encoded as a word
_STATUS = re.compile(r"\b[245]\.\d{1,3}\.\d{1,3}\b")
_REPLY = re.compile(r"\b[2-5]\d\d\b")
_HEX = re.compile(r"\+([0-9A-F]{2})")


def report(
    outcomes: Sequence[Mapping[str, Any]],
    action: Action,
    now: float,
    settings: Settings,
    templates: Templates,
    key: str = "",
    holds: Collection[str] = ("",),
) -> tuple[str, bytes] | None:
    """(to, message) about the recipients with this fate who may be told of; None when there are none or the sender is null.

    ``holds``: only recipients of these holds; "" stands for those that were never held.
    """
    told = merge(outcomes)
    fates = [fate for fate in told.fates if fate.state == ACTIONS[action][0] and fate.hold in holds and wanted(fate, action)]
    if not told.sender or not fates:
        return None
    language = templates.language(settings.language_of(told.sender))
    message = EmailMessage(policy=message_policy(told.sender))
    headers = manners(
        settings.from_address, settings.domain, f"dsn {action} {key or ' '.join(told.refs)}", now, answers=told.message_id
    )
    subject = sentence(language.need("dsn", "subject"), _values(told, fates, now, settings, language))
    write_headers(message, headers, told.sender, subject)
    message["MIME-Version"] = "1.0"
    message["Content-Type"] = "multipart/report; report-type=delivery-status"
    message.set_boundary(boundary(headers["Message-ID"]))
    message.set_payload([_people(told, fates, action, now, settings, language), _machines(told, fates, action, settings)])
    if (original := _original(told, outcomes)) is not None:
        message.attach(original)
    return told.sender, message.as_bytes()


def wanted(fate: Fate, action: Action) -> bool:
    """May this be told of this recipient (RFC 3461 4.1)?  NEVER means never."""
    if not fate.notify:
        return ACTIONS[action][2]
    words = {word.strip() for word in fate.notify.upper().split(",")}
    return "NEVER" not in words and ACTIONS[action][1] in words


def _values(told: Told, fates: Sequence[Fate], now: float, settings: Settings, language: Language) -> dict[str, str]:
    return {
        "sent": clock.short(told.sent, now, settings.zone, language),
        "ref": ", ".join(told.refs),
        "total": str(len(told.fates)),
        "count": str(len(fates)),
        "people": ", ".join(_person(fate, language) for fate in fates),
        "domains": ", ".join(dict.fromkeys(fate.domain for fate in fates if not fate.patient)),
        "code": fates[0].code,
        "organisation": settings.organisation,
        "ig_contact": told.contacts.get("ig") or settings.ig_contact or settings.ig_address,
        "on_call": told.contacts.get("on_call") or settings.on_call,
    }


def _person(fate: Fate, language: Language) -> str:
    return sentence(language.need("frame", "patient address"), {}) if fate.patient else fate.address


def _people(
    told: Told, fates: Sequence[Fate], action: Action, now: float, settings: Settings, language: Language
) -> EmailMessage:
    lines = [_person(fate, language) + (f" ({fate.code})" if fate.code else "") for fate in fates]
    text = as_text(blocks(language.need("dsn", action), _values(told, fates, now, settings, language), {"list": lines}))
    part = EmailMessage(policy=POLICY)
    part.set_content(text, cte=encoding(text))
    del part["MIME-Version"]
    return part


def _machines(told: Told, fates: Sequence[Fate], action: Action, settings: Settings) -> EmailMessage:
    """The message/delivery-status part: one block about the message, one for each recipient (RFC 3464 2.1)."""
    about = Message(policy=_FLAT)
    if told.envid and (envid := unxtext(told.envid)):
        about["Original-Envelope-Id"] = envid
    about["Reporting-MTA"] = f"dns; {settings.domain}"
    about["Arrival-Date"] = _date(told.sent)
    part = EmailMessage(policy=POLICY)
    part["Content-Type"] = "message/delivery-status"
    part.set_payload([about, *(_recipient(fate, action) for fate in fates)])
    return part


def _recipient(fate: Fate, action: Action) -> Message:
    block = Message(policy=_FLAT)
    if fate.orcpt and not fate.patient:
        kind, _, address = fate.orcpt.partition(";")
        block["Original-Recipient"] = f"{_printable(kind)}; {unxtext(address)}"
    block["Final-Recipient"] = _final(fate)
    block["Action"] = action
    status = _STATUS.search(fate.code)
    known = status is not None and status[0][0] == ACTIONS[action][3][0]
    block["Status"] = status[0] if status is not None and known else ACTIONS[action][3]
    if (code := _REPLY.search(fate.code)) is not None:
        block["Diagnostic-Code"] = f"smtp; {code[0]}"  # the answer's text is not repeated: it may name people
    block["Last-Attempt-Date"] = _date(fate.at)
    return block


def _final(fate: Fate) -> str:
    """Final-Recipient.  A patient's address is not repeated, not even here; others in the form of RFC 3464 or RFC 6533 3."""
    if fate.patient:
        return "unknown; withheld"
    if fate.address.isascii():
        return f"rfc822; {fate.address}"
    escaped = "".join(c if c.isascii() and c not in "\\+=" else f"\\x{{{ord(c):X}}}" for c in fate.address)
    return f"utf-8; {escaped}"


def _original(told: Told, outcomes: Sequence[Mapping[str, Any]]) -> EmailMessage | None:
    """The text/rfc822-headers part, or None when nothing may be given back."""
    kept = {str(k).lower(): str(v) for k, v in (outcomes[0].get("headers") or {}).items()}
    kept["message-id"] = told.message_id
    lines = [f"{name}: {_printable(kept[name.lower()])}" for name in HEADERS if kept.get(name.lower())]
    if not lines:
        return None
    part = EmailMessage(policy=_FLAT)
    text = "\n".join(lines) + "\n"
    # Header lines stand as they are, up to 998 characters (RFC 5322 2.1.1): Exchange's Message-ID alone passes 76 columns.
    part.set_content(text, subtype="rfc822-headers", cte="7bit")
    del part["MIME-Version"]
    return part


def unxtext(value: str) -> str:
    """xtext decoded (RFC 3461 4); left as it is where that would give anything but printable ASCII."""
    decoded = _HEX.sub(lambda match: chr(int(match[1], 16)), value)
    return decoded if decoded.isascii() and decoded.isprintable() else _printable(value)


def _printable(value: str) -> str:
    return "".join(c for c in value if c.isascii() and c.isprintable())[:500]


def _date(at: float) -> str:
    return format_datetime(datetime.fromtimestamp(at, UTC))
