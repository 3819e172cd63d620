"""YAML texts -> ``Policy``.  Nothing is opened here: the caller gives names and bytes.

Every fault is told at once, each as ``file:line: key: what is wrong, what is allowed, nearest valid word``.
"""

from __future__ import annotations

import fnmatch
import json
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final, TypeVar

import pydantic

from policies.domains.compiled import Known
from policies.domains.registerfile import Surroundings, read_register
from policies.features import Terms
from policies.files.profiles import fault, in_force
from policies.files.rulefile import check_rules
from policies.files.settings import PolicyModel, SettingsModel
from policies.files.sidecheck import side_faults
from policies.files.yamlmap import KeyPath, Lines, YamlError, explain_validation, nearest, parse, say
from policies.lists.devices import Devices, read_devices
from policies.lists.names import read_list
from policies.lists.wordlists import WORD_LISTS, WordLists, read_word_lists
from policies.model import Mode, Rule
from policies.register import Register, a_label, split_address
from policies.rules import Table, domains_named, table
from policies.sidefeatures import SideTerms

POLICY: Final = "policy.yaml"
DOMAINS: Final = "domains.yaml"
DEVICES: Final = "devices.yaml"
PERSONAL_DEVICES: Final = "personal-devices.txt"
LISTS: Final = ("freemail.txt", "denied.txt", "suffixes.txt")
FILES: Final = (POLICY, DOMAINS, *LISTS)
EXTRA: Final = (*WORD_LISTS, PERSONAL_DEVICES, DEVICES)  # a folder made before these came has none: then the shipped ones hold
_STRICTNESS: Final = (Mode.OBSERVE, Mode.ADVISE, Mode.ENFORCE)


class PolicyError(ValueError):
    """The policy cannot be used.  ``problems``: one printable line each; the text is all of them."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


@dataclass(frozen=True, slots=True)
class Policy:
    """Rules, register and settings in force.  ``digest`` is the SHA-256 of their canonical content (P7)."""

    name: str
    rules: tuple[Rule, ...]
    register: Register = field(repr=False)
    settings: SettingsModel
    sender_groups: Mapping[str, tuple[tuple[str, ...], tuple[str, ...]]]  # group -> (address patterns, domains)
    modes: Mapping[str, Mode]  # "default", "group:NAME", "domain:NAME"
    digest: str
    compiled: Table = field(repr=False, compare=False)
    profiles: frozenset[str]
    terms: Terms
    checks: Table = field(default_factory=dict, repr=False, compare=False)  # rules that look again at what would go
    machines: Mapping[str, str] = field(default_factory=dict, repr=False)
    words: WordLists = field(default_factory=WordLists, repr=False, compare=False)  # file shares, words of care and of referral
    devices: Devices = field(default_factory=Devices, repr=False, compare=False)  # clinical cameras
    lines: Mapping[str, frozenset[str]] = field(default_factory=dict, repr=False, compare=False)  # of each further list
    domains_named: frozenset[str] = field(default=frozenset(), repr=False, compare=False)  # patterns that rules name
    # Outcomes of answers by the facts that matter (policies.offers); holds no word of any message.
    remembered: dict[Hashable, tuple[str, ...]] = field(default_factory=dict, repr=False, compare=False)

    @property
    def version(self) -> str:
        """Short name of this very policy: profile and the start of the digest."""
        return f"{self.name}-{self.digest[:12]}"

    @property
    def known_logos(self) -> frozenset[str]:
        return frozenset(self.settings.known_logos)

    @property
    def decorative(self) -> Mapping[str, int | float]:
        """The numbers of settings.decorative, by name."""
        return self.settings.decorative.model_dump()

    def group_of(self, sender: str) -> str:
        """The first group that names the sender's address or domain, else ``ungrouped``."""
        address = sender.strip().lower()
        domain = a_label(split_address(address)[1]) or ""
        for name, (patterns, domains) in self.sender_groups.items():
            if domain in domains or any(fnmatch.fnmatchcase(address, pattern) for pattern in patterns):
                return name
        return "ungrouped"

    def mode_of(self, group: str, recipient_domain: str, *, certain: bool = True) -> Mode:
        """Of the group's mode and the recipient domain's the stricter; the default where neither is named.

        A sender who is not ``certain`` to be in the group cannot borrow its milder mode: anybody can write an address.
        """
        domain = recipient_domain.strip().rstrip(".").lower()
        named = [self.modes[key] for key in (f"group:{group}", f"domain:{domain}") if key in self.modes]
        mode = max(named, key=_STRICTNESS.index) if named else self.modes["default"]
        return mode if certain else max(mode, self.mode_of("ungrouped", domain), key=_STRICTNESS.index)

    def machine_owner(self, sender: str) -> str | None:
        """Address of the person who answers for a registered machine; None if ``sender`` is none."""
        return self.machines.get(sender.strip().lower())


