"""The features of one image of one message for one recipient: what rules (``policies.conditions``) are held against.

``derive`` computes every feature from facts. Everything uncertain is derived to the stricter side: a statement that does not
count is ``none``, an image not looked into is ``opaque``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Final, NamedTuple

from policies.conditions import ATTACHMENT, BURNED_IN, IDENTIFIERS, OPAQUE
from policies.domains.signed import CHANGED
from policies.model import Carrier, Consent, ConsentStatus, DomainEntry, Facts, ImageFacts, Kind, RecipientClass, Statement
from policies.onfile import allows
from policies.sidefeatures import SideTerms, side_values
from policies.statements.tags import EMERGENCY_REASON
from policies.vocabulary import PURPOSES, SCOPE_NEEDED, covers

LIMITED_USE: Final = "consent.limited-on-file"
# The formats a sender's own mail program makes when it encrypts a whole message.
SENDER_ENCRYPTED: Final = frozenset({"cms-enveloped", "pgp-message"})  # names of filters.sniff; tests/gateway/test_facts.py
# DICOM modalities whose pictures need no separate agreement (GMC recordings 10); of any other the picture is a photograph.
# The same words as filters.dicom, which may not be imported here; tests/policies/test_evidence.py holds the two together.
ROUTINE_MODALITIES: Final = frozenset(
    """CR DX CT MR US MG XA RF NM PT ES GM SM IO PX BI BMD OCT OPT OPTBSV OPTENF IVOCT IVUS EPS HD ECG LP LS RG TG DF DS CF
    MA MS CD DD DR ST VF OAM OPM SEG REG RTIMAGE RTDOSE RTSTRUCT RTPLAN RTRECORD RTSEGANN SR PR KO RWV FID SRF LEN KER IOL AR PLAN
    """.split()  # noqa: SIM905 - a table of words
)
_FILMS: Final = frozenset({"mp4", "mov", "3gp", "m4v", "avi", "matroska", "webm", "ogg"})  # with voices
_FOR_CHILD: Final = frozenset({"parental-responsibility", "guardian"})
_AUTHORITIES: Final = frozenset({"attorney", "deputy", "guardian", "best-interests", "substitute-decision-maker"})
_NO_PATIENT: Final = frozenset({"not-patient", "teaching", "no-patient-picture"})


class View(NamedTuple):
    """One image seen through the facts: the features, and what shall be told beside a rule's own reasons."""

    values: Mapping[str, str]
    codes: frozenset[str]
    notes: tuple[str, ...]
    kind: Kind
    opaque: bool


class Terms(NamedTuple):
    """What a site's settings say to the features."""

    sender_encrypted: bool = False  # mail the sender encrypted may pass to class A
    emergency_recipients: int = 1
    child_review_days: int = 730
    scope: str = "images"  # images | all-attachments | all
    side: SideTerms = SideTerms()  # file shares, cameras, referrals


class Stated(NamedTuple):
    """What a statement amounts to."""

    consent: str
    notes: tuple[str, ...] = ()


_YES_NO: Final = {True: "yes", False: "no"}
_MAYBE: Final = {True: "yes", False: "no", None: "unknown"}


def _counts(statement: Statement | None, facts: Facts) -> Statement | None:
    """The statement, unless the sender's identity is uncertain; a refusal and what it declares always count."""
    if statement is None or facts.vouched or statement.carrier is Carrier.RELEASE:
        return statement
    return statement if statement.status in (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN) else None


def _said_no(facts: Facts, image: ImageFacts | None) -> bool:
    """A refusal or withdrawal is on file: of a patient the message names, or for this very picture."""
    of_image = image.on_file if image is not None else None
    return (
        facts.withdrawn is True
        or (facts.on_file is not None and facts.on_file.ends)
        or (of_image is not None and of_image.ends)
    )


def _on_file(facts: Facts, image: ImageFacts | None, said_no: bool, purpose: str, unknown: bool) -> str:
    """The word for ``on_file``.  A reviewer who accepts ``LIMITED_USE`` lets a use go that was not left."""
    if said_no:
        return "refused"
    found = [one for one in (facts.on_file, image.on_file if image is not None else None) if one is not None]
    if not all(allows(one, purpose) for one in found) and LIMITED_USE not in facts.released:
        return "outside"
    return "unknown" if unknown else "limited" if found else "none"


def _stated(statement: Statement | None, said_no: bool, contradicted: bool) -> Stated:
    """The word for ``consent`` and what should be told about it."""
    if said_no:
        return Stated("refused", ("consent.refused",))
    if statement is None or statement.status is ConsentStatus.PENDING:
        return Stated("none")
    match statement.status:
        case ConsentStatus.REFUSED | ConsentStatus.WITHDRAWN:
            return Stated("refused")
        case ConsentStatus.BYPASSED:
            return _bypassed(statement)
        case ConsentStatus.NOT_REQUIRED:
            return _not_required(statement, contradicted)
        case _:
            return _given(statement)


