"""What a rule can ask about links to file shares, cameras and referrals: features from codes, and what settings say of them."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Final

from policies.counsel import FILE_SHARE, REFERRAL
from policies.files.sidesettings import DevicesPolicy
from policies.lists.devices import PERSONAL, REGISTERED, UNKNOWN, UNREGISTERED
from policies.model import Facts, ImageFacts, Kind

FILE_LINKS: Final = ("none", "ignore", "advice", "hold")
DEVICES: Final = ("none", "registered", "unregistered", "unknown", "personal")
DEVICE_THEN: Final = ("ignore", "warn", "hold")
_BY_CODE: Final[Mapping[str, str]] = {
    REGISTERED: "registered", PERSONAL: "personal", UNREGISTERED: "unregistered", UNKNOWN: "unknown",
}  # fmt: skip
SIDE_CODES: Final = frozenset({FILE_SHARE, REFERRAL, *_BY_CODE})


@dataclass(frozen=True, slots=True)
class SideTerms:
    """What a site's settings say to these features."""

    file_links: str = "advice"  # ignore | advice | hold
    referral_domains: frozenset[str] = frozenset()
    devices: DevicesPolicy = field(default_factory=lambda: DevicesPolicy.model_validate({}))
    cameras: bool = False  # at least one is registered


def side_values(facts: Facts, image: ImageFacts | None, kind: Kind, codes: Collection[str], terms: SideTerms) -> dict[str, str]:
    """The features' words for one picture (None: the message has none).  ``codes``: of the message and the picture."""
    if SIDE_CODES.isdisjoint(codes):
        return _NOTHING
    device = "none"
    if image is not None:
        for code, word in _BY_CODE.items():
            if code in codes:
                device = word
                break
    return {
        "file_link": terms.file_links if FILE_SHARE in facts.codes else "none",
        "device": device,
        "device_then": _device_then(device, kind, facts.sender_group, terms),
        "referral": "yes" if image is not None and REFERRAL in facts.codes and _takes_referrals(facts, terms) else "no",
    }


_NOTHING: Final = {"file_link": "none", "device": "none", "device_then": "ignore", "referral": "no"}


def _device_then(device: str, kind: Kind, group: str, terms: SideTerms) -> str:
    """The word of the sender's group, or else of the policy; a kind of picture can only make it stricter."""
    if device not in ("unregistered", "unknown", "personal") or (device == "unregistered" and not terms.cameras):
        return "ignore"
    chosen = terms.devices
    for_group = chosen.groups.get(group)
    word = (getattr(for_group, device) if for_group is not None else None) or getattr(chosen, device)
    for name, stricter in chosen.kinds.items():
        if name == kind.value:
            word = max(word, getattr(stricter, device) or word, key=_STRICTNESS.__getitem__)
    return "ignore" if word == "allow" else str(word)


_STRICTNESS: Final = {"allow": 0, "ignore": 0, "warn": 1, "hold": 2}


def _takes_referrals(facts: Facts, terms: SideTerms) -> bool:
    entry, domain = facts.recipient.entry, facts.recipient.domain
    if entry is not None and entry.e_referral:
        return bool(terms.referral_domains)
    labels = domain.split(".")
    return any(".".join(labels[at:]) in terms.referral_domains for at in range(len(labels)))
