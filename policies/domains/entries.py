"""The models of domains.yaml: every key of the register, what it may hold, and its default.  Source of the schema."""

from __future__ import annotations

from datetime import date
from typing import Final, Literal

from pydantic import Field

from policies.files.settings import HeaderOut
from policies.files.strict import Strict as _Strict
from policies.files.strict import Word

Status = Literal["proposed", "approved", "suspended", "expired", "denied"]
WARN_DAYS: Final = (60, 30, 7)


class Organisation(_Strict):
    """The organisation behind a domain."""

    name: str = Field(description="Name of the organisation.")
    country: str = Field("", description="Country, for instance GB-ENG.")
    ids: dict[str, str] = Field(default_factory=dict, description="Official numbers, for instance ods.")


class Agreement(_Strict):
    """What the approval rests on."""

    type: Literal["implied-care", "dsa", "dpa-processor", "baa", "contract", "attestation"] = Field(
        description="Kind of agreement."
    )
    reference: str = Field("", description="Number of the agreement.")
    owner: str = Field("", description="Address of who answers for it on your side; gets the warnings before it ends.")
    signed: date | None = Field(None, description="Day of signature.")
    review: date | None = Field(None, description="Day of the next review.")
    expires: date | None = Field(None, description="Last day; the earlier of this and the entry's own counts.")
    privacy_policy_reviewed: date | None = Field(
        None, description="Day on which you read how they use, disclose and store pictures; profile au needs it."
    )


class Assurance(_Strict):
    """What was checked about the organisation's security."""

    scheme: Word = Field(description="Name of the scheme, for instance DCB1596 or DSPT.")
    status: str = Field("", description="What the scheme says, for instance accredited.")
    valid_until: date | None = Field(None, description="Last day of it; the owner is warned before.")
    checked: date | None = Field(None, description="Day on which you looked.")
    evidence: str = Field("", description="Where you looked, for instance the file of the list.")


class Transport(_Strict):
    """What you require of the way to their mail server.

    The mail server behind the named route must enforce it; the admin's configuration says what it does (`routes: enforces`).
    """

    tls: Literal["required", "opportunistic"] = Field("required", description="Whether mail may go without TLS.")
    min_version: Literal["1.2", "1.3"] = Field("1.2", description="Lowest version of TLS.")
    verify: Literal["mta-sts", "dane", "pkix", "none"] = Field("pkix", description="How their server's name is proven.")
    mx: tuple[str, ...] = Field(
        (), description="Names their mail servers may have; * stands for any.  Kept for your mail server's table: it sees them."
    )
    on_failure: Word = Field("pickup", description="Protection method when the way is not safe.")


class SmimeTerms(_Strict):
    """Which certificates are taken for this domain."""

    discovery: tuple[Literal["local", "dns-cert", "ldap", "smimea"], ...] = Field(
        ("local",), description="Where certificates may be looked for; of these, local works."
    )
    anchors: tuple[str, ...] = Field(
        (), description="Files of the authorities that may have issued them, in the folder anchors; empty: any."
    )
    bound_to: Literal["address", "domain", "address-or-domain"] = Field("address", description="What a certificate must name.")
    require_revocation: bool = Field(True, description="Refuse a certificate whose revocation cannot be checked.")


class Encryption(_Strict):
    """How messages for this domain are encrypted."""

    methods: tuple[Word, ...] = Field((), description="Protection methods in order of preference, if not under methods.")
    smime: SmimeTerms | None = Field(None, description="Terms of the method smime.")


class Jurisdiction(_Strict):
    """Where the data goes, as your agreement states it; no mail server can prove it."""

    law: str = Field("", description="Law it comes under, for instance UK-GDPR.")
    data_location: str = Field("", description="Country where it is kept.")
    restricted_transfer: Literal["none", "idta", "scc", "adequacy", "app8-consent"] = Field(
        "none", description="What allows a transfer abroad."
    )


class Mailboxes(_Strict):
    """Which mailboxes of the domain may get pictures."""

    allow: tuple[str, ...] = Field((), description="Only these, written like burns@; empty: every one.")
    deny: tuple[str, ...] = Field((), description="Not these, written like reception@.")
    max_per_message: int | None = Field(None, ge=1, description="Most recipients of one message; the same as max_recipients.")


