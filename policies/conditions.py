"""What a rule can ask about: every key of ``when`` and the words it may name, and the codes that features look at.

``WHEN`` is the whole vocabulary; ``policies.features`` computes each of its values from facts.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from policies.files.profiles import PROFILES
from policies.model import Kind, RecipientClass
from policies.sidefeatures import DEVICE_THEN, DEVICES, FILE_LINKS, SIDE_CODES
from policies.vocabulary import BASES, CAPACITIES, GIVERS, PURPOSE_ROWS

OPAQUE: Final = ("encrypted", "corrupt", "limit", "image-not-supported", "unknown-type")
CONSENTS: Final = ("written", "verbal", "implied", "unspecified", "none", "emergency", "not-required", "refused")
STANDINGS: Final = ("approved", "grace", "expired", "suspended", "proposed", "changed", "denied", "invalid", "unlisted")
SENDER_KINDS: Final = ("person", "machine", "null", "auto", "list")
THREADS: Final = ("new", "reply", "forward")
YES_NO: Final = ("yes", "no")
YES_NO_UNKNOWN: Final = ("yes", "no", "unknown")
ON_FILE: Final = ("none", "limited", "outside", "unknown", "refused")
CLASSES: Final = tuple(cls.value for cls in RecipientClass)
KINDS: Final = tuple(kind.value for kind in Kind)

# Names a rule may write for several kinds.
KIND_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {
    "image": tuple(kind for kind in KINDS if kind != "K0"),
    "photo": ("K2", "K3", "K4", "K5", "K6", "K7"),
}

IDENTIFIERS: Final = ("text.nhs", "text.chi", "text.ihi", "text.medicare", "text.identifier", "ident.", "dicom.patient")
# Names or faces in the picture itself, by the DICOM header's word or its silence: such a picture is never anonymous.
BURNED_IN: Final = frozenset({"dicom.burned-in", "dicom.burned-in-unknown", "dicom.recognisable"})
ATTACHMENT: Final = "mail.attachment"  # message code: something is attached, whatever it is
ASKED: Final = frozenset({ATTACHMENT, *SIDE_CODES})  # single codes that a feature looks at

DOMAIN: Final = "domain"  # its words are patterns of domains (policies.domains.patterns)

# Key of ``when`` -> the words it may name and what it means.  docs/policy.md prints this table.
WHEN: Final[Mapping[str, tuple[tuple[str, ...], str]]] = {
    "profile": (PROFILES, "the profile chosen at the top of policy.yaml; a rule that names none holds in all"),
    "recipient": (CLASSES, "class of the recipient"),
    DOMAIN: ((), "domain of the recipient: one exactly, or `*.trust.example` for trust.example and every domain below it"),
    "kind": ((*KINDS, *KIND_ALIASES), "kind of the picture; photo = K2 to K7, image = K1 to K9"),
    "consent": (CONSENTS, "how the patient agreed; unspecified = agreed, but not said how"),
    "purpose": (tuple(PURPOSE_ROWS), "what the picture is for"),
    "basis": ((*BASES, "none"), "why no agreement is needed"),
    "no_patient": (YES_NO, "the sender says that no patient is in it, and nothing speaks against that"),
    "opaque": ((*OPAQUE, "none"), "why a part could not be looked into"),
    "standing": (STANDINGS, "how the recipient's entry stands in the register"),
    "given_by": ((*GIVERS, "none"), "who agreed"),
    "capacity": ((*CAPACITIES, "none"), "whether the patient can decide"),
    "child_giver": (YES_NO, "who agreed may do so for a child: parent, guardian, or the child itself (capacity gillick)"),
    "consent_age": (("new", "old", "undated"), "old: agreed longer ago than settings.child_consent_review"),
    "sender_kind": (SENDER_KINDS, "who or what sent the email"),
    "thread": (THREADS, "a new email, a reply or a forwarded one"),
    "first_time": (YES_NO_UNKNOWN, "the sender writes to this recipient for the first time"),
    "disclosed": (YES_NO_UNKNOWN, "the recipient already has this picture under live consent"),
    "own_private": (YES_NO, "the recipient is the sender's own private address"),
    "in_scope": (YES_NO, "what the patient agreed to covers the purpose"),
    "purpose_covered": (YES_NO, "the register lists the purpose for the recipient's domain"),
    "healthcare": (YES_NO, "the register lists treatment for the recipient's domain"),
    "intimate_allowed": (YES_NO, "the recipient's entry allows intimate pictures (max_sensitivity: V)"),
    "children_allowed": (YES_NO, "the recipient's entry allows pictures of children (children_allowed: true)"),
    "identifiers": (YES_NO, "a patient's number was found in the file, its name or the subject"),
    "burned_in": (YES_NO, "names or a face may stand in the pixels: the DICOM file says so, or does not say"),
    "identifiable": (YES_NO, "the sender has not said that nobody can be recognised"),
    "record": (YES_NO, "the statement names where the consent is recorded, or an approval number"),
    "request": (YES_NO, "the patient asked for the picture"),
    "to_patient": (("no", "unconfirmed", "confirmed"), "the sender says that the recipient is the patient"),
    "checked": (YES_NO, "the sender says that the recipients are right: [right address], or a patient's address typed twice"),
    "withdrawal_unknown": (YES_NO, "the email names a patient and withdrawals could not be looked up"),
    "on_file": (ON_FILE, "what the consent register says; limited: this use is left, outside: it is not"),
    "picture_unknown": (YES_NO, "the consent register could not be asked about this very picture"),
    "one_recipient": (YES_NO, "the email goes to no more people than an emergency may"),
    "too_many": (YES_NO, "more recipients than the domain's entry allows"),
    "lookalike": (YES_NO, "the domain resembles an approved one"),
    "in_reach": (YES_NO, "settings.scope reaches this email although it has no clinical picture"),
    "file_link": (FILE_LINKS, "the text links to a file share and speaks of a patient, and what settings.file_links says"),
    "device": (DEVICES, "whether the camera that the picture names is registered (devices.yaml)"),
    "device_then": (DEVICE_THEN, "what settings.devices says of that camera, this kind of picture and the sender's group"),
    "referral": (YES_NO, "it reads like a referral, to a service that takes referrals electronically (settings.referral)"),
    "sender_encrypted": (YES_NO, "the sender's program encrypted the whole message and the policy lets that pass"),
    "vouched": (YES_NO, "the sender's identity is certain"),
    "group": ((), "group of the sender (a name under sender_groups, or ungrouped)"),
    "codes": ((), "finding codes of the message or the picture, any of them"),
}
