"""The words of policy: facts in, decisions out.

Frozen values only; no I/O, no clock.  Names follow HL7 v3-ActReason (purpose of use), HL7 v2 tables 0497-0499
(consent form, status, bypass) and the recipient classes and image kinds of the policy matrix (docs/policy.md).
Whatever could hold a patient has ``repr=False``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import IntEnum, StrEnum


class Action(IntEnum):
    """What becomes of one recipient's copy; the stricter is the greater."""

    DELIVER = 0  # as it came
    PROTECT = 1  # scrubbed and protected by one of ``Decision.methods``
    ASK = 2  # held until the sender answers
    QUARANTINE = 3  # held until a reviewer decides
    REFUSE = 4  # not sent, no copy kept


class Mode(StrEnum):
    OBSERVE = "observe"  # original bytes go; the decision is only recorded
    ADVISE = "advise"  # strip what can be stripped, deliver, tell the sender
    ENFORCE = "enforce"


class RecipientClass(StrEnum):
    OWN = "O"
    APPROVED_CLINICAL = "A"
    APPROVED_OTHER = "B"
    PATIENT = "C"
    UNKNOWN = "D"
    PRIVATE = "E"
    DENIED = "F"
    ARCHIVE = "archive"


class Kind(StrEnum):
    """Image kinds K0-K9 of the policy matrix."""

    NONE = "K0"
    ROUTINE_IMAGING = "K1"
    DEIDENTIFIED_PHOTO = "K2"
    IDENTIFIABLE_PHOTO = "K3"  # the default for any photograph
    INTIMATE = "K4"
    CHILD = "K5"
    INTIMATE_CHILD = "K6"
    DECEASED = "K7"
    UNREADABLE = "K8"
    DOCUMENT = "K9"


class ConsentStatus(StrEnum):
    GIVEN = "given"
    LIMITED = "limited"
    REFUSED = "refused"
    PENDING = "pending"
    WITHDRAWN = "withdrawn"
    BYPASSED = "bypassed"
    NOT_REQUIRED = "not-required"