class EntryModel(_Strict):
    """One domain, or one address, of the register."""

    domain: str | None = Field(None, description="The exact domain.")
    address: str | None = Field(None, description="One address instead of a domain.")
    include_subdomains: bool = Field(False, description="Also every domain below it; needs subdomains_reason.")
    subdomains_reason: str = Field("", description="Why the domains below it are approved too.")
    status: Status = Field(description="How the entry stands.")
    reason: str = Field("", description="Why it stands so; needed for suspended and denied.")
    class_: Literal[
        "clinical", "social-care", "research", "education", "publisher", "legal", "insurer", "government", "police", "supplier",
        "patient-mail", "archive", "denied",
    ] = Field(alias="class", description="What kind of organisation it is; clinical is class A, the others B.")  # fmt: skip
    organisation: str | Organisation = Field("", description="Name of the organisation.")
    purposes: tuple[str, ...] = Field((), description="Uses the domain is approved for (HL7 purpose-of-use codes).")
    max_sensitivity: Literal["N", "R", "V"] = Field("R", description="V: intimate pictures allowed.")
    children_allowed: bool = Field(False, description="Pictures of children allowed.")
    e_referral: bool = Field(False, description="Takes referrals electronically (settings.referral): the sender is told of that.")
    methods: tuple[Word, ...] = Field((), description="Protection methods in order of preference.")
    route: Word | None = Field(None, description="Named next-hop route of the method route.")
    expires: date | None = Field(None, description="Last day of the approval; the days of grace follow.")
    exempt: str = Field("", description="Why it needs no end within 24 months, for instance a national service.")
    max_recipients: int | None = Field(None, ge=1, description="Most recipients of one message.")
    consent_header_out: HeaderOut | None = Field(None, description="What becomes of the consent statement for this domain.")
    agreement: Agreement | None = Field(None, description="What the approval rests on; see below.")
    assurance: tuple[Assurance, ...] = Field((), description="What was checked about their security; see below.")
    transport: Transport | None = Field(None, description="What the way to them must be; see below.")
    encryption: Encryption | None = Field(None, description="How messages are encrypted; see below.")
    jurisdiction: Jurisdiction | None = Field(None, description="Law and place; see below.")
    recipients: Mailboxes | None = Field(None, description="Which of their mailboxes may get pictures; see below.")
    contacts: dict[str, str] = Field(default_factory=dict, description="Their addresses, by role: ig, incident, clinical_safety.")
    proposed_by: str = Field("", description="Who proposed it.")
    proposed_on: date | None = Field(None, description="Day of the proposal.")
    approved_by: tuple[str, ...] = Field((), description="Two different people; `clinigate domain approve` writes them.")
    approved_on: date | None = Field(None, description="Day of the last signature.")
    signed_terms: str = Field("", description="What the signatures are for; written by `clinigate domain approve`.")
    batch: str = Field("", description="Name of the import it came with.")
    last_used: date | None = Field(None, description="Day of the last picture sent there.")
    notes: str = Field("", description="Free text.")

    def ends(self) -> date | None:
        """Last day of the approval: the earlier of the entry's own and the agreement's."""
        days = [day for day in (self.expires, self.agreement.expires if self.agreement else None) if day is not None]
        return min(days, default=None)

    def ways(self) -> tuple[str, ...]:
        """Protection methods in order of preference; what serves when the way is not safe comes last."""
        named = self.methods or (self.encryption.methods if self.encryption else ())
        last = self.transport.on_failure if self.transport is not None and named else None
        return named if last is None or last in named else (*named, last)


class PatientAddress(_Strict):
    """One patient's own address."""

    address: str = Field(description="The patient's address.")
    verified_on: date = Field(description="Day on which the address was checked with the patient.")
    verified_how: str = Field(min_length=3, description="How it was checked.")
    expires: date | None = Field(None, description="Last day on which it may be used; no grace is meant for patients.")
    methods: tuple[Word, ...] = Field((), description="Protection methods in order of preference.")


class OnExpiry(_Strict):
    """What happens before and after the last day of an approval."""

    grace_days: int = Field(30, ge=0, le=90, description="Days after the last day on which mail still goes, with an alert.")
    warn_days: tuple[int, ...] = Field(WARN_DAYS, description="Days before the last day on which the owner is warned.")


class RegisterModel(_Strict):
    """domains.yaml."""

    approvals: Literal["two-people", "countersigned"] = Field(
        "two-people",
        description="two-people: two signatures before approval; countersigned: one now, the second by the end of the next day.",
    )
    on_expiry: OnExpiry = Field(
        default_factory=lambda: OnExpiry.model_validate({}), description="Grace and warnings; see below."
    )
    domains: tuple[EntryModel, ...] = Field(min_length=1, description="The register.")
    patient_addresses: tuple[PatientAddress, ...] = Field((), description="Patients' own addresses (class C).")
    freemail: tuple[str, ...] = Field((), description="More freemail domains than the list that comes with the program.")
    denied: tuple[str, ...] = Field((), description="More denied domains or addresses.")
