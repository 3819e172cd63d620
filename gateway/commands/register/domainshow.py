"""The register as ``clinigate domain`` prints it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any

from gateway.commands.register.registertext import entry_name
from gateway.commands.register.yamlentries import as_read
from policies.domains.expiry import Due
from policies.domains.signed import changed
from policies.model import DomainEntry, RecipientClass
from policies.register import Register, stands

__all__ = ["batch_lines", "due_row", "entry_name", "lines", "rows", "signatures"]


def rows(register: Register, today: date, name: str = "") -> list[dict[str, Any]]:
    """One row an entry, or that of one name; patients' own addresses are left out."""
    found: list[dict[str, Any]] = []
    for one, entry in (*register.domains.items(), *register.addresses.items()):
        patient = entry.cls is RecipientClass.PATIENT and one in register.addresses
        if (one == name if name else not patient):
            found.append(_row(one, entry, today, register))
    return found


def _row(name: str, entry: DomainEntry, today: date, register: Register) -> dict[str, Any]:
    return {
        "name": name,
        "stands": stands(entry, today, register.grace),
        "class": entry.cls.value,
        "organisation": entry.organisation,
        "purposes": sorted(entry.purposes),
        "methods": list(entry.methods),
        "route": entry.route,
        "expires": entry.expires,
        "owner": entry.owner,
        "intimate pictures": entry.max_sensitivity == "V",
        "children": entry.children_allowed,
        "subdomains": entry.include_subdomains,
        "most recipients": entry.max_recipients,
        "mailboxes": list(entry.allow),
        "not these mailboxes": list(entry.deny),
        "second signature by": entry.countersign_by,
    }


def signatures(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What was agreed, who stands for an entry, and whether it still says what they signed."""
    agreed, where = entry.get("agreement") or {}, entry.get("jurisdiction") or {}
    return {
        "reason": entry.get("reason"),
        "agreed on": agreed.get("signed"),
        "data kept in": where.get("data_location"),
        "privacy policy read": agreed.get("privacy_policy_reviewed"),
        "proposed by": entry.get("proposed_by"),
        "signed by": list(entry.get("approved_by") or ()),
        "last signed on": entry.get("approved_on"),
        "changed since": changed(as_read(entry)) if entry else False,
    }


def lines(found: Sequence[Mapping[str, Any]], *, whole: bool) -> list[str]:
    """Everything of few rows, or a line a row."""
    if whole:
        return [f"{key + ':':21} {_word(value)}" for row in found for key, value in row.items()]
    width = max((len(row["name"]) for row in found), default=0)
    return [
        f"{row['name']:{width}}  {row['stands']:9}  {row['class']:7}  {_word(row['expires']):10}  {row['organisation']}"
        for row in found
    ]


def batch_lines(entries: Iterable[Any]) -> list[str]:
    """What a batch would approve: the terms they share once, then every domain."""
    entries = list(entries)
    differ = ("domain", "address", "organisation", "proposed_by", "proposed_on", "approved_on", "signed_terms")
    kinds: dict[str, list[str]] = {}
    for entry in entries:
        shared = ", ".join(f"{key}: {_word(value)}" for key, value in entry.items() if key not in differ)
        organisation = entry.get("organisation") or ""
        name = organisation.get("name", "") if isinstance(organisation, Mapping) else organisation
        kinds.setdefault(shared, []).append(f"  + {entry_name(entry)}  {name}")
    return [line for shared, names in kinds.items() for line in (f"{len(names)} with {shared}", *names)]


def due_row(one: Due) -> dict[str, Any]:
    """For programs."""
    return asdict(one)


def _word(value: Any) -> str:
    if value is None or value == []:
        return "–"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key}: {_word(one)}" for key, one in value.items()) + "}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_word, value))
    return str(value)