class Carrier(StrEnum):
    """Where a statement stood.  Precedence, strongest first: release > part > header > body > subject > default."""

    RELEASE = "release"
    PART = "part"
    HEADER = "header"
    BODY = "body"
    SUBJECT = "subject"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Statement:
    """One consent statement (domain grammar of Clinical-Image-Consent); unset parameters are None."""

    status: ConsentStatus
    carrier: Carrier
    form: str | None = None  # written | electronic | verbal | telephone | implied
    given_by: str | None = None
    purpose: str | None = None  # v3-ActReason code or PUBLISH
    scope: frozenset[str] = frozenset()
    dated: date | None = None  # date of the consent
    expires: date | None = None
    basis: str | None = None  # gmc-10 gmc-17 hipaa-treatment legal test not-patient teaching document no-patient-picture
    bypass: str | None = None  # emergency | professional-judgement
    capacity: str | None = None  # has | gillick | lacks
    intimate: bool = False
    identifiable: bool = True
    child: bool = False
    deceased: bool = False
    informed: frozenset[str] = frozenset()  # what the patient was told (``policies.vocabulary.INFORMED``); decides nothing
    patient: str | None = field(default=None, repr=False)  # pseudonymous reference
    record: str | None = field(default=None, repr=False)
    policy: str | None = None
    part: str | None = field(default=None, repr=False)  # file name or cid: this statement covers; None = all images
    reason: str | None = field(default=None, repr=False)
    to_patient: bool = False
    confirms: str | None = field(default=None, repr=False)  # the patient's address typed again beside ``to_patient``
    checked: bool = False  # the sender has looked at the recipients again: it is the right person
    fresh: bool = False  # a subject tag that stands before the Re:/Fw: prefix: typed for this message, not inherited


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a carrier could not be read as it stands: a code, and the word that was not understood (for the sender only)."""

    code: str  # consent.malformed, consent.unknown-word, consent.bare-tag, consent.expired, consent.future-date ...
    word: str = field(default="", repr=False)
    place: int = 0  # which word of the tag it is, counted from 1 without dates and references; 0: not known


@dataclass(frozen=True, slots=True)
class Reading:
    """What one carrier says.  ``spans`` are character ranges of the text given, to be removed on the way out.

    ``doubts``: its text says that there is no consent yet, or asks whether there is; an agreement in the subject does not stand
    against that.
    """

    carrier: Carrier
    statements: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()
    spans: tuple[tuple[int, int], ...] = ()
    doubts: bool = False


@dataclass(frozen=True, slots=True)
class Consent:
    """All readings of a message combined by precedence; ``statement`` is None when nobody stated anything that counts."""

    statement: Statement | None = None
    per_part: tuple[Statement, ...] = ()
    problems: tuple[Problem, ...] = ()
    ignored: tuple[str, ...] = ()  # codes why a statement did not count: consent.not-vouched, consent.inherited-tag ...
    purpose_inferred: bool = False


@dataclass(frozen=True, slots=True)
class OnFile:
    """What the consent register says of a patient or of one picture (``policies.onfile``)."""

    status: str  # refused | withdrawn | limited
    since: date | None = None
    uses: frozenset[str] = frozenset()  # of ``limited``: the purposes that are left, as rows of the matrix

    @property
    def ends(self) -> bool:
        """Nothing may go."""
        return self.status != "limited"


@dataclass(frozen=True, slots=True)
class ImageFacts:
    """One image (or unopened part) of the message."""

    part: str  # path of the part, "1.2"; a member of a container is "1.2/3"
    kind: Kind
    sha256: str  # of the image as received
    format: str = ""  # jpeg, png, ... or the sniffed name of what could not be opened
    codes: frozenset[str] = frozenset()  # finding codes from the filters' catalogue
    opaque: str | None = None  # encrypted | corrupt | limit | image-not-supported | unknown-type
    decorative: str | None = None  # reason code when positively known to be decorative, else None
    disclosed: bool | None = None  # already disclosed to this recipient under live consent; None = unknown
    pixels: int = 0
    modality: str | None = None  # DICOM modality when known
    name: str = field(default="", repr=False)
    inside: tuple[str, ...] = field(default=(), repr=False)  # file names of the containers it stands in
    taken: str = field(default="", repr=False)  # day of capture as the file stated it, "2026-03-04"
    laterality: str = ""  # L, R or B as the file stated it
    on_file: OnFile | None = None  # what the consent register says of this very picture
    looked_up: bool = True  # False: the register could not be asked about it

    def called(self, wanted: str) -> bool:
        """Does ``wanted`` name it: by the place or file name of its own or of a container it stands in?"""
        if self.part == wanted or self.part.startswith(f"{wanted}/"):
            return True
        return bool(wanted) and wanted.casefold() in [name.casefold() for name in (self.name, *self.inside)]


@dataclass(frozen=True, slots=True)
class WayTerms:
    """What a domain's entry requires of the way to its mail server (domain register, ``transport``)."""

    verify: str  # mta-sts | dane | pkix | none: how their server's name is proven
    min_version: str  # of TLS, "1.2" or "1.3"
    tls: str = "required"  # required | opportunistic


@dataclass(frozen=True, slots=True)
class CertificateTerms:
    """Which certificates a domain's entry takes (domain register, ``encryption.smime``)."""

    bound_to: str = "address"  # address | domain | address-or-domain: what a certificate must name
    anchors: tuple[str, ...] = ()  # files of the authorities that may have issued it; empty: any that is trusted
    require_revocation: bool = True  # a certificate whose revocation cannot be checked is refused


