"""domains.yaml -> ``Register``, with the checks that the shape alone cannot make."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import Final

from policies.lookalike import Lookalikes
from policies.model import DomainEntry, RecipientClass
from policies.register import Register, a_label, parents, plain_local, public_ending, split_address
from policies.rulefile import METHODS
from policies.settings import EntryModel, PatientAddress, RegisterModel
from policies.vocabulary import PURPOSES
from policies.yamlmap import KeyPath, Lines, nearest, say

_CLASSES: Final = {
    "clinical": RecipientClass.APPROVED_CLINICAL,
    "patient-mail": RecipientClass.PATIENT,
    "archive": RecipientClass.ARCHIVE,
    "denied": RecipientClass.DENIED,
}


def build_register(
    model: RegisterModel,
    lines: Lines,
    file: str,
    problems: list[str],
    *,
    own: frozenset[str],
    lists: Mapping[str, frozenset[str]],
    version: str,
) -> Register:
    """The register; faults go into ``problems`` as printable lines."""
    freemail = lists["freemail.txt"] | _names(model.freemail, "freemail", lines, file, problems)
    suffixes = lists["suffixes.txt"]
    domains: dict[str, DomainEntry] = {}
    addresses: dict[str, DomainEntry] = {}
    for at, entry in enumerate(model.domains):
        path: KeyPath = ("domains", at)
        faults = _faults(entry, freemail, suffixes, own)
        problems += [say(file, lines, (*path, *key), what) for key, what in faults]
        if faults:
            continue
        name = _name(entry)
        table = addresses if entry.address is not None else domains
        if name in table:
            problems.append(say(file, lines, (*path, "domain" if entry.domain else "address"), f'"{name}" stands twice'))
        table[name] = _entry(entry, name)
    for at, patient in enumerate(model.patient_addresses):
        local, domain = split_address(patient.address)
        label = a_label(domain)
        if not local or label is None:
            problems.append(say(file, lines, ("patient_addresses", at, "address"), "not an email address"))
            continue
        addresses[f"{plain_local(local)}@{label}"] = _patient(patient, label)
    approved = [name for name, entry in domains.items() if entry.status == "approved"]
    return Register(
        own=own,
        domains=domains,
        addresses=addresses,
        freemail=freemail,
        denied=lists["denied.txt"] | _names(model.denied, "denied", lines, file, problems),
        suffixes=suffixes,
        version=version,
        lookalikes=Lookalikes([*approved, *own], partial(public_ending, suffixes=suffixes)),
    )


def _names(words: tuple[str, ...], key: str, lines: Lines, file: str, problems: list[str]) -> frozenset[str]:
    found = set()
    for at, word in enumerate(words):
        local, domain = split_address(word)
        label = a_label(domain)
        if label is None:
            problems.append(say(file, lines, (key, at), f'"{word}" is neither a domain nor an address'))
        else:
            found.add(f"{plain_local(local)}@{label}" if local else label)
    return frozenset(found)


def _name(entry: EntryModel) -> str:
    if entry.address is not None:
        local, domain = split_address(entry.address)
        return f"{plain_local(local)}@{a_label(domain)}"
    return a_label(entry.domain or "") or ""


def _expires(entry: EntryModel) -> date | None:
    days = [day for day in (entry.expires, entry.agreement.expires if entry.agreement else None) if day is not None]
    return min(days, default=None)


def _entry(entry: EntryModel, name: str) -> DomainEntry:
    return DomainEntry(
        domain=name,
        status=entry.status,
        cls=_CLASSES.get(entry.class_, RecipientClass.APPROVED_OTHER),
        organisation=entry.organisation if isinstance(entry.organisation, str) else entry.organisation.name,
        purposes=frozenset(entry.purposes),
        max_sensitivity=entry.max_sensitivity,
        children_allowed=entry.children_allowed,
        methods=entry.methods,
        route=entry.route,
        expires=_expires(entry),
        consent_header_out=entry.consent_header_out,
        include_subdomains=entry.include_subdomains,
        max_recipients=entry.max_recipients,
    )


def _patient(patient: PatientAddress, domain: str) -> DomainEntry:
    return DomainEntry(domain, "approved", RecipientClass.PATIENT, methods=patient.methods, expires=patient.expires)


def _faults(
    entry: EntryModel, freemail: frozenset[str], suffixes: frozenset[str], own: frozenset[str]
) -> list[tuple[tuple[str | int, ...], str]]:
    found: list[tuple[tuple[str | int, ...], str]] = []
    if (entry.domain is None) == (entry.address is None):
        return [((), "write either domain or address, one of the two")]
    key = "domain" if entry.domain is not None else "address"
    local, domain = split_address(entry.address) if entry.address is not None else ("-", entry.domain or "")
    label = a_label(domain)
    if label is None or not local:
        return [((key,), f'"{entry.domain or entry.address}" is not a proper {key}')]
    if entry.status == "denied" or entry.class_ == "denied":
        if entry.status != "denied" or entry.class_ != "denied":
            found.append((("status",), "a denied entry has status: denied and class: denied, both"))
        return found
    if entry.domain is not None:
        found += [((key,), what) for what in _unapprovable(entry, label, freemail, suffixes, own)]
    for at, code in enumerate(entry.purposes):
        if code not in PURPOSES:
            what = f'"{code}" is no purpose code; write one of {", ".join(PURPOSES)}{nearest(code, PURPOSES)}'
            found.append((("purposes", at), what))
        elif PURPOSES[code] == "marketing":
            found.append((("purposes", at), "no domain is approved for marketing"))
    for at, method in enumerate(entry.methods):
        if method not in METHODS:
            what = f'"{method}" is no protection method; write one of {", ".join(METHODS)}{nearest(method, METHODS)}'
            found.append((("methods", at), what))
    return found + _incomplete(entry)


def _unapprovable(
    entry: EntryModel, label: str, freemail: frozenset[str], suffixes: frozenset[str], own: frozenset[str]
) -> list[str]:
    """Why the domain as a whole can never be approved."""
    if label in own:
        what = f"{label} is one of your own domains (settings: own_domains); it needs no entry"
        return [what] if entry.class_ != "archive" else []
    if "." not in label or label in suffixes:
        return [f"{label} is a public ending that many organisations share; name each organisation's own domain"]
    if label in freemail or any(parent in freemail for parent in parents(label)):
        return [f"{label} is a freemail domain: anybody may have an address there; list single addresses under patient_addresses"]
    return []


def _incomplete(entry: EntryModel) -> list[tuple[tuple[str | int, ...], str]]:
    """What an approved entry must say."""
    found: list[tuple[tuple[str | int, ...], str]] = []
    if len(entry.approved_by) != len({name.lower() for name in entry.approved_by}) or len(entry.approved_by) == 1:
        found.append((("approved_by",), "two different people approve a domain"))
    if entry.status != "approved" or entry.class_ == "archive":
        return found
    if not entry.purposes and entry.class_ != "patient-mail":
        found.append((("purposes",), "an approved domain needs at least one purpose, for instance [TREAT, COC]"))
    if not entry.methods:
        found.append((("methods",), "an approved domain needs at least one protection method, for instance [smime]"))
    if "route" in entry.methods and entry.route is None:
        found.append((("route",), "the method route needs the name of a next-hop route"))
    return found
