"""The models of policy.yaml: every key, what it may hold, and its default.  Source of the schema."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from policies.files.profiles import DEFAULT, PROFILES
from policies.files.sidesettings import Aggregation, DevicesPolicy, FileLinks, Referral
from policies.files.strict import Strict as _Strict
from policies.files.strict import Word

# PS3.15 table E.1-1: what an option retains; those that promise cleaned pixels are not here because nobody checks that.
DicomOption = Literal[113105, 113106, 113107, 113108, 113109, 113110, 113111, 113112]
Logo = Annotated[str, StringConstraints(pattern=r"^([0-9a-f]{64}|look:[0-9a-f]{16})$")]
ActionWord = Literal["DELIVER", "PROTECT", "ASK", "QUARANTINE", "REFUSE"]
RuleWord = Literal["DELIVER", "PROTECT", "ASK", "QUARANTINE", "REFUSE", "ADVISE"]
ModeWord = Literal["observe", "advise", "enforce"]
HeaderOut = Literal["remove", "inside", "pseudonymise", "keep"]
ClassWord = Literal["O", "A", "B", "C", "D", "E", "F", "archive"]


EXAMPLE_DOMAIN = "example.org"  # of the shipped policy's contacts (RFC 2606): nobody must be sent to phone them


def _several(value: object) -> object:
    """One word stands for a list of one."""
    return [value] if isinstance(value, str) else value


_PROFILE_WORD: dict[str, Any] = {"enum": list(PROFILES)}
ProfileWord = Literal["uk-strict", "uk-care-team", "au", "us", "test", "mdu-strict", "gmc-17", "small-practice"]
Profiles = Annotated[
    tuple[ProfileWord, ...],
    BeforeValidator(_several),
    WithJsonSchema({"anyOf": [_PROFILE_WORD, {"type": "array", "items": _PROFILE_WORD, "minItems": 1}]}),
]


class RuleModel(_Strict):
    """One rule.  The first whose ``when`` fits decides."""

    id: Word = Field(description="Name of the rule, told in every explanation; unique.")
    when: dict[str, Any] = Field(description="Conditions; all must fit. The keys are listed in docs/policy.md.")
    then: RuleWord = Field(
        description="What becomes of the recipient's copy. ADVISE changes nothing: the sender is told the reasons beside; with a "
        "notice at once, else with the next notice."
    )
    reasons: tuple[str, ...] = Field((), description="Reason codes told to people.")
    source: tuple[str, ...] = Field(min_length=1, description="Where the rule comes from: guidance, article row, decision.")
    reviewed: date = Field(description="Day on which a person last checked the rule against its source.")
    methods: tuple[Word, ...] | None = Field(None, description="Only these protection methods; default: the entry's own.")
    on_failure: Literal["ASK", "QUARANTINE", "REFUSE"] = Field("QUARANTINE", description="What happens when no method can serve.")
    notice: Literal["N-1", "N-2", "N-3", "N-4", "N-5", "N-6", "N-7"] | None = Field(None, description="Notice to the sender.")
    answers: tuple[str, ...] = Field((), description="Tags the notice may offer; only those that lead to sending are.")
    releases: Literal["sender", "mail-admin", "ig", "two-person"] | None = Field(None, description="Who may release a hold.")
    urgency: Literal["routine", "urgent"] = Field("routine", description="Chooses the deadlines of a hold.")
    alert: bool = Field(False, description="Tell the information-governance contact on call at once.")
    scrub: bool | None = Field(None, description="Clean the pictures of what is delivered as it came; PROTECT always does.")
    consent_out: HeaderOut | None = Field(None, description="What becomes of the consent statement on the way out.")
    second_look: bool = Field(
        False, description="Tried, after the other rules, on what they would let go. It can only hold: ASK, QUARANTINE, REFUSE."
    )


class GroupModel(_Strict):
    """Senders that share a mode."""

    addresses: tuple[str, ...] = Field((), description="Whole addresses; * stands for any characters.")
    domains: tuple[str, ...] = Field((), description="Sender domains.")


class ModesModel(_Strict):
    """observe: nothing is changed or held, only recorded.  advise: clean, send, tell.  enforce: hold."""

    default: ModeWord = Field("observe", description="For every sender not named below.")
    groups: dict[str, ModeWord] = Field(default_factory=dict, description="By sender group; 'ungrouped' may be named too.")
    recipient_domains: dict[str, ModeWord] = Field(
        default_factory=dict, description="By recipient domain; of this and the group's mode the stricter holds."
    )


class Contact(_Strict):
    """Whom to call or write to."""

    name: str = Field(min_length=1, description="Person or team.")
    phone: str = Field("", description="Telephone or extension.")
    email: str = Field("", description="Email address.")
    hours: str = Field("", description="When somebody answers.")

    def words(self) -> str:
        """As it is printed: "IG on call, ext. 4410 (9 to 5)"; "" for the example that the shipped policy bears."""
        if self.email.rpartition("@")[2].lower() == EXAMPLE_DOMAIN:
            return ""
        return ", ".join(filter(None, (self.name, self.phone or self.email))) + (f" ({self.hours})" if self.hours else "")


class Machine(_Strict):
    """A scanner, record system or no-reply sender, and the person who answers for it."""

    address: str = Field(description="The machine's sender address.")
    owner: str = Field(description="Address of the person who gets its notices.")
    name: str = Field("", description="What it is.")


class DecorativeModel(_Strict):
    """When an image is an icon, a logo or a tracking pixel: sides in pixels, sizes in bytes, density in bytes a pixel."""

    tracking_side: int = Field(3, ge=0, le=16, description="Longest side of a tracking pixel.")
    tracking_bytes: int = Field(1024, ge=0, le=8192, description="Largest tracking pixel.")
    icon_side: int = Field(48, ge=0, le=128, description="Longest side of an icon.")
    icon_bytes: int = Field(8192, ge=0, le=65_536, description="Largest icon.")
    icons_most: int = Field(24, ge=0, le=200, description="Most different icons of one message; with more, none counts as one.")
    recurring_width: int = Field(640, ge=0, le=2000, description="Widest picture that may be a sender's recurring logo.")
    recurring_height: int = Field(160, ge=0, le=1000, description="Highest such picture.")
    recurring_bytes: int = Field(65_536, ge=0, le=1_000_000, description="Largest such picture.")
    recurring_density: float = Field(0.6, ge=0.0, description="Bytes a pixel a PNG logo has at most.")
    drawing_bytes: int = Field(1_000_000, ge=0, description="Largest drawing of lines and shapes (SVG, EMF, WMF) in bytes.")
    drawing_pixels: int = Field(4_000_000, ge=0, description="Largest drawing of flat areas, in pixels; 0: none.")
    flat_pixels: int = Field(60_000, ge=0, description="Largest flat drawing.")
    flat_bytes: int = Field(12_288, ge=0, description="Largest flat drawing in bytes.")
    flat_colours: int = Field(16, ge=0, le=64, description="Most colours of a flat drawing; 0 switches this rule off.")
    flat_density: float = Field(0.2, ge=0.0, description="Bytes a pixel a flat drawing has at most.")
    banner_ratio: float = Field(2.0, ge=1.0, description="Width to height a logo or flat drawing has at least.")


class CleaningModel(_Strict):
    """What is removed from a document or DICOM file that holds a clinical picture; a file without one stays as it is."""

    properties: bool = Field(True, description="Title, author, company, dates and other properties of documents.")
    authors: bool = Field(True, description="Names on comments and tracked changes.")
    revisions: bool = Field(True, description="Revision identifiers and editing times.")
    previews: bool = Field(True, description="Thumbnails of the whole document.")
    dicom_options: tuple[DicomOption, ...] = Field(
        (), description="Options of DICOM PS3.15 Annex E that keep something of the header (113106 dates, 113108 patient ...)."
    )


class SettingsModel(_Strict):
    """What holds for the whole organisation."""

    own_domains: tuple[str, ...] = Field(min_length=1, description="The organisation's own mail domains (class O).")
    neutral_subject: str = Field("Secure message", max_length=120, description="Outer subject of encrypted messages.")
    names: Literal["neutral", "keep"] = Field("neutral", description="File names of protected pictures.")
    header_out: dict[ClassWord, HeaderOut] = Field(
        default_factory=dict, description="What becomes of the consent statement, by recipient class; an entry may say otherwise."
    )
    methods_without_entry: tuple[Word, ...] = Field(
        ("pickup", "smime"), min_length=1, description="Protection methods for recipients without an entry in the register."
    )
    sender_encrypted_to_approved: Literal["deliver", "ask"] = Field(
        "ask", description="A message the sender encrypted (S/MIME, OpenPGP) to an approved clinical domain."
    )
    cleaning: CleaningModel = Field(
        default_factory=lambda: CleaningModel.model_validate({}), description="What goes from documents around a picture."
    )
    capture_date_in_text: bool = Field(
        False, description="Write the date taken and the side, which go from the files, into the text of encrypted messages."
    )
    scrub_own: bool = Field(True, description="Clean pictures sent within the organisation.")
    scope: Literal["images", "all-attachments", "all"] = Field(
        "images",
        description="Which mail to organisations outside the register waits for a reviewer: with clinical pictures, with any "
        "attachment, or all. Mail to patients and private addresses without a picture never does.",
    )
    child_consent_review: int = Field(
        730, ge=30, le=6570, description="Days after which the agreement for a child is asked for again (GMC recordings 35)."
    )
    many_recipients: int = Field(
        10, ge=1, le=1000, description="With more recipients than this a message has the finding recipient.many."
    )
    emergency_recipients: int = Field(1, ge=1, le=20, description="Most recipients of an emergency email.")
    file_links: FileLinks = Field(
        default_factory=lambda: FileLinks.model_validate({}), description="Links to file shares in the text; see below."
    )
    devices: DevicesPolicy = Field(
        default_factory=lambda: DevicesPolicy.model_validate({}), description="Cameras and phones the pictures name; see below."
    )
    referral: Referral = Field(
        default_factory=lambda: Referral.model_validate({}), description="Referrals that another system could carry; see below."
    )
    aggregation: Aggregation = Field(
        default_factory=lambda: Aggregation.model_validate({}),
        description="When several emails about one patient to one outside recipient are a finding; see below.",
    )
    recognise_resaved: bool = Field(
        True,
        description="A picture that this recipient already has with the patient's agreement is known again when it comes as "
        "another file: saved anew or made smaller, not cut. Switched off, only the very file is.",
    )
    machines: tuple[Machine, ...] = Field((), description="Senders that are not people.")
    known_logos: tuple[Logo, ...] = Field(
        (), description="The organisation's logos, as `clinigate learn-logo` writes them: SHA-256, or `look:` and a hash."
    )
    decorative: DecorativeModel = Field(
        default_factory=lambda: DecorativeModel.model_validate({}), description="Numbers that tell icons and logos from pictures."
    )
    intimate_law: str | None = Field(
        None,
        max_length=400,
        description="What notices about intimate pictures say of the law, in your lawyers' words; not set: the profile's.",
    )
    on_call: Contact | None = Field(
        None, description="Whom people phone when it cannot wait; printed in notices. Needed before enforce."
    )
    ig: Contact | None = Field(None, description="The information-governance team; printed in notices as whom to ask.")
    alternatives: str = Field(
        "", max_length=2000, description='What people can use instead of email; printed in notices after "Other ways:".'
    )


class PolicyModel(_Strict):
    """policy.yaml."""

    name: Word = Field(description="Name of this policy, for instance of the organisation.")
    profile: Profiles = Field(
        DEFAULT, min_length=1, description="The profile in force, or several that go together; see “Choosing a profile”."
    )
    settings: SettingsModel = Field(description="What holds for the whole organisation; see below.")
    sender_groups: dict[Word, GroupModel] = Field(default_factory=dict, description="Groups of senders, by name.")
    modes: ModesModel = Field(
        default_factory=lambda: ModesModel.model_validate({}), description="Who is observed, advised, enforced; see below."
    )
    rules: tuple[RuleModel, ...] = Field(min_length=1, description="The rules, in order.")
