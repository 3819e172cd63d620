"""Sealed objects read into rows.  Strict about what must be there, deaf to what is not known."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Any

from quarantine.deadlines import BACK_OFF, Deadline, expiry
from quarantine.keyedhash import KeyedHash
from quarantine.model import HeldRecipient, HoldRow, SealedObject, State
from quarantine.seal import Header

STATES: Mapping[str, State] = {"ASK": State.ASKED, "QUARANTINE": State.QUARANTINED, "DEFERRED": State.DEFERRED}
HEADER, OUTCOME, OBJECT = 0, 1, 2  # how much a hold's row was made from
_KEPT = (
    "version", "created", "message", "ref", "message_id", "sender_kind", "owner", "policy", "contacts", "emergency",
    "patients", "sender_group", "release",
)  # fmt: skip
_LINE = (
    "address", "class", "state", "method", "rule", "reasons", "notice", "hold", "answers", "releases", "code", "kind", "tell",
    "consent", "consent_until", "urgency", "alert", "action", "words", "help", "at", "advice", "advise_now",
    "did_you_mean", "dated", "advised", "said", "mode", "seen", "source", "protection",
    "stripped", "statement", "per_part",
)  # fmt: skip
_IMAGE = (
    "sha256", "scrubbed", "part", "parts", "format", "kind", "codes",
)  # fmt: skip


class Unreadable(Exception):
    """The object opened but does not say what it must.  The text names the field, never its value."""


def from_header(header: Header, at: float, table: Mapping[str, Deadline]) -> HoldRow:
    """What can be known of a hold whose key is not here: enough to keep its deadline."""
    return _row(header.id, {"created": at}, {}, header.key, HEADER, table)


def from_hold(obj: SealedObject, table: Mapping[str, Deadline]) -> tuple[HoldRow, list[HeldRecipient]]:
    """A HOLD object's row and recipients.  Raises ``Unreadable`` also when the content is not the one that was held."""
    meta = obj.meta
    if meta.get("sha256") not in (None, "", hashlib.sha256(obj.content).hexdigest()):
        raise Unreadable("sha256")
    recipients = list(_recipients(meta))
    if not recipients:
        raise Unreadable("envelope")
    return _row(obj.id, meta, meta, obj.key, OBJECT, table), recipients


def holds_in_outcome(
    meta: Mapping[str, Any], keys: Mapping[str, str], table: Mapping[str, Deadline]
) -> Iterator[tuple[HoldRow, list[HeldRecipient]]]:
    """The holds an outcome names, as far as it tells; ``keys``: hold → name of its key, where its object was seen."""
    dsn = {r.address: r for r in _recipients(meta)}
    groups: dict[str, list[Mapping[str, Any]]] = {}
    for line in meta.get("recipients", ()):
        if line.get("hold"):
            groups.setdefault(str(line["hold"]), []).append(line)
    for hold, lines in groups.items():
        first = dict(lines[0])
        key = keys.get(hold) or ("online" if lines[0].get("state") == "deferred" else "review")
        first.setdefault("action", _action(first, key))
        named = [dsn.get(str(line["address"])) or HeldRecipient(str(line["address"])) for line in lines]
        yield _row(hold, meta, first, key, OUTCOME, table), named


def named_holds(meta: Mapping[str, Any]) -> list[str]:
    """Ids of the holds an outcome names.  Raises ``Unreadable`` for what cannot be one."""
    found = sorted({str(line["hold"]) for line in meta.get("recipients", ()) if line.get("hold")})
    if not all(len(hold) == 32 and set(hold) <= set("0123456789abcdef") for hold in found):
        raise Unreadable("hold")
    return found


def kept(meta: Mapping[str, Any]) -> dict[str, Any]:
    """What the records keep of an outcome: a list of known fields, so that nothing else can slip in."""
    envelope = meta.get("envelope", {})
    return {
        **{name: meta[name] for name in _KEPT if name in meta},
        "envelope": {name: envelope.get(name) for name in ("sender", "recipients", "ret", "envid", "smtputf8", "body")},
        "recipients": [{name: line[name] for name in _LINE if name in line} for line in meta.get("recipients", ())],
        "images": pictures(meta),
    }


