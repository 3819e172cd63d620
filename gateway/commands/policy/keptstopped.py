"""An old register reopens no domain that is stopped today: one person stops a domain, only two let pictures go there again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from gateway.commands.register.registertext import RegisterText
from policies.load import Policy
from policies.model import RecipientClass
from policies.register import Register, stands

STOPPED: Final = frozenset({"suspended", "denied"})
_SERVED: Final = frozenset({"approved", "grace"})
_SIGNED: Final = ("approved_by", "approved_on", "signed_terms")
_STAND_IN: Final = "somebody"  # a mailbox of the domain that is asked about


@dataclass(frozen=True, slots=True)
class Stopped:
    """A domain or single address (never a patient's), and how it stands now: suspended | denied."""

    name: str
    status: str


def reopened(now: Policy, old: Policy, today: date) -> tuple[Stopped, ...]:
    """What is stopped in ``now`` and would be served under ``old``."""
    names = (*now.register.domains, *now.register.addresses, *old.register.domains, *old.register.addresses)
    found = []
    for name in dict.fromkeys(names):
        status = _standing(now.register, name, today)
        if status in STOPPED and _standing(old.register, name, today) in _SERVED and not _patient(old.register, name):
            found.append(Stopped(name, status))
    return tuple(found)


def _standing(register: Register, name: str, today: date) -> str:
    """How ``name`` stands, whichever mailboxes of it may get pictures."""
    found = register.match(name if "@" in name else f"{_STAND_IN}@{name}", today=today)
    if not found.standing and found.entry is not None:
        return stands(found.entry, today, register.grace)
    return found.standing


def _patient(register: Register, name: str) -> bool:
    """Patients' own addresses are not rolled back: they stay as they are now."""
    return name in register.addresses and register.addresses[name].cls is RecipientClass.PATIENT


def stop(text: str, present: str, names: tuple[Stopped, ...]) -> str:
    """The register ``text`` with each of ``names`` stopped, for the reason that ``present`` (the register now) gives.

    Signatures are taken out, so that it needs new ones.  Raises EditError where a text cannot be edited entry by entry.
    """
    if not names:
        return text
    made, now = RegisterText(text), RegisterText(present)
    for one in names:
        entry = now.entry(one.name)
        terms = _terms(one, entry)
        if made.entry(one.name) is not None:
            made.change(one.name, lambda old, terms=terms: _write(old, terms))  # type: ignore[misc]  # bound now, not later
        else:  # the old register serves it through the domain above it
            new = _plain(entry) if entry is not None else {}
            _write(new, terms)
            made.add([new])
    return made.text


def _terms(one: Stopped, entry: Any) -> dict[str, str]:
    said = entry or {}
    reason = str(said.get("reason") or said.get("notes") or f"was {one.status} when an older version was put back")
    kind = {"class": "denied"} if one.status == "denied" else {}
    return {"address" if "@" in one.name else "domain": one.name, "status": one.status, "reason": reason, **kind}


def _write(entry: Any, terms: Mapping[str, str]) -> None:
    for key, value in terms.items():
        if key not in ("domain", "address") or key not in entry:
            entry[key] = value
    for key in _SIGNED:
        entry.pop(key, None)


def _plain(value: Any) -> Any:
    """Without the comments and quotes that an entry keeps."""
    if isinstance(value, dict):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_plain(one) for one in value]
    return str(value) if isinstance(value, str) else value