def _bypassed(statement: Statement) -> Stated:
    if statement.bypass != "emergency":
        return Stated("none", ("consent.judgement",))
    if len((statement.reason or "").strip()) < EMERGENCY_REASON:
        return Stated("none", ("consent.emergency-reason",))
    return Stated("emergency", ("consent.emergency",))


def _not_required(statement: Statement, contradicted: bool) -> Stated:
    if statement.basis in _NO_PATIENT and contradicted:
        return Stated("none", ("consent.not-patient-contradicted",))
    if statement.basis is None:
        return Stated("none", ("consent.basis",))
    return Stated("not-required")


def _given(statement: Statement) -> Stated:
    giver = statement.given_by or "patient"
    if statement.capacity == "lacks":
        if giver not in _AUTHORITIES or statement.record is None:
            return Stated("none", ("consent.capacity",))
        if statement.form is None:
            return Stated("written")  # the decision stands in the record that is named (matrix 4.5): nobody agreed in any form
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


def _identified(codes: Iterable[str]) -> bool:
    return any(code.startswith(IDENTIFIERS) for code in codes)


def _contradicted(identified: bool, image: ImageFacts | None) -> bool:
    """A claim of "no patient" against an identifier or DICOM evidence."""
    return identified or (image is not None and image.modality is not None)


def statement_for(consent: Consent, images: tuple[ImageFacts, ...], image: ImageFacts | None) -> Statement | None:
    """The statement that covers this image: one that names it, else the message's.  A refusal that names no image covers all."""
    if image is not None and consent.per_part:
        for statement in consent.per_part:
            if statement.part is not None and image.called(statement.part):
                return statement
        for statement in consent.per_part:
            stray = statement.part is None or not any(one.called(statement.part) for one in images)
            if stray and statement.status in (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN):
                return statement
    return consent.statement


def _evident(image: ImageFacts) -> Kind:
    """The kind by the file alone.  A DICOM modality is evidence of a clinical picture whatever else was thought of the file."""
    if image.opaque is not None:
        return Kind.UNREADABLE
    if image.modality is not None and image.kind in (Kind.NONE, Kind.DOCUMENT):
        return Kind.ROUTINE_IMAGING if image.modality in ROUTINE_MODALITIES else Kind.IDENTIFIABLE_PHOTO
    return image.kind


def _deidentified(image: ImageFacts, counted: Statement | None, identified: bool) -> bool:
    """K2: a vouched sender says that nobody can be recognised, and neither file, name nor subject says otherwise.

    What is hidden in the file goes in any case: no rule lets a K2 out but cleaned.  A film is never K2.
    """
    said = counted is not None and not counted.identifiable
    return said and not identified and BURNED_IN.isdisjoint(image.codes) and image.format not in _FILMS


def _kind(consent: Consent, image: ImageFacts | None, raw: Statement | None, counted: Statement | None, identified: bool) -> Kind:
    """The image's kind by evidence, tightened by what any statement declares; K2 only where ``_deidentified`` allows it."""
    if image is None:
        return Kind.NONE
    kind = _evident(image)
    if kind in (Kind.NONE, Kind.ROUTINE_IMAGING, Kind.DOCUMENT, Kind.UNREADABLE):
        return kind
    declared = [one for one in (consent.statement, raw) if one is not None]
    intimate = kind in (Kind.INTIMATE, Kind.INTIMATE_CHILD) or any(one.intimate for one in declared)
    child = kind in (Kind.CHILD, Kind.INTIMATE_CHILD) or any(one.child for one in declared)
    if intimate:
        return Kind.INTIMATE_CHILD if child else Kind.INTIMATE
    if child:
        return Kind.CHILD
    if kind is Kind.DECEASED or any(one.deceased for one in declared):
        return Kind.DECEASED
    return Kind.DEIDENTIFIED_PHOTO if _deidentified(image, counted, identified) else Kind.IDENTIFIABLE_PHOTO


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


def _age(statement: Statement | None, today: date, most: int) -> str:
    if statement is None or statement.dated is None:
        return "undated"
    return "old" if (today - statement.dated).days > most else "new"


def _of_entry(entry: DomainEntry | None, code: str | None, recipients: int) -> dict[str, str]:
    """What the recipient's entry in the register says."""
    purposes = entry.purposes if entry is not None else frozenset[str]()
    return {
        "purpose_covered": _YES_NO[code is None or covers(purposes, code)],
        "healthcare": _YES_NO[covers(purposes, "ETREAT")],
        "intimate_allowed": _YES_NO[entry is not None and entry.max_sensitivity == "V"],
        "children_allowed": _YES_NO[entry is not None and entry.children_allowed],
        "too_many": _YES_NO[entry is not None and entry.max_recipients is not None and recipients > entry.max_recipients],
    }


