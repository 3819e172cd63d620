"""The objects that step 11 hands to the vault: a hold with the message as received, and what became of every recipient."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from gateway.ids import reference
from gateway.model import Hold, Recipient
from gateway.outcomes import disclosing
from gateway.outcomes.fates import Fate, Job
from gateway.outcomes.replies import NOTIFIED
from policies.explain import sentences
from policies.reasons import helps, told
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
        "facts": dict(hold.facts or job.why(fates[0].index).get("facts", {})),
        "policy": job.plan.record.get("policy"),
        "uncertain": [fate.recipient.address for fate in fates if fate.sends or fate.outcome == "unknown"],
    }
    return SealedObject(identity, ObjectKind.HOLD, hold.key, meta, job.received.raw)


def outcome_object(job: Job, identity: str, fates: Iterable[Fate]) -> SealedObject:
    """An OUTCOME: every recipient that is settled here, whatever became of it.  No content.

    Under a release it tells the disclosure ledger only: what was held is the quarantine service's to tell of.
    """
    settled, release = list(fates), job.received.envelope.release if job.released else None
    meta = {
        **_common(job, identity),
        **({"message": f"release:{release['release']}", "ref": str(release.get("ref", ""))} if release else {}),
        "envelope": _envelope(job, settled),
        "message_id": message_id(job.received.raw),
        "recipients": [_line(job, fate) for fate in settled],
        "images": disclosing.images(job.plan.record),
        "fingerprints": dict(job.plan.record.get("fingerprints", {})),
        **disclosing.message(job.plan.record, release),
        "contacts": dict(job.plan.record.get("contacts", {})),
        "policy": job.plan.record.get("policy"),
        **_withdrawn(job),
    }
    told = {} if job.released else job.plan.emergency  # of a release the quarantine service has it already
    way = {"emergency": {"way": told.get("way", "")}} if told else {}
    return SealedObject(identity, ObjectKind.OUTCOME, "online", meta | way, aside=told.get("reason", ""))


def message_id(raw: bytes) -> str:
    """The Message-ID field's value with its angle brackets; "" when there is none."""
    head = raw[:HEADERS].partition(b"\r\n\r\n")[0]
    match = _MESSAGE_ID.search(head)
    return match[1].decode("utf-8", "replace") if match else ""


def _common(job: Job, identity: str) -> dict[str, Any]:
    return {
        "version": VERSION,
        "created": job.received.at,
        "message": f"{job.received.key}.{job.digest[:16]}",  # upstreams use queue ids again: alone they name two messages
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
    why = job.why(fate.index)
    return {
        "address": fate.recipient.address,
        "class": why.get("class"),
        "state": fate.state,
        "method": fate.method,
        "rule": fate.rule,
        "reasons": list(fate.reasons),
        "said": list(told(fate.reasons)),
        "notice": fate.notice,
        "hold": fate.hold,
        "answers": list(fate.answers),
        "releases": fate.releases,
        "action": fate.action or None,
        "urgency": fate.urgency,
        "alert": fate.alert,
        **_words(fate, why),
        **_beside(job, fate, why),
        "consent": why.get("consent"),
        "consent_until": _end_of(why.get("expires")),
        **disclosing.line(why),
        "code": " ".join(filter(None, (str(fate.code or ""), fate.enhanced))),
        "kind": kind,
        "tell": tell,
    }


def _words(fate: Fate, why: Mapping[str, Any]) -> dict[str, str]:
    """Why, and what helps: of the decision, or of what became of it later (a next hop that could not be reached)."""
    if fate.state == "delivered" or list(fate.reasons) == list(why.get("reasons", fate.reasons)):
        return {"words": why.get("words", ""), "help": why.get("help", "")}
    return {"words": " ".join(sentences(told(fate.reasons))), "help": helps(fate.reasons)}


def _beside(job: Job, fate: Fate, why: Mapping[str, Any]) -> dict[str, Any]:
    """What a notice says beside: advice, and whom the sender may have meant."""
    found: dict[str, Any] = {}
    if why.get("advice"):
        found = {name: why[name] for name in ("advice", "advised", "advise_now") if name in why}
    if why.get("dated") and fate.state == "delivered":
        found["dated"] = True
    meant = job.plan.meant[fate.index] if fate.index < len(job.plan.meant) else ""
    return found | {"did_you_mean": meant} if meant else found


def _told(job: Job, fate: Fate) -> tuple[str, str]:
    """(notice | dsn | "", sender | owner | nobody): what is said about this recipient, and to whom (docs/replies.md)."""
    tell = NOTIFIED[fate.state][job.plan.sender_kind]
    if fate.state == "failed":
        wanted = (fate.recipient.notify or "FAILURE").upper().split(",")  # RFC 3461 4.1: unsaid means FAILURE may be told
        return ("dsn", tell) if "FAILURE" in wanted else ("", "nobody")
    if fate.notice is None or tell == "nobody" or job.told_elsewhere(fate):
        return "", "nobody"
    return "notice", tell


def _withdrawn(job: Job) -> dict[str, str]:
    """The patient reference (keyed hash) and the status of a consent that was refused or withdrawn.

    Only where the message names one patient: with two, whose refusal it is stays for a person to say.
    """
    said = {str(job.why(fate.index).get("consent")) for fate in job.fates} & {"refused", "withdrawn"}
    patients = job.plan.record.get("patients", ())
    return {"patient": patients[0], "consent": min(said)} if said and len(patients) == 1 else {}


def _end_of(day: str | None) -> float | None:
    """POSIX time at which an ISO date is over."""
    return (datetime.fromisoformat(day).replace(tzinfo=UTC) + timedelta(days=1)).timestamp() if day else None
