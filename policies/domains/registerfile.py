"""domains.yaml -> ``Register``, with the checks that the shape alone cannot make.

Two ways to the same register: entry by entry, taking what is known from before; and whole, which tells every fault.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from hashlib import sha256
from typing import Any, Final

import pydantic

from policies.domains.blocks import cut, read
from policies.domains.compiled import Compiled, Known, key
from policies.domains.entries import EntryModel, PatientAddress, RegisterModel
from policies.domains.entrycheck import Terms, faults
from policies.domains.lookalike import Lookalikes
from policies.domains.signed import CHANGED, changed
from policies.files.yamlmap import KeyPath, Lines, YamlError, explain_validation, parse, say
from policies.lists.names import digest
from policies.model import CertificateTerms, DomainEntry, RecipientClass, WayTerms
from policies.register import Register, a_label, plain_local, public_ending, split_address

_CLASSES: Final = {
    "clinical": RecipientClass.APPROVED_CLINICAL,
    "patient-mail": RecipientClass.PATIENT,
    "archive": RecipientClass.ARCHIVE,
    "denied": RecipientClass.DENIED,
}
_CODE: Final = "3"  # another number makes all that is known from before be read anew
_STANDIN: Final = "  - {domain: none.invalid, status: proposed, class: clinical}\n"


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the register is read with: your own domains, the lists (by file name), and what the policy asks for."""

    own: frozenset[str]
    lists: Mapping[str, frozenset[str]]
    located: bool = False
    countersigned: bool = False

    def terms(self, model: RegisterModel, freemail: frozenset[str], denied: frozenset[str]) -> Terms:
        signatures = 1 if self.countersigned or model.approvals == "countersigned" else 2
        return Terms(freemail, self.lists["suffixes.txt"], self.own, signatures, self.located, denied)


def read_register(
    text: bytes, file: str, problems: list[str], around: Surroundings, known: Known | None = None
) -> Register | None:
    """The register; its faults go into ``problems`` as printable lines.  None if it cannot be read at all."""
    return _by_entry(text, file, around, known) or _whole(text, file, problems, around)


def _by_entry(text: bytes, file: str, around: Surroundings, known: Known | None) -> Register | None:
    """The register read entry by entry; None where anything is wrong or unusual: ``_whole`` says what."""
    try:
        pieces = cut(text.decode("utf-8-sig"), "domains")
        if pieces is None:
            return None
        data, lines = parse(f"{pieces.before}{_STANDIN}{pieces.after}".encode(), file)
        model = RegisterModel.model_validate(data)
    except (UnicodeDecodeError, YamlError, pydantic.ValidationError):
        return None
    problems: list[str] = []
    frame = _Frame(model, data, lines, file, problems, around)
    entries = _entries(pieces.blocks, file, frame.terms, known)
    if entries is None or problems:
        return None
    made = frame.register(enumerate(entries.values()), Known(_context(frame.terms), entries))
    return None if problems else made


def _entries(blocks: list[str], file: str, terms: Terms, known: Known | None) -> dict[bytes, Compiled] | None:
    """Key of the text -> entry, in the order of the file; None if one has a fault or stands twice."""
    before = known.entries if known is not None and known.context == _context(terms) else {}
    keys = [key(block) for block in blocks]
    new = [at for at, one in enumerate(keys) if one not in before]
    values = read([blocks[at] for at in new], file)
    if values is None:
        return None
    compiled: dict[int, Compiled] = {}
    for at, value in zip(new, values, strict=True):
        try:
            entry = EntryModel.model_validate(value)
        except pydantic.ValidationError:
            return None
        if faults(entry, terms):
            return None
        compiled[at] = _compiled(entry, value, terms)
    found = {one: compiled[at] if at in compiled else before[one] for at, one in enumerate(keys)}
    return found if len(found) == len(blocks) else None


def _whole(text: bytes, file: str, problems: list[str], around: Surroundings) -> Register | None:
    try:
        data, lines = parse(text, file)
    except YamlError as error:
        problems.extend(error.problems)
        return None
    if not isinstance(data, dict) or not data:
        problems.append(f"{file}:1: the file is empty or no table of keys; an empty register is no register")
        return None
    try:
        model = RegisterModel.model_validate(data)
    except pydantic.ValidationError as error:
        problems.extend(explain_validation(error, lines, file, RegisterModel))
        return None
    frame = _Frame(model, data, lines, file, problems, around)
    entries = []
    for at, entry in enumerate(model.domains):
        path: KeyPath = ("domains", at)
        wrong = faults(entry, frame.terms)
        problems.extend(say(file, lines, (*path, *where), what) for where, what in wrong)
        if not wrong:
            entries.append((at, _compiled(entry, data["domains"][at], frame.terms)))
    return frame.register(entries, None)


