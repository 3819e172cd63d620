"""The objects that step 11 hands to the vault: a hold with the message as received, and what became of every recipient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from gateway.fates import Fate, Job
from gateway.ids import reference
from gateway.model import Hold, Recipient
from gateway.replies import NOTIFIED
from quarantine.model import ObjectKind, SealedObject

VERSION: Final = 1
HEADERS: Final = 262_144  # octets looked through for the Message-ID

_MESSAGE_ID = re.compile(rb"^message-id:[ \t]*(?:\r\n[ \t]+)*(<[^<>\r\n]{1,990}>)", re.IGNORECASE | re.MULTILINE)


def hold_object(job: Job, identity: str, hold: Hold) -> SealedObject:
    """A HOLD: content is the message as received.  ``uncertain`` names recipients that may have got it already."""
    fates = [job.fates[index] for index in hold.recipients]
    meta = {
        **_common(job, identity),
        "envelope": _envelope(job, fates),
        "identity": job.plan.record.get("identity"),
        "sha256": job.digest,
        "action": hold.action,
        "rule": hold.rule,
        "reasons": list(hold.reasons),
        "releases": hold.releases,
        "notice": hold.notice,
        "answers": list(hold.answers),
        "urgency": hold.urgency,
        "alert": hold.alert,
        "facts": dict(hold.facts),
        "policy": job.plan.record.get("policy"),
        "uncertain": [fate.recipient.address for fate in fates if fate.sends or fate.outcome == "unknown"],
    }
    return SealedObject(identity, ObjectKind.HOLD, hold.key, meta, job.received.raw)


def outcome_object(job: Job, identity: str, fates: Iterable[Fate]) -> SealedObject:
    """An OUTCOME: every recipient that is settled here, whatever became of it.  No content."""
    settled = list(fates)
    meta = {
        **_common(job, identity),
        "envelope": _envelope(job, settled),
        "message_id": message_id(job.received.raw),
        "recipients": [_line(job, fate) for fate in settled],
        "images": _images(job.plan.record),
        "policy": job.plan.record.get("policy"),
    }
    return SealedObject(identity, ObjectKind.OUTCOME, "online", meta)


def message_id(raw: bytes) -> str:
    """The Message-ID field's value with its angle brackets; "" when there is none."""
    head = raw[:HEADERS].partition(b"\r\n\r\n")[0]
    match = _MESSAGE_ID.search(head)
    return match[1].decode("utf-8", "replace") if match else ""


def _common(job: Job, identity: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "created": job.received.at,
        "message": job.received.key,
        "ref": reference(identity),
        "sender_kind": job.plan.sender_kind,
        "owner": job.plan.owner,
    }


def _envelope(job: Job, fates: Iterable[Fate]) -> dict[str, Any]:
    envelope = job.received.envelope
    return {
        "sender": envelope.sender,
        "recipients": [_recipient(fate.recipient) for fate in fates],
        "ret": envelope.ret,
        "envid": envelope.envid,
        "smtputf8": envelope.smtputf8,
        "body": envelope.body,
        "listener": envelope.listener,
    }


def _recipient(recipient: Recipient) -> dict[str, str | None]:
    return {"address": recipient.address, "notify": recipient.notify, "orcpt": recipient.orcpt}


def _line(job: Job, fate: Fate) -> dict[str, Any]:
    kind, tell = _told(job, fate)
    return {
        "address": fate.recipient.address,
        "class": _why(job, fate).get("class"),
        "state": fate.state,
        "method": fate.method,
        "rule": fate.rule,
        "reasons": list(fate.reasons),
        "notice": fate.notice,
        "hold": fate.hold,
        "answers": list(fate.answers),
        "releases": fate.releases,
        "code": " ".join(filter(None, (str(fate.code or ""), fate.enhanced))),
        "kind": kind,
        "tell": tell,
    }


def _told(job: Job, fate: Fate) -> tuple[str, str]:
    """(notice | dsn | "", sender | owner | nobody): what is said about this recipient, and to whom (docs/replies.md)."""
    tell = NOTIFIED[fate.state][job.plan.sender_kind]
    if fate.state == "failed":
        wanted = (fate.recipient.notify or "FAILURE").upper().split(",")  # RFC 3461 4.1: unsaid means FAILURE may be told
        return ("dsn", tell) if "FAILURE" in wanted else ("", "nobody")
    if fate.notice is None or tell == "nobody" or job.told_by_reply(fate):
        return "", "nobody"
    return "notice", tell


def _why(job: Job, fate: Fate) -> Mapping[str, Any]:
    return job.why(fate.index)


def _images(record: Mapping[str, Any]) -> list[str]:
    """SHA-256 of every image as received."""
    images = record.get("images", ())
    return sorted({image["sha256"] if isinstance(image, Mapping) else str(image) for image in images})
