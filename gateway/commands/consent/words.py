"""The consent register in plain words for the command line."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from policies.onfile import uses
from quarantine.consents.desk import Noted, Word, row
from quarantine.consents.model import BY_STATEMENT, LIMITED, RESTORED, SOURCES, SYSTEM

_DONE: Final = {
    "withdrawn": "Agreement taken back",
    "refused": "Refusal",
    "limited": "Limited agreement",
    "restored": "Nothing on file any more",
}
_STANDS: Final = {
    "withdrawn": "agreement taken back: nothing may go",
    "refused": "refused: nothing may go",
    "limited": "limited: only some uses are left",
    "nothing": "nothing is on file: each email must state consent itself",
}
_USES: Final = {
    "care": "the patient's care",
    "emergency": "emergencies",
    "patient": "what the patient asks for",
    "training": "teaching",
    "legal": "legal and administrative use",
}
_MOST: Final = 40  # lines of one list on a terminal; --json has all


def noted(made: Noted, word: Word, known: bool) -> list[str]:
    """What a command did, and what is left to do."""
    patients = [entry.subject.partition(":")[2] for entry in made.entries if entry.patient]
    lines = [f"{_DONE[word.status]}: noted for {_who(patients, made.pictures)}.", *(f"  reference {one}" for one in patients)]
    if word.status == LIMITED:
        lines.append(f"Left: {_uses(word.scope, word.purposes)}.")
    lines.append(
        "The gateway knows it."
        if known
        else "The gateway does not know it yet: is the quarantine service running? It will be told as soon as it does."
    )
    if made.refused:
        lines.append(f"Held mail refused, senders told: {', '.join(made.refused)}.")
    if made.dropped:
        lines.append(f"Letters dropped, because they are not true any more: {', '.join(one.ref for one in made.dropped)}.")
    for one in made.asked:
        lines.append(f"Asked before to delete: {_address(one.address, one.domain)} (letter {one.ref}). Tell them yourselves.")
    if word.status not in (RESTORED, LIMITED):
        lines += _told(made)
    return lines


def noted_json(made: Noted, word: Word, known: bool) -> dict[str, Any]:
    """The same for programs."""
    return {
        "event": made.event, "status": word.status, "in_force": known, "sealed": made.sealed,
        "patients": [entry.subject.partition(":")[2] for entry in made.entries if entry.patient],
        "images": made.pictures, "refused": list(made.refused),
        "recalls": [row(one) for one in made.drafts], "told": made.told, "forgotten": made.forgotten,
        "patient_addresses": made.patient, "dropped": [row(one) for one in made.dropped],
        "asked_before": [row(one) for one in made.asked],
    }  # fmt: skip


def shown(facts: dict[str, Any]) -> list[str]:
    """Everything on file."""
    lines: list[str] = []
    for one in facts["patients"]:
        lines += [f"Patient {one['subject']}", f"  {_standing(one)}", *_history(one["history"])]
    pictures = [one for one in facts["images"] if one["history"]]
    lines.append(f"Pictures known: {facts['pictures']} (in {_number(len(facts['images']), 'form')})")
    for one in pictures[:_MOST]:
        lines.append(f"  {one['subject'][:16]}…  {_standing(one)}")
    lines += [*_statements(facts["statements"]), *_copies(facts["disclosures"], facts["forgotten"], facts["patient_addresses"])]
    return [*lines, *(letters(facts["recalls"]) if facts["recalls"] else ["Letters: none"])]


def listed(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One line an event."""
    if not rows:
        return ["Nothing has been noted."]
    return [
        f"{_when(one['noted'])}  {one['status']:10} {_who(one['patients'], one['images'])}  by {_by(one)}  ({one['reason']})"
        for one in rows
    ]


def letters(rows: Sequence[dict[str, Any]]) -> list[str]:
    """One line a letter, and what can be done."""
    if not rows:
        return ["No letters wait."]
    lines = [
        f"{one['ref']}  {_stage(one):34} to {_address(one['to'], one['domain'])}: "
        f"{_number(sum(mail['images'] for mail in one['mails']), 'picture')} of "
        f"{', '.join(dict.fromkeys(_day(mail['at']) for mail in one['mails']))}"
        for one in rows
    ]
    if any(one["state"] == "draft" for one in rows):
        lines.append("Read one: clinigate consent letter REF. Send: clinigate consent approve REF ... Not to be sent: drop REF.")
    if any(one["state"] == "approved" for one in rows):
        lines.append("When a recipient has answered: clinigate consent confirmed REF.")
    return lines