def pictures(meta: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Every image: ``sha256`` as received, ``scrubbed`` as sent or "", and whatever else is known of it."""
    found: list[dict[str, Any]] = []
    for image in meta.get("images", ()):
        if isinstance(image, Mapping):
            found.append({name: image[name] for name in _IMAGE if name in image} | {"scrubbed": str(image.get("scrubbed") or "")})
        elif isinstance(image, list | tuple) and len(image) == 2:
            found.append({"sha256": str(image[0]), "scrubbed": str(image[1])})
        else:
            found.append({"sha256": str(image), "scrubbed": ""})
    return [one for one in found if one.get("sha256")]


def images(meta: Mapping[str, Any]) -> list[tuple[str, str]]:
    """(SHA-256 as received, SHA-256 as sent or "") of every image."""
    return [(str(one["sha256"]), one["scrubbed"]) for one in pictures(meta)]


def merge_key(meta: Mapping[str, Any], hashes: KeyedHash) -> str:
    """The same for all copies into which an upstream split one message: sender and Message-ID, hashed."""
    message_id = str(meta.get("message_id") or "")
    sender = str(meta.get("envelope", {}).get("sender", ""))
    return hashes.of(f"merge:{sender.casefold()}:{message_id}") if message_id else str(meta.get("message", ""))


def _action(line: Mapping[str, Any], key: str) -> str:
    if line.get("state") == "deferred":
        return "DEFERRED"
    return "ASK" if line.get("releases") == "sender" or key == "online" else "QUARANTINE"


def _recipients(meta: Mapping[str, Any]) -> Iterator[HeldRecipient]:
    for one in meta.get("envelope", {}).get("recipients", ()):
        if one.get("address"):
            yield HeldRecipient(str(one["address"]), notify=one.get("notify"), orcpt=one.get("orcpt"))


def _row(
    hold: str, meta: Mapping[str, Any], line: Mapping[str, Any], key: str, complete: int, table: Mapping[str, Deadline]
) -> HoldRow:
    """``meta`` says what concerns the message, ``line`` what concerns the hold."""
    created = meta.get("created")
    if not isinstance(created, int | float):
        raise Unreadable("created")
    action, urgency = str(line.get("action") or "QUARANTINE"), str(line.get("urgency") or "routine")
    state = STATES.get(action, State.QUARANTINED)
    return HoldRow(
        id=hold,
        ref=reference(hold),
        state=state,
        version=0,
        created=float(created),
        deadline=expiry(float(created), action, urgency, table),
        action=action,
        rule=str(line.get("rule") or ""),
        reasons=tuple(str(code) for code in line.get("reasons") or ()),
        releases=str(line.get("releases") or "ig"),
        key=key,
        sender=str(meta.get("envelope", {}).get("sender", "")),
        recipients=(),
        message=str(meta.get("message", "")),
        next_try=float(created) + BACK_OFF[0] if state is State.DEFERRED else None,
        urgency=urgency,
        alert=bool(line.get("alert")),
        notice=str(line["notice"]) if line.get("notice") else None,
        answers=tuple(str(word) for word in line.get("answers") or ()),
        sender_kind=str(meta.get("sender_kind", "person")),
        owner=str(meta.get("owner") or ""),
        complete=complete,
    )


_ALPHABET = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # no 0 O 1 I L U: references are read out on the telephone


def reference(hold: str) -> str:
    """The short reference of a hold, "H7Q2-93KD", as the gateway makes it too (``gateway.ids.reference``)."""
    number, letters = int(hold, 16), ""
    for _ in range(8):
        number, digit = divmod(number, len(_ALPHABET))
        letters += _ALPHABET[digit]
    return f"{letters[:4]}-{letters[4:]}"
