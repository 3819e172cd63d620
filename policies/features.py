"""What a rule can ask about: the features of one image of one message for one recipient.

``WHEN`` is the whole vocabulary of a rule's ``when``; ``derive`` computes every feature from facts.  Everything uncertain is
derived to the stricter side: a statement that does not count is ``none``, an image not looked into is ``opaque``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, NamedTuple

from policies.model import Carrier, ConsentStatus, Facts, ImageFacts, Kind, RecipientClass, Statement
from policies.tags import EMERGENCY_REASON
from policies.vocabulary import BASES, CAPACITIES, GIVERS, PURPOSE_ROWS, PURPOSES, SCOPE_NEEDED, covers

OPAQUE: Final = ("encrypted", "corrupt", "limit", "image-not-supported", "unknown-type")
CONSENTS: Final = ("written", "verbal", "implied", "unspecified", "none", "emergency", "not-required", "refused")
STANDINGS: Final = ("approved", "grace", "expired", "suspended", "proposed", "denied", "invalid", "unlisted")
SENDER_KINDS: Final = ("person", "machine", "null", "auto", "list")
THREADS: Final = ("new", "reply", "forward")
YES_NO: Final = ("yes", "no")
YES_NO_UNKNOWN: Final = ("yes", "no", "unknown")
CLASSES: Final = tuple(cls.value for cls in RecipientClass)
KINDS: Final = tuple(kind.value for kind in Kind)

# Names a rule may write for several kinds.
KIND_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "image": tuple(kind for kind in KINDS if kind != "K0"),
    "photo": ("K2", "K3", "K4", "K5", "K6", "K7"),
}

# The formats a sender's own mail program makes when it encrypts a whole message.
SENDER_ENCRYPTED: Final = frozenset({"cms-enveloped", "pgp-message"})  # names of filters.sniff; tests/gateway/test_facts.py
_IDENTIFIERS: Final = ("text.nhs", "text.chi", "text.ihi", "text.medicare", "text.identifier", "ident.", "dicom.patient")
_AUTHORITIES: Final = frozenset({"attorney", "deputy", "guardian", "best-interests", "substitute-decision-maker"})
_NO_PATIENT: Final = frozenset({"not-patient", "teaching", "no-patient-picture"})

# Key of ``when`` -> the words it may name and what it means.  docs/policy.md prints this table.
WHEN: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "recipient": (CLASSES, "class of the recipient"),
    "kind": ((*KINDS, *KIND_ALIASES), "kind of the picture; photo = K2 to K7, image = K1 to K9"),
    "consent": (CONSENTS, "how the patient agreed; unspecified = agreed, but not said how"),
    "purpose": (tuple(PURPOSE_ROWS), "what the picture is for"),
    "basis": ((*BASES, "none"), "why no agreement is needed"),
    "opaque": ((*OPAQUE, "none"), "why a part could not be looked into"),
    "standing": (STANDINGS, "how the recipient's entry stands in the register"),
    "given_by": ((*GIVERS, "none"), "who agreed"),
    "capacity": ((*CAPACITIES, "none"), "whether the patient can decide"),
    "sender_kind": (SENDER_KINDS, "who or what sent the email"),
    "thread": (THREADS, "a new email, a reply or a forwarded one"),
    "first_time": (YES_NO_UNKNOWN, "the sender writes to this recipient for the first time"),
    "disclosed": (YES_NO_UNKNOWN, "the recipient already has this picture under live consent"),
    "own_private": (YES_NO, "the recipient is the sender's own private address"),
    "in_scope": (YES_NO, "what the patient agreed to covers the purpose"),
    "purpose_covered": (YES_NO, "the register lists the purpose for the recipient's domain"),
    "healthcare": (YES_NO, "the register lists treatment for the recipient's domain"),
    "identifiers": (YES_NO, "a patient's number was found in the file, its name or the subject"),
    "identifiable": (YES_NO, "the sender has not said that nobody can be recognised"),
    "record": (YES_NO, "the statement names where the consent is recorded, or an approval number"),
    "request": (YES_NO, "the patient asked for the picture"),
    "to_patient": (("no", "unconfirmed", "confirmed"), "the sender says that the recipient is the patient"),
    "withdrawal_unknown": (YES_NO, "the email names a patient and withdrawals could not be looked up"),
    "one_recipient": (YES_NO, "the email goes to no more people than an emergency may"),
    "too_many": (YES_NO, "more recipients than the domain's entry allows"),
    "lookalike": (YES_NO, "the domain resembles an approved one"),
    "sender_encrypted": (YES_NO, "the sender's program encrypted the whole message and the policy lets that pass"),
    "vouched": (YES_NO, "the sender's identity is certain"),
    "group": ((), "group of the sender (a name under sender_groups, or ungrouped)"),
    "codes": ((), "finding codes of the message or the picture, any of them"),
}


class View(NamedTuple):
    """One image seen through the facts: the features, and what shall be told beside a rule's own reasons."""

    values: Mapping[str, str]
    codes: frozenset[str]
    notes: tuple[str, ...]
    kind: Kind
    opaque: bool