def _of_statement(statement: Statement | None, stated: Stated, group: str, contradicted: bool) -> dict[str, str]:
    """What the statement that counts says, or the strict default of each word where there is none."""
    if statement is None:
        return {**_SILENCE, "consent": stated.consent, "in_scope": _YES_NO[group not in SCOPE_NEEDED]}
    basis = statement.basis or "none"
    claimed = basis in _NO_PATIENT
    if claimed and contradicted:
        basis, claimed = "none", False
    needed = SCOPE_NEEDED.get(group)
    giver, capacity = statement.given_by or "none", statement.capacity or "none"
    return {
        "consent": stated.consent,
        "basis": basis,
        "no_patient": _YES_NO[claimed and stated.consent == "not-required"],
        "given_by": giver,
        "capacity": capacity,
        "child_giver": _YES_NO[giver in _FOR_CHILD or (capacity == "gillick" and giver in ("patient", "none"))],
        "in_scope": _YES_NO[needed is None or needed in (statement.scope or _RECORD_ONLY)],
        "identifiable": _YES_NO[statement.identifiable],
        "record": _YES_NO[statement.record is not None],
        "request": _YES_NO[statement.purpose == "PATRQT" and stated.consent != "none"],
    }


_RECORD_ONLY: Final = frozenset({"record"})
_SILENCE: Final[Mapping[str, str]] = {
    "basis": "none",
    "no_patient": "no",
    "given_by": "none",
    "capacity": "none",
    "child_giver": "no",
    "identifiable": "yes",
    "record": "no",
    "request": "no",
}


def derive(facts: Facts, consent: Consent, image: ImageFacts | None, terms: Terms) -> View:
    """Every feature of ``image`` (None: the message has none) for this recipient, were ``consent`` what the message states."""
    recipient = facts.recipient
    codes = facts.codes if image is None else facts.codes | image.codes
    identified = _identified(codes)
    raw = statement_for(consent, facts.images, image)
    statement = _counts(raw, facts)
    contradicted = _contradicted(identified, image)
    said_no = _said_no(facts, image)
    stated = _stated(statement, said_no, contradicted)
    to_patient = _to_patient(statement, facts)
    cls = _class(facts, to_patient)
    group, code, inferred = _purpose(statement, stated.consent, cls)
    kind = _kind(consent, image, raw, statement, identified)
    opaque = (image.opaque if image is not None else None) or "none"
    named = identified or any(one is not None and one.patient is not None for one in (raw, consent.statement))
    values = {
        "recipient": cls.value,
        "domain": recipient.domain,
        "kind": kind.value,
        "purpose": group,
        "opaque": opaque if opaque in OPAQUE or opaque == "none" else "corrupt",
        "standing": recipient.standing or "unlisted",
        "sender_kind": facts.sender_kind,
        "thread": facts.thread,
        "first_time": _MAYBE[facts.first_time],
        "disclosed": _MAYBE[image.disclosed if image is not None else None],
        "own_private": _YES_NO[recipient.own_private],
        "consent_age": _age(statement, facts.at.date(), terms.child_review_days),
        "identifiers": _YES_NO[identified],
        "burned_in": _YES_NO[not BURNED_IN.isdisjoint(codes)],
        "to_patient": to_patient,
        "checked": _YES_NO[to_patient == "confirmed" or (statement is not None and statement.checked)],
        "withdrawal_unknown": _YES_NO[facts.withdrawn is None and named],
        "on_file": _on_file(facts, image, said_no, group, facts.withdrawn is None and named),
        "picture_unknown": _YES_NO[image is not None and not image.looked_up],
        "one_recipient": _YES_NO[facts.recipients <= terms.emergency_recipients],
        "lookalike": _YES_NO[recipient.lookalike_of is not None],
        "in_reach": _YES_NO[terms.scope == "all" or (terms.scope == "all-attachments" and ATTACHMENT in facts.codes)],
        **side_values(facts, image, kind, codes, terms.side),
        "sender_encrypted": _YES_NO[
            terms.sender_encrypted and image is not None and image.format in SENDER_ENCRYPTED and opaque == "encrypted"
        ],
        "vouched": _YES_NO[facts.vouched],
        "group": facts.sender_group,
        **_of_entry(recipient.entry, code, facts.recipients),
        **_of_statement(statement, stated, group, contradicted),
    }
    claimed = statement is not None and not statement.identifiable
    return View(values, codes, _notes(facts, stated, inferred, claimed, values["burned_in"] == "yes"), kind, opaque != "none")


def _notes(facts: Facts, stated: Stated, inferred: bool, claimed: bool, burned_in: bool) -> tuple[str, ...]:
    """What is told beside the rule's reasons, most important first."""
    notes = list(stated.notes)
    if inferred:
        notes.append("purpose.inferred")
    if claimed and burned_in:
        notes.append("image.burned-in")
    if facts.recipient.standing == "grace":
        notes.append("domain.grace")
    if facts.recipient.standing == CHANGED:
        notes.append("domain.changed")
    if facts.recipient.lookalike_of is not None:
        notes.append("domain.lookalike")
    return tuple(notes)