def decided(one: dict[str, Any]) -> str:
    """One letter after a decision."""
    said = {
        "approved": "will be sent now",
        "dropped": "will not be sent",
        "confirmed": "is confirmed by the recipient",
    }
    return f"{one['ref']} to {one['to']}: {said[one['state']]}"


def _told(made: Noted) -> Iterator[str]:
    outside = [one for one in made.told if one["where"] == "outside"]
    inside = [one for one in made.told if one["where"] == "inside"]
    if not made.told and not made.forgotten:
        yield "Nobody has copies that we know of."
    yield from _copies(made.told, made.forgotten, made.patient)
    if outside:
        yield f"Letters drafted for your approval: {len(made.drafts)} (clinigate consent recalls)."
        if len(made.drafts) < len({one["who"] for one in outside}) - made.forgotten:
            yield "Who has been asked before about the same pictures gets no second letter."
    if inside:
        yield "Colleagues in your organisation get no letter: tell them yourselves."


def _copies(rows: Sequence[dict[str, Any]], forgotten: int, patient: int) -> Iterator[str]:
    yield f"Copies sent: {sum(one['images'] for one in rows)}"
    for one in rows[:_MOST]:
        where = "" if one["where"] == "outside" else " (your organisation)"
        yield (
            f"  {_when(one['at'])}  {one['images']} to {_address(one['recipient'], one['domain'])}{where}, "
            f"by {one['method'] or 'unknown'}, ref {one['ref']}: {one['can']}"
        )
    if len(rows) > _MOST:
        yield f"  ... and {len(rows) - _MOST} more (--json has all)"
    if forgotten:
        yield f"  {forgotten} of the recipients: their address is not kept any more; they cannot be written to"
    if patient:
        yield f"  {patient} address(es) of the patient's own"


def _statements(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    yield f"Statements seen in email: {len(rows)}"
    for one in rows[-_MOST:]:
        purpose = f"for {one['purpose']}" if one["purpose"] else ""
        parts = [one["form"], f"by {one['given_by']}" if one["given_by"] else "", purpose, *_scope(one["scope"])]
        dated = [f"dated {one['dated']}" if one["dated"] else "", f"until {one['expires']}" if one["expires"] else ""]
        words = ", ".join(filter(None, (one["status"], *parts, *dated)))
        yield f"  {_when(one['at'])}  {words}; the email was {' and '.join(one['fates'])}; sender {one['sender'][:8]}…"


def _scope(words: Sequence[str]) -> list[str]:
    return [f"scope {' and '.join(words)}"] if words else []


def _standing(one: dict[str, Any]) -> str:
    since = f", since {_day(one['since'])}" if one["since"] is not None else ""
    left = f" ({_uses(one['scope'], one['purposes'])})" if one["status"] == LIMITED else ""
    return f"{_STANDS[one['status']]}{left}{since}"


def _history(rows: Sequence[dict[str, Any]]) -> Iterator[str]:
    for one in rows:
        yield f"    {_when(one['noted'])}  {one['status']}, from {_day(one['since'])}, by {_by(one)}: {one['reason']}"


def _stage(one: dict[str, Any]) -> str:
    """How far a letter has come."""
    if one["state"] == "approved" and one["sent"]:
        late = f", OVERDUE, reminded {_day(one['reminded'])}" if one["reminded"] else ", OVERDUE" if one.get("overdue") else ""
        return f"sent {_day(one['sent'])}{late}"
    if one["state"] == "confirmed":
        return f"confirmed {_day(one['answered'])}"
    return "on its way" if one["state"] == "approved" else str(one["state"])


def _address(address: str, domain: str) -> str:
    return address or f"(address forgotten) at {domain}"


def _by(one: dict[str, Any]) -> str:
    return SOURCES[BY_STATEMENT] if one["by"] == SYSTEM else str(one["by"])


def _who(patients: Sequence[str], pictures: int) -> str:
    named = f"{len(patients)} patients" if len(patients) > 1 else f"patient {patients[0][:8]}…" if patients else ""
    some = _number(pictures, "picture") if pictures else ""
    return " and ".join(filter(None, (named, some))) or "nobody"


def _number(many: int, what: str) -> str:
    return f"{many} {what}{'' if many == 1 else 's'}"


def _uses(scope: Sequence[str], purposes: Sequence[str]) -> str:
    return ", ".join(_USES.get(one, one) for one in sorted(uses(scope, purposes))) or "none"


def _when(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%d %b %Y %H:%M}"


def _day(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC).astimezone():%d %b %Y}"