def load_policy(files: Mapping[str, bytes], known: Known | None = None) -> Policy:
    """Read ``policy.yaml``, ``domains.yaml`` and the three lists (by base name).  Raises ``PolicyError`` naming every fault.

    ``known`` (``policy.register.known`` of the policy in force) spares reading entries of the register that have not changed.
    """
    named = {name.rpartition("/")[2]: text for name, text in files.items()}
    problems = [f"{name}:1: this file is missing; copy it from the defaults" for name in FILES if name not in named]
    if problems:
        raise PolicyError(problems)
    policy, policy_data, lines = _model(PolicyModel, POLICY, named[POLICY], problems)
    read = {name: read_list(named[name], name) for name in LISTS}
    lists = {name: names for name, (names, _) in read.items()}
    problems += [problem for _, wrong in read.values() for problem in wrong]
    own = frozenset(filter(None, (a_label(domain) for domain in policy.settings.own_domains))) if policy else frozenset()
    chosen = policy.profile if policy else ()
    around = Surroundings(own, lists, located="au" in chosen, countersigned="small-practice" in chosen)
    register = read_register(named[DOMAINS], DOMAINS, problems, around, known)
    if policy is None or register is None:
        raise PolicyError(problems)
    rules = check_rules(policy, lines, POLICY, problems)
    _check_settings(policy, lines, problems)
    word_lists = read_word_lists(named, problems)
    devices = read_devices(named.get(DEVICES), DEVICES, named.get(PERSONAL_DEVICES), PERSONAL_DEVICES, problems)
    wrong = fault(policy.profile)
    if wrong is not None:
        problems.append(say(POLICY, lines, ("profile",), wrong))
    if problems:
        raise PolicyError(problems)
    profiles = in_force(policy.profile)
    return Policy(
        name=policy.name,
        rules=rules,
        register=register,
        settings=policy.settings,
        sender_groups={
            name: (tuple(a.lower() for a in group.addresses), tuple(a_label(d) or d for d in group.domains))
            for name, group in policy.sender_groups.items()
        },
        modes=_modes(policy),
        digest=_digest({"policy": policy_data, "register": register.digest, "extra": _extra(named)}),
        compiled=table(rules, profiles),
        checks=table(rules, profiles, again=True),
        machines={machine.address.lower(): machine.owner for machine in policy.settings.machines},
        words=word_lists,
        devices=devices,
        lines={name: _lines(named[name]) for name in EXTRA if name in named and name != DEVICES},
        profiles=profiles,
        domains_named=domains_named(rules),
        terms=Terms(
            sender_encrypted=policy.settings.sender_encrypted_to_approved == "deliver",
            emergency_recipients=policy.settings.emergency_recipients,
            child_review_days=policy.settings.child_consent_review,
            scope=policy.settings.scope,
            side=_side(policy, devices),
        ),
    )


def _side(policy: PolicyModel, devices: Devices) -> SideTerms:
    chosen = policy.settings
    domains = frozenset(domain.lower() for domain in chosen.referral.domains) if chosen.referral.then == "advice" else frozenset()
    return SideTerms(chosen.file_links.then, domains, chosen.devices, devices.count > 0)


def _lines(text: bytes) -> frozenset[str]:
    """What a list says, one word or phrase each, however it is laid out."""
    return frozenset(" ".join(line.partition("#")[0].split()) for line in text.decode("utf-8", "replace").splitlines()) - {""}


def _extra(named: Mapping[str, bytes]) -> dict[str, str]:
    """SHA-256 of each further file: another list of words may decide otherwise."""
    return {name: sha256(named[name]).hexdigest() for name in EXTRA if name in named}


Model = TypeVar("Model", bound=pydantic.BaseModel)


def _model(model: type[Model], file: str, text: bytes, problems: list[str]) -> tuple[Model | None, Any, Lines]:
    try:
        data, lines = parse(text, file)
    except YamlError as error:
        problems.extend(error.problems)
        return None, None, {}
    if not isinstance(data, dict) or not data:
        problems.append(f"{file}:1: the file is empty or no table of keys; an empty policy is no policy")
        return None, data, lines
    try:
        return model.model_validate(data), data, lines
    except pydantic.ValidationError as error:
        problems.extend(explain_validation(error, lines, file, model))
        return None, data, lines


def _modes(policy: PolicyModel) -> dict[str, Mode]:
    modes = {"default": Mode(policy.modes.default)}
    modes.update({f"group:{name}": Mode(mode) for name, mode in policy.modes.groups.items()})
    modes.update({f"domain:{a_label(name) or name}": Mode(mode) for name, mode in policy.modes.recipient_domains.items()})
    return modes


def _check_settings(policy: PolicyModel, lines: Lines, problems: list[str]) -> None:
    """What the models cannot see by themselves: names that must exist, and what enforce needs."""
    settings, modes = policy.settings, policy.modes
    problems += [say(POLICY, lines, path, what) for path, what in side_faults(policy)]
    for at, domain in enumerate(settings.own_domains):
        if a_label(domain) is None or "." not in domain:
            problems.append(say(POLICY, lines, ("settings", "own_domains", at), f'"{domain}" is not a domain name'))
    for at, machine in enumerate(settings.machines):
        for key, address in (("address", machine.address), ("owner", machine.owner)):
            if "@" not in address:
                problems.append(say(POLICY, lines, ("settings", "machines", at, key), f'"{address}" is not an email address'))
    groups = (*policy.sender_groups, "ungrouped")
    for name in modes.groups:
        if name not in groups:
            what = f'no sender group is called "{name}"; there are {", ".join(groups)}{nearest(name, groups)}'
            problems.append(say(POLICY, lines, ("modes", "groups", name), what))
    for name in modes.recipient_domains:
        if a_label(name) is None:
            problems.append(say(POLICY, lines, ("modes", "recipient_domains", name), "not a domain name"))
    enforcing: list[KeyPath] = [("modes", "default")] if modes.default == "enforce" else []
    enforcing += [("modes", "groups", name) for name, mode in modes.groups.items() if mode == "enforce"]
    enforcing += [("modes", "recipient_domains", name) for name, mode in modes.recipient_domains.items() if mode == "enforce"]
    if not enforcing:
        return
    if settings.on_call is None or not (settings.on_call.phone or settings.on_call.email):
        what = "enforce needs somebody to call when an urgent email is held; write settings: on_call: {name: ..., phone: ...}"
        problems.append(say(POLICY, lines, enforcing[0], what))


def _digest(content: object) -> str:
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, default=str, separators=(",", ":"))
    return sha256(text.encode()).hexdigest()