class _Frame:
    """Everything of the file but its entries, and how the register is put together from both."""

    def __init__(
        self, model: RegisterModel, data: Any, lines: Lines, file: str, problems: list[str], around: Surroundings
    ) -> None:
        self.model, self.lines, self.file, self.problems, self.around = model, lines, file, problems, around
        self.data = {name: value for name, value in data.items() if name != "domains"}
        self.freemail = around.lists["freemail.txt"] | self._names(model.freemail, "freemail")
        self.denied = around.lists["denied.txt"] | self._names(model.denied, "denied")
        self.terms = around.terms(model, self.freemail, self.denied)

    def register(self, entries: Iterable[tuple[int, Compiled]], known: Known | None) -> Register:
        """``entries`` with their places in the list."""
        contents: list[bytes] = []
        tables: tuple[dict[str, DomainEntry], dict[str, DomainEntry]] = ({}, {})
        for at, one in entries:
            contents.append(one.content)
            table = tables[one.single]
            if one.name in table:
                path: KeyPath = ("domains", at, "address" if one.single else "domain")
                self.problems.append(say(self.file, self.lines, path, f'"{one.name}" stands twice'))
            table[one.name] = one.entry
        domains, addresses = tables
        addresses.update(self._patients())
        approved = [name for name, entry in domains.items() if entry.status in ("approved", CHANGED)]
        suffixes = self.around.lists["suffixes.txt"]
        content = self._content(contents)
        return Register(
            own=self.around.own,
            domains=domains,
            addresses=addresses,
            freemail=self.freemail,
            denied=self.denied,
            suffixes=suffixes,
            version=content[:12],
            digest=content,
            lookalikes=Lookalikes([*approved, *self.around.own], partial(public_ending, suffixes=suffixes)),
            signatures=self.terms.signatures,
            grace=timedelta(days=self.model.on_expiry.grace_days),
            warn_days=tuple(sorted(set(self.model.on_expiry.warn_days), reverse=True)),
            known=known,
        )

    def _content(self, contents: list[bytes]) -> str:
        """Names the content, whatever the layout and whichever way it was read."""
        lists = {name: digest(words) for name, words in self.around.lists.items()}
        domains = sha256(b"".join(contents)).hexdigest()
        return _digest({"register": self.data, "domains": domains, "lists": lists}).hex()

    def _names(self, words: tuple[str, ...], under: str) -> frozenset[str]:
        found = set()
        for at, word in enumerate(words):
            local, domain = split_address(word)
            label = a_label(domain)
            if label is None:
                what = f'"{word}" is neither a domain nor an address'
                self.problems.append(say(self.file, self.lines, (under, at), what))
            else:
                found.add(f"{plain_local(local)}@{label}" if local else label)
        return frozenset(found)

    def _patients(self) -> dict[str, DomainEntry]:
        found = {}
        for at, patient in enumerate(self.model.patient_addresses):
            local, domain = split_address(patient.address)
            label = a_label(domain)
            if not local or label is None:
                where: KeyPath = ("patient_addresses", at, "address")
                self.problems.append(say(self.file, self.lines, where, "not an email address"))
                continue
            found[f"{plain_local(local)}@{label}"] = _patient(patient, label)
        return found


def _compiled(entry: EntryModel, data: Any, terms: Terms) -> Compiled:
    name = _name(entry)
    made = _entry(entry, name, terms)
    return Compiled(_digest(data), name, entry.address is not None, replace(made, status=CHANGED) if changed(data) else made)


def _name(entry: EntryModel) -> str:
    if entry.address is not None:
        local, domain = split_address(entry.address)
        return f"{plain_local(local)}@{a_label(domain)}"
    return a_label(entry.domain or "") or ""


def _entry(entry: EntryModel, name: str, terms: Terms) -> DomainEntry:
    lonely = terms.signatures == 1 and len(entry.approved_by) == 1 and entry.approved_on is not None
    mailboxes = entry.recipients
    smime = entry.encryption.smime if entry.encryption else None
    most = [one for one in (entry.max_recipients, mailboxes.max_per_message if mailboxes else None) if one is not None]
    return DomainEntry(
        domain=name,
        status=entry.status,
        cls=_CLASSES.get(entry.class_, RecipientClass.APPROVED_OTHER),
        organisation=entry.organisation if isinstance(entry.organisation, str) else entry.organisation.name,
        purposes=frozenset(entry.purposes),
        max_sensitivity=entry.max_sensitivity,
        children_allowed=entry.children_allowed,
        e_referral=entry.e_referral,
        methods=entry.ways(),
        route=entry.route,
        expires=entry.ends(),
        consent_header_out=entry.consent_header_out,
        include_subdomains=entry.include_subdomains,
        max_recipients=min(most, default=None),
        owner=entry.agreement.owner if entry.agreement is not None else "",
        review=entry.agreement.review if entry.agreement is not None else None,
        assured=tuple((one.scheme, one.valid_until) for one in entry.assurance if one.valid_until is not None),
        last_used=entry.last_used,
        countersign_by=entry.approved_on + timedelta(days=1) if lonely and entry.approved_on is not None else None,
        allow=tuple(word.lower() for word in mailboxes.allow) if mailboxes else (),
        deny=tuple(word.lower() for word in mailboxes.deny) if mailboxes else (),
        way=WayTerms(way.verify, way.min_version, way.tls) if (way := entry.transport) else None,
        certificates=CertificateTerms(smime.bound_to, smime.anchors, smime.require_revocation) if smime else None,
    )


def _patient(patient: PatientAddress, domain: str) -> DomainEntry:
    return DomainEntry(domain, "approved", RecipientClass.PATIENT, methods=patient.methods, expires=patient.expires)


def _context(terms: Terms) -> str:
    lists = [digest(terms.freemail), digest(terms.suffixes), digest(terms.denied), sorted(terms.own)]
    return _digest([_CODE, lists, terms.signatures, terms.located]).hex()


def _digest(content: object) -> bytes:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str, separators=(",", ":"))
    return sha256(text.encode()).digest()
