"""A rule as it stood when it decided: from the version of the policy that was then in force, by its digest."""

from __future__ import annotations

from dataclasses import dataclass

from gateway.policyfolder.versions import Versions
from policies.load import DOMAINS, Policy, PolicyError, load_policy
from policies.trial.phrases import rule_lines

# The rules' words need no register: one with a hundred thousand domains is not read for them.
_NOBODY = b"domains:\n  - {domain: nobody.invalid, status: denied, class: denied, reason: stands for all}\n"


@dataclass(frozen=True, slots=True)
class RuleText:
    """A rule in plain words, where it comes from, and when it was last reviewed (ISO day)."""

    lines: tuple[str, ...]
    source: tuple[str, ...]
    reviewed: str


class RuleBook:
    """Rules of the versions that the gateway kept.  What cannot be found or read is None: the page says so."""

    def __init__(self, versions: Versions) -> None:
        self._versions = versions
        self._read: dict[str, Policy | None] = {}

    def rule(self, digest: str, rule: str) -> RuleText | None:
        """The rule ``rule`` of the policy with ``digest``."""
        policy = self._policy(digest) if digest else None
        for number, one in enumerate(policy.rules if policy else (), 1):
            if one.id == rule:
                return RuleText(tuple(rule_lines(number, one)), tuple(one.source), one.reviewed.isoformat())
        return None

    def _policy(self, digest: str) -> Policy | None:
        if digest not in self._read:
            self._read[digest] = self._load(digest)
        return self._read[digest]

    def _load(self, digest: str) -> Policy | None:
        try:
            files = {name.rpartition("/")[2]: text.encode() for name, text in self._versions.files(digest).items()}
            return load_policy({**files, DOMAINS: _NOBODY})
        except (LookupError, OSError, PolicyError):
            return None  # never kept here, erased, not readable for this user, or in words this program no longer knows