@dataclass(frozen=True, slots=True)
class DomainEntry:
    """One entry of the register of domains (docs/policy.md); ``single`` entries name one address."""

    domain: str
    status: str  # proposed | approved | suspended | expired | denied; changed: approved, and not as it stands now
    cls: RecipientClass
    organisation: str = ""
    purposes: frozenset[str] = frozenset()
    max_sensitivity: str = "R"
    children_allowed: bool = False
    methods: tuple[str, ...] = ()  # protection methods in order of preference
    route: str | None = None  # named next-hop route for method ``route``
    expires: date | None = None
    consent_header_out: str | None = None
    include_subdomains: bool = False
    max_recipients: int | None = None
    owner: str = field(default="", repr=False)  # address of who answers for it on our side
    review: date | None = None
    assured: tuple[tuple[str, date], ...] = ()  # (scheme, last day of it)
    last_used: date | None = None
    countersign_by: date | None = None  # one signature only: approved no longer than to the end of this day
    allow: tuple[str, ...] = ()  # mailboxes that may get pictures, "burns@"; empty: every one
    deny: tuple[str, ...] = ()
    way: WayTerms | None = None
    certificates: CertificateTerms | None = None
    e_referral: bool = False  # takes referrals electronically, so that a picture need not go by email


@dataclass(frozen=True, slots=True)
class RecipientFacts:
    """What the register knows of one recipient."""

    cls: RecipientClass
    domain: str
    entry: DomainEntry | None = None
    lookalike_of: str | None = None
    own_private: bool = False  # the sender's own private address
    local: str = field(default="", repr=False)
    similar_to: str = field(default="", repr=False)  # an address the sender has written to before, a slip of the finger away
    standing: str = ""  # approved | grace | expired | suspended | proposed | changed | denied | invalid; "" = not in the register


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything a decision about one recipient depends on (P7): gathered once, recorded, replayable."""

    at: datetime  # aware, UTC
    mode: Mode
    sender_domain: str
    sender_group: str  # "ungrouped" when no group matches
    sender_kind: str  # person | machine | null | auto | list
    vouched: bool  # From = envelope sender = authenticated identity, no redirect
    recipient: RecipientFacts
    recipients: int  # number of recipients in the whole message
    consent: Consent
    images: tuple[ImageFacts, ...] = ()
    codes: frozenset[str] = frozenset()  # message-level findings: mime.ambiguous, mail.signed ...
    methods: Mapping[str, str] = field(default_factory=dict)  # method -> "ok" or the code why it cannot serve here
    thread: str = "new"  # new | reply | forward
    register_version: str = ""
    withdrawn: bool | None = None  # a withdrawal or refusal on file for this patient reference; None = unknown
    on_file: OnFile | None = None  # what the consent register says of the patients named: the strictest of it
    first_time: bool | None = None  # first time this sender writes to this recipient; None = unknown
    released: frozenset[str] = frozenset()  # finding codes a release accepted
    hold_ref: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """What becomes of one recipient, and why."""

    action: Action
    rule: str  # id of the rule that matched, or "floor"
    reasons: tuple[str, ...] = ()  # stable codes, each with a sentence in ``policies.explain.REASONS``
    methods: tuple[str, ...] = ()  # to be tried in this order when action is PROTECT
    on_failure: Action = Action.QUARANTINE
    scrub: bool = True  # metadata of clinical images goes (PROTECT and, by policy, class O deliveries)
    notice: str | None = None  # N-1 ... N-7
    answers: tuple[str, ...] = ()  # tags the notice may offer; each simulated to delivery
    releases: str = "ig"  # who may release: sender | mail-admin | ig | two-person
    urgency: str = "routine"  # routine | urgent: chooses the deadlines
    consent_out: str = "remove"  # remove | inside | pseudonymise | keep
    kind: Kind = Kind.NONE  # the strictest image kind seen
    cls: RecipientClass | None = None  # as the rules saw the recipient: C also for a confirmed patient's address
    alert: bool = False  # IG on call is told at once
    source: tuple[str, ...] = ()
    advice: tuple[str, ...] = ()  # codes of what the sender is told beside, whatever becomes of the message
    advise_now: bool = False  # at once, not in the weekly digest


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of the policy: the first whose ``when`` matches decides."""

    id: str
    when: Mapping[str, object]
    then: Action
    source: tuple[str, ...]
    reviewed: date
    settings: Mapping[str, object] = field(default_factory=dict)
