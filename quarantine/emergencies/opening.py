"""A case is opened when an email has gone on the emergency word: at once, or out of a hold by an answer or a reviewer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from quarantine.deadlines import OfficeHours
from quarantine.emergencies.cases import Cases, case_id
from quarantine.emergencies.model import REASON, REASON_LETTERS, SPAN, Case, Party, Terms
from quarantine.emergencies.reason import opened, sealed
from quarantine.keys import PrivateKey, PublicKey
from quarantine.model import HeldRecipient, HoldRow
from quarantine.reading import reference
from quarantine.records import Records

_FREE: Final = frozenset({"O", "archive"})  # nobody needed the word to write there
_UNCHECKED: Final = frozenset({"observe", "advise"})  # went whatever the decision was
_KIND: Final = "emergency"  # kind of the notice to IG


class NoReason(ValueError):
    """An emergency needs a reason of at least ten letters."""


def answered(way: str, reason: str, statement: str, hold: str, public_keys: Mapping[str, PublicKey]) -> dict[str, str]:
    """What a release keeps in its terms when the sender answered EMERGENCY to ``hold``: way, sealed reason and statement.

    The reason is the reviewer's to read, the statement the service's, for the gateway must judge it as it was written.
    Raises ``NoReason`` for a reason that is too short, ``SealError`` when it cannot be sealed.
    """
    text = " ".join(reason.split())
    if len(text) < REASON_LETTERS:
        raise NoReason("an emergency needs a reason of at least ten letters")
    return {
        "way": way,
        "reason": sealed(text, hold, public_keys),
        "statement": sealed(statement, hold, public_keys, "online"),
    }


def statement_of(release: Mapping[str, Any], private_keys: Mapping[str, PrivateKey]) -> str | None:
    """The statement that a release adds.  Raises ``SealError`` when the one of an emergency cannot be opened."""
    answer = release.get("emergency")
    return opened(answer["statement"], private_keys) if answer else release.get("statement")


def from_outcome(
    records: Records, meta: Mapping[str, Any], merge: str, now: float, terms: Terms, tell: bool = True
) -> Case | None:
    """The case of what an outcome says went on the emergency word; None if nothing did."""
    at = float(meta["created"])
    people = [
        Party(str(r["address"]), str(r.get("class") or ""), str(r.get("rule") or ""), str(r.get("method") or ""), at)
        for r in meta["recipients"]
        if _went(r)
    ]
    if not people:
        return None
    told = _told(meta)
    case = Case(
        id=case_id(merge),
        ref=str(meta.get("ref") or reference(case_id(merge))),
        hold="",
        merge=merge,
        sender=str(meta.get("envelope", {}).get("sender") or ""),
        at=at,
        due=due(at, terms.office),
        way=str(told.get("way") or ""),
        reason=str(told.get("reason") or ""),
        version=1,
    )
    return _opened(records, case, people, str(meta.get("message", "")), now, terms, tell)


def from_release(
    records: Records,
    row: HoldRow,
    release: Mapping[str, Any],
    delivered: Iterable[HeldRecipient],
    now: float,
    terms: Terms,
    tell: bool = True,
) -> Case | None:
    """The case of a hold let go on the emergency word: its sender answered so (``release``), or the word was in the email.

    None when the word had no part in it or nobody got it.
    """
    people = [Party(one.address, "", row.rule, "release", now) for one in delivered if one.state == "delivered"]
    answer = release.get("emergency") or {}
    if not people or not (answer or REASON in row.reasons):
        return None
    outcomes = records.outcomes(row.message) if row.message else []
    kept = next((found for one in outcomes if (found := _told(one.meta))), {})
    merge = outcomes[0].merge if outcomes else row.message or row.id
    case = Case(
        id=case_id(merge), ref=row.ref, hold=row.id, merge=merge, sender=row.sender, at=now, due=due(now, terms.office),
        way=str(answer.get("way") or "ig"), reason=str(answer.get("reason") or kept.get("reason") or ""), version=1,
    )  # fmt: skip
    return _opened(records, case, people, row.message, now, terms, tell)


def due(at: float, office: OfficeHours) -> float:
    """When the review must be done: the end of the next working day."""
    return office.closing_of(office.next_working_day(at))


def _went(line: Mapping[str, Any]) -> bool:
    return (
        line.get("state") == "delivered"
        and REASON in (line.get("reasons") or ())
        and line.get("class") not in _FREE
        and line.get("method") not in _UNCHECKED
    )


def _told(meta: Mapping[str, Any]) -> Mapping[str, Any]:
    found = meta.get("emergency")
    return found if isinstance(found, Mapping) else {}


def _opened(records: Records, case: Case, people: list[Party], message: str, now: float, terms: Terms, tell: bool) -> Case:
    cases = Cases(records)
    new = cases.open(case, people)
    if tell:
        # The IG team is told at once, whatever becomes of the sender's own notice; the same promise is never made twice.
        records.outbox_add(
            _KIND, to="", role="ig", due=now, message=message, hold=case.hold, merge=case.merge,
            dedup=f"{_KIND}:{case.merge}", now=now,
            detail={"case": case.id, "refs": [case.ref], "number": len(people), "due": case.due, "sent": case.at},
        )  # fmt: skip
        if new:
            _often(records, cases, case, now, terms)
    return cases.get(case.id) or case


def _often(records: Records, cases: Cases, case: Case, now: float, terms: Terms) -> None:
    """More than the setting allows in thirty days: told to IG once a month and sender, never a block (domain/04 4.6)."""
    recent = cases.of_sender(case.sender, case.at - SPAN, case.at)
    if not case.sender or len(recent) <= terms.per_sender:
        return
    month = f"{terms.office.day_of(case.at):%Y-%m}"
    first = case_id(case.sender.casefold())  # names the sender without naming them
    records.outbox_add(
        "review-often", to="", role="ig", due=now, dedup=f"review-often:{first}:{month}", now=now,
        detail={"refs": [one.ref for one in recent]},
    )  # fmt: skip
