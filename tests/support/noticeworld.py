"""Messages, settings and rows for the tests of notices.  Sent on Monday 3 March 2025 at 14:02 in London, looked at 14:05."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from quarantine.model import HeldRecipient, HoldRow, State
from quarantine.notices.settings import Settings

SENT = 1741010520.0
NOW = SENT + 180.0
SENDER = "dr.patel@example.nhs.uk"
LEE = "dr.lee@royal-example.nhs.uk"
CHEN = "dr.chen@royal-example.nhs.uk"
JANE = "jane@newclinic.example"
DROPBOX = "jo@filebox.example"
PATIENT = "mary.smith@mailbox.example"
MESSAGE_ID = "<b7c1@example.nhs.uk>"
# Nothing of an email may ever be told; each is put wherever an outcome could carry it.
CANARIES = {
    "subject": "CANARYSUBJ",
    "filename": "CANARYFILE.jpg",
    "reason": "CANARYWHY",
    "patient": "CANARYNAME",
    "text": "CANARYTEXT",
}
WORDS = ("[consent verbal]", "[consent written]", "[not a patient image]", "[emergency: why it cannot wait]")

SETTINGS = Settings(
    domain="example.nhs.uk",
    from_address="postmaster@example.nhs.uk",
    ig_address="ig@example.nhs.uk",
    ig_contact="IG team, ext. 4410",
    on_call="duty IG officer, ext. 2222",
    on_call_address="on-call@example.nhs.uk",
    mail_admin_address="mail@example.nhs.uk",
    organisation="Example Hospital",
)


def settings(**changes: Any) -> Settings:
    return replace(SETTINGS, **changes)


def line(address: str, state: str, notice: str | None = None, cls: str = "A", **more: Any) -> dict[str, Any]:
    return {"address": address, "class": cls, "state": state, "notice": notice, "rule": "R-1", **more}


def asked(address: str = LEE, **more: Any) -> dict[str, Any]:
    told = {"answers": WORDS, "releases": "sender", "words": "We could not see whether the patient agreed."}
    return line(address, **{"state": "held", "notice": "N-1", **told, **more})


def sent(address: str = CHEN, **more: Any) -> dict[str, Any]:
    return line(address, **{"state": "delivered", "notice": "N-3", "method": "smime", **more})


def refused(address: str = DROPBOX, **more: Any) -> dict[str, Any]:
    why = "Pictures of patients may not go to this kind of address, because nobody can get them back."
    return line(address, **{"state": "refused", "notice": "N-4", "cls": "F", "words": why, **more})


def meta(*lines: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The meta of one outcome, with a canary in every field that somebody might one day add."""
    envelope = {
        "sender": more.pop("sender", SENDER),
        "envid": more.pop("envid", None),
        "recipients": [{"address": one["address"], "notify": one.get("notify"), "orcpt": one.get("orcpt")} for one in lines],
    }
    return {
        "created": SENT,
        "message": "4Z5q1x",
        "ref": "H7Q2-93KD",
        "message_id": MESSAGE_ID,
        "sender_kind": "person",
        "owner": "",
        "envelope": {**envelope, **CANARIES},
        "recipients": [{**CANARIES, **one} for one in lines],
        "headers": {"Subject": CANARIES["subject"], "To": CANARIES["patient"]},
        "facts": dict(CANARIES),
        **CANARIES,
        **more,
    }


def hold(identity: str, *, state: State = State.ASKED, action: str = "ASK", **more: Any) -> HoldRow:
    known = {
        "id": identity, "ref": f"{identity[:4].upper()}-2345", "state": state, "version": 0, "created": SENT,
        "deadline": SENT + 86400, "action": action, "rule": "R-1", "reasons": ("consent.missing",), "releases": "sender",
        "key": "online", "sender": SENDER, "recipients": (), "message": "4Z5q1x", "notice": "N-1", "answers": WORDS,
    }  # fmt: skip
    return HoldRow(**{**known, **more})


def held(*addresses: str) -> list[HeldRecipient]:
    return [HeldRecipient(address) for address in addresses]