class Stated(NamedTuple):
    """What a statement amounts to."""

    consent: str
    notes: tuple[str, ...] = ()


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _maybe(value: bool | None) -> str:
    return "unknown" if value is None else _yes(value)


def _counts(statement: Statement | None, facts: Facts) -> Statement | None:
    """The statement, unless the sender's identity is uncertain; a refusal and what it declares always count."""
    if statement is None or facts.vouched or statement.carrier is Carrier.RELEASE:
        return statement
    return statement if statement.status in (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN) else None


def _stated(statement: Statement | None, facts: Facts, image: ImageFacts | None) -> Stated:
    """The word for ``consent`` and what should be told about it."""
    if facts.withdrawn is True:
        return Stated("refused", ("consent.refused",))
    if statement is None or statement.status is ConsentStatus.PENDING:
        return Stated("none")
    match statement.status:
        case ConsentStatus.REFUSED | ConsentStatus.WITHDRAWN:
            return Stated("refused")
        case ConsentStatus.BYPASSED:
            return _bypassed(statement)
        case ConsentStatus.NOT_REQUIRED:
            return _not_required(statement, facts, image)
        case _:
            return _given(statement)


def _bypassed(statement: Statement) -> Stated:
    if statement.bypass != "emergency":
        return Stated("none", ("consent.judgement",))
    if len((statement.reason or "").strip()) < EMERGENCY_REASON:
        return Stated("none", ("consent.emergency-reason",))
    return Stated("emergency", ("consent.emergency",))


def _not_required(statement: Statement, facts: Facts, image: ImageFacts | None) -> Stated:
    if statement.basis in _NO_PATIENT and _contradicted(facts, image):
        return Stated("none", ("consent.not-patient-contradicted",))
    if statement.basis is None:
        return Stated("none", ("consent.basis",))
    return Stated("not-required")


def _given(statement: Statement) -> Stated:
    giver = statement.given_by or "patient"
    if statement.capacity == "lacks":
        if giver not in _AUTHORITIES or statement.record is None:
            return Stated("none", ("consent.capacity",))
    elif giver == "best-interests":  # nobody agreed: only for a patient who cannot decide (Mental Capacity Act)
        return Stated("none", ("consent.capacity",))
    if giver in ("executor", "family") and not statement.deceased:
        return Stated("none", ("consent.giver",))
    if statement.status is ConsentStatus.LIMITED and not statement.scope:
        return Stated("none", ("consent.limited",))
    match statement.form:
        case "written" | "electronic":
            return Stated("written")
        case "verbal" | "telephone":
            return Stated("verbal")
        case "implied":
            return Stated("implied", ("consent.implied",))
        case _:
            return Stated("unspecified", ("consent.no-form",))


def _identified(facts: Facts, image: ImageFacts | None) -> bool:
    codes = facts.codes if image is None else facts.codes | image.codes
    return any(code.startswith(_IDENTIFIERS) for code in codes)


def _contradicted(facts: Facts, image: ImageFacts | None) -> bool:
    """A claim of "no patient" against an identifier or DICOM evidence."""
    return _identified(facts, image) or (image is not None and image.modality is not None)


def statement_for(facts: Facts, image: ImageFacts | None) -> Statement | None:
    """The statement that covers this image: one that names it, else the message's.  A refusal that names no image covers all."""
    if image is not None and facts.consent.per_part:
        names = {image.part, image.name.casefold()} - {""}
        for statement in facts.consent.per_part:
            if statement.part is not None and (statement.part in names or statement.part.casefold() in names):
                return statement
        known = {one.part for one in facts.images} | {one.name.casefold() for one in facts.images if one.name}
        for statement in facts.consent.per_part:
            stray = statement.part is None or (statement.part not in known and statement.part.casefold() not in known)
            if stray and statement.status in (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN):
                return statement
    return facts.consent.statement


def kind_of(facts: Facts, image: ImageFacts | None) -> Kind:
    """The image's kind by evidence, tightened by what any statement declares."""
    if image is None:
        return Kind.NONE
    if image.opaque is not None:
        return Kind.UNREADABLE
    kind = image.kind
    if image.modality is not None and kind in (Kind.NONE, Kind.DOCUMENT):
        kind = Kind.ROUTINE_IMAGING
    if kind in (Kind.NONE, Kind.ROUTINE_IMAGING, Kind.DOCUMENT, Kind.UNREADABLE):
        return kind
    declared = [s for s in (facts.consent.statement, statement_for(facts, image)) if s is not None]
    intimate = kind in (Kind.INTIMATE, Kind.INTIMATE_CHILD) or any(s.intimate for s in declared)
    child = kind in (Kind.CHILD, Kind.INTIMATE_CHILD) or any(s.child for s in declared)
    if intimate:
        return Kind.INTIMATE_CHILD if child else Kind.INTIMATE
    if child:
        return Kind.CHILD
    return Kind.DECEASED if any(s.deceased for s in declared) else kind


