"""What an entry of the register must be beyond its shape: each fault as (key path within the entry, what to write)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from policies.domains.entries import EntryModel
from policies.files.rulefile import METHODS
from policies.files.yamlmap import nearest
from policies.register import a_label, parents, public_suffix, split_address
from policies.vocabulary import PURPOSES

Fault = tuple[tuple[str | int, ...], str]
MONTHS: Final = 24  # an approval ends at the latest so long after its agreement was signed


@dataclass(frozen=True, slots=True)
class Terms:
    """What an entry is checked against."""

    freemail: frozenset[str]
    suffixes: frozenset[str]
    own: frozenset[str]
    signatures: int = 2  # 1 where a second person countersigns the next day
    located: bool = False  # the profile asks where data are kept, and whether you read how
    denied: frozenset[str] = frozenset()  # file shares and the like, domains and addresses


def months_later(day: date, months: int) -> date:
    """The same day so many months later; the month's last where it has no such day."""
    year, month = day.year + (day.month - 1 + months) // 12, (day.month - 1 + months) % 12 + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    return date(year, month, 28)


def faults(entry: EntryModel, terms: Terms) -> list[Fault]:
    """Everything wrong with one entry."""
    if (entry.domain is None) == (entry.address is None):
        return [((), "write either domain or address, one of the two")]
    key = "domain" if entry.domain is not None else "address"
    local, domain = split_address(entry.address) if entry.address is not None else ("-", entry.domain or "")
    label = a_label(domain)
    if label is None or not local:
        return [((key,), f'"{entry.domain or entry.address}" is not a proper {key}')]
    if entry.status == "denied" or entry.class_ == "denied":
        return list(_denied(entry))
    found = list(_words(entry))
    if entry.domain is not None:
        found += [((key,), what) for what in _unapprovable(entry, label, terms)]
    elif entry.class_ != "archive" and _freemail(label, terms):
        what = "only patients' own addresses there may get pictures; list it under patient_addresses"
        found.append(((key,), f"{label} is a freemail domain: {what}"))
    if len({name.lower() for name in entry.approved_by}) != len(entry.approved_by):
        found.append((("approved_by",), "two different people approve a domain"))
    if entry.status == "suspended" and not entry.reason:
        found.append((("reason",), "a suspended entry says why, for instance reason: agreement under review"))
    if entry.status == "approved":
        found += _incomplete(entry, terms)
        name = label if entry.domain is not None else f"{local}@{label}"
        if not {name, label, *parents(label)}.isdisjoint(terms.denied):
            found.append(((key,), f"{name} is a denied destination (denied.txt); take it off one of the two lists"))
    return found


def _denied(entry: EntryModel) -> Iterable[Fault]:
    if entry.status != "denied" or entry.class_ != "denied":
        yield ("status",), "a denied entry has status: denied and class: denied, both"
    elif not entry.reason and not entry.notes:
        yield ("reason",), "a denied entry says why, for instance reason: file sharing"


def _words(entry: EntryModel) -> Iterable[Fault]:
    """Purposes, methods and mailboxes that do not exist."""
    for at, code in enumerate(entry.purposes):
        if code not in PURPOSES:
            yield ("purposes", at), f'"{code}" is no purpose code; write one of {", ".join(PURPOSES)}{nearest(code, PURPOSES)}'
        elif PURPOSES[code] == "marketing":
            yield ("purposes", at), "no domain is approved for marketing"
    yield from _methods(("methods",), entry.methods)
    if entry.encryption is not None:
        yield from _methods(("encryption", "methods"), entry.encryption.methods)
        if entry.methods and entry.encryption.methods and entry.methods != entry.encryption.methods:
            yield ("encryption", "methods"), "differ from the entry's methods; write them in one place"
    if entry.transport is not None and entry.transport.on_failure not in METHODS:
        what = f'"{entry.transport.on_failure}" is no protection method{nearest(entry.transport.on_failure, METHODS)}'
        yield ("transport", "on_failure"), what
    if entry.recipients is not None:
        for key in ("allow", "deny"):
            for at, word in enumerate(getattr(entry.recipients, key)):
                if not word.endswith("@") or len(word) < 2:
                    yield ("recipients", key, at), f'"{word}" is no mailbox; write it like burns@'


def _methods(key: tuple[str | int, ...], methods: tuple[str, ...]) -> Iterable[Fault]:
    for at, method in enumerate(methods):
        if method not in METHODS:
            yield (*key, at), f'"{method}" is no protection method; write one of {", ".join(METHODS)}{nearest(method, METHODS)}'


def _unapprovable(entry: EntryModel, label: str, terms: Terms) -> list[str]:
    """Why the domain as a whole can never be approved."""
    if label in terms.own:
        what = f"{label} is one of your own domains (settings: own_domains); it needs no entry"
        return [what] if entry.class_ != "archive" else []
    if "." not in label or public_suffix(label, terms.suffixes) == label:
        return [f"{label} is a public ending that many organisations share; name each organisation's own domain"]
    if _freemail(label, terms):
        return [f"{label} is a freemail domain: anybody may have an address there; list single addresses under patient_addresses"]
    return []


def _freemail(label: str, terms: Terms) -> bool:
    return label in terms.freemail or any(parent in terms.freemail for parent in parents(label))


def _incomplete(entry: EntryModel, terms: Terms) -> Iterable[Fault]:
    """What an approved entry must say."""
    if len(entry.approved_by) < (2 if entry.include_subdomains else terms.signatures):
        yield ("approved_by",), "two different people approve a domain; use `clinigate domain approve`, once each"
    elif len(entry.approved_by) == 1 and entry.approved_on is None:
        yield ("approved_on",), "write the day of the first signature; the second is due the next day"
    if entry.class_ == "archive":
        return
    if not entry.purposes and entry.class_ != "patient-mail":
        yield ("purposes",), "an approved domain needs at least one purpose, for instance [TREAT, COC]"
    if not entry.ways():
        yield ("methods",), "an approved domain needs at least one protection method, for instance [smime]"
    if "route" in entry.ways() and entry.route is None:
        yield ("route",), "the method route needs the name of a next-hop route"
    if entry.include_subdomains and not entry.subdomains_reason:
        yield ("subdomains_reason",), "say why the domains below it are approved too"
    if terms.located and not (entry.jurisdiction is not None and entry.jurisdiction.data_location):
        yield (), "profile au needs to know where data are kept; write jurisdiction: {data_location: AU}"
    if terms.located and (entry.agreement is None or entry.agreement.privacy_policy_reviewed is None):
        told = "profile au needs the day on which you read how they use, disclose and store pictures (their privacy policy)"
        yield ("agreement",), f"{told}; write privacy_policy_reviewed: and the day, like 2026-11-01"
    yield from _ends(entry)


def _ends(entry: EntryModel) -> Iterable[Fault]:
    """An approval ends, at the latest 24 months after it was agreed."""
    if entry.exempt:
        return
    key = ("expires",) if entry.agreement is None or entry.agreement.expires is None else ("agreement", "expires")
    ends = entry.ends()
    start = (entry.agreement.signed if entry.agreement is not None else None) or entry.approved_on
    if ends is None:
        yield key, f"an approval ends; write its last day, at most {MONTHS} months after it was signed (or exempt: why not)"
    elif start is not None and ends > (last := months_later(start, MONTHS)):
        yield key, f"is more than {MONTHS} months after {start}; write {last} or earlier (or exempt: why not)"