def _to_patient(statement: Statement | None, facts: Facts) -> str:
    if statement is None or not statement.to_patient:
        return "no"
    typed = (statement.confirms or "").casefold()
    return "confirmed" if typed == f"{facts.recipient.local}@{facts.recipient.domain}".casefold() else "unconfirmed"


def _class(facts: Facts, to_patient: str) -> RecipientClass:
    """A confirmed patient's address is class C; the sender's own private address and denied ones never are."""
    recipient = facts.recipient
    outside = recipient.cls is RecipientClass.PRIVATE or (recipient.cls is RecipientClass.UNKNOWN and recipient.standing == "")
    if to_patient == "confirmed" and outside and not recipient.own_private and recipient.lookalike_of is None:
        return RecipientClass.PATIENT
    return recipient.cls


def _purpose(statement: Statement | None, consent: str, cls: RecipientClass) -> tuple[str, str | None, bool]:
    """(group, code, inferred).  Consent without a purpose to an approved clinical service is for coordination of care."""
    if consent == "emergency":
        return "emergency", "ETREAT", False
    if statement is not None and statement.purpose is not None:
        return PURPOSES.get(statement.purpose, "marketing"), statement.purpose, False
    if statement is not None and statement.basis == "legal":
        return "legal", "HLEGAL", False
    if cls is RecipientClass.APPROVED_CLINICAL and consent in ("written", "verbal", "implied", "unspecified"):
        return "care", "COC", True
    return "none", None, False


def derive(facts: Facts, image: ImageFacts | None, *, sender_encrypted: bool, emergency_recipients: int) -> View:
    """Every feature of ``image`` (None: the message has none) for this recipient."""
    raw = statement_for(facts, image)
    statement = _counts(raw, facts)
    stated = _stated(statement, facts, image)
    to_patient = _to_patient(statement, facts)
    cls = _class(facts, to_patient)
    group, code, inferred = _purpose(statement, stated.consent, cls)
    entry = facts.recipient.entry
    purposes = entry.purposes if entry is not None else frozenset[str]()
    needed = SCOPE_NEEDED.get(group)
    scope = (statement.scope if statement is not None else frozenset()) or frozenset({"record"})
    opaque = image.opaque if image is not None and image.opaque is not None else "none"
    kind = kind_of(facts, image)
    basis = statement.basis if statement is not None and statement.basis is not None else "none"
    if basis in _NO_PATIENT and _contradicted(facts, image):
        basis = "none"
    named = any(s is not None and s.patient is not None for s in (raw, facts.consent.statement))
    values = {
        "recipient": cls.value,
        "kind": kind.value,
        "consent": stated.consent,
        "purpose": group,
        "basis": basis,
        "opaque": opaque if opaque in OPAQUE or opaque == "none" else "corrupt",
        "standing": facts.recipient.standing or "unlisted",
        "given_by": (statement.given_by if statement is not None else None) or "none",
        "capacity": (statement.capacity if statement is not None else None) or "none",
        "sender_kind": facts.sender_kind,
        "thread": facts.thread,
        "first_time": _maybe(facts.first_time),
        "disclosed": _maybe(image.disclosed if image is not None else None),
        "own_private": _yes(facts.recipient.own_private),
        "in_scope": _yes(needed is None or needed in scope),
        "purpose_covered": _yes(code is None or covers(purposes, code)),
        "healthcare": _yes(covers(purposes, "ETREAT")),
        "identifiers": _yes(_identified(facts, image)),
        "identifiable": _yes(statement is None or statement.identifiable),
        "record": _yes(statement is not None and statement.record is not None),
        "request": _yes(statement is not None and statement.purpose == "PATRQT" and stated.consent != "none"),
        "to_patient": to_patient,
        "withdrawal_unknown": _yes(facts.withdrawn is None and (named or _identified(facts, image))),
        "one_recipient": _yes(facts.recipients <= emergency_recipients),
        "too_many": _yes(entry is not None and entry.max_recipients is not None and facts.recipients > entry.max_recipients),
        "lookalike": _yes(facts.recipient.lookalike_of is not None),
        "sender_encrypted": _yes(
            sender_encrypted and image is not None and image.format in SENDER_ENCRYPTED and opaque == "encrypted"
        ),
        "vouched": _yes(facts.vouched),
        "group": facts.sender_group,
    }
    codes = facts.codes if image is None else facts.codes | image.codes
    return View(values, codes, _notes(facts, stated, inferred), kind, opaque != "none")


def _notes(facts: Facts, stated: Stated, inferred: bool) -> tuple[str, ...]:
    """What is told beside the rule's reasons, most important first."""
    notes = list(stated.notes)
    if inferred:
        notes.append("purpose.inferred")
    if facts.recipient.standing == "grace":
        notes.append("domain.grace")
    if facts.recipient.lookalike_of is not None:
        notes.append("domain.lookalike")
    return tuple(notes)
