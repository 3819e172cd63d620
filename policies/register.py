"""The register of domains: what is known of a recipient's address.

Exact domain in A-label form; subdomains only where the entry says so.  Expired entries have 30 days' grace, then count as
unknown; suspended ones stop at once.  Freemail and public endings can never be approved (``policies.load`` refuses them).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from difflib import SequenceMatcher
from typing import Final

from policies.domains.compiled import Known
from policies.domains.lookalike import Lookalikes
from policies.model import DomainEntry, RecipientClass, RecipientFacts

GRACE: Final = timedelta(days=30)
_QUOTED_PAIR: Final = re.compile(r"\\(.)")
_LABEL: Final = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")


# Letters that IDNA 2003 (which Python speaks) and IDNA 2008 (which mail servers speak) take for different domains (RFC 5894 7.2).
_DEVIATIONS: Final = frozenset("\u00df\u1e9e\u03c2\u200c\u200d")
_SAME_LETTER: Final = str.maketrans({"\u00df": "ss", "\u1e9e": "ss", "\u03c2": "\u03c3", "\u200c": None, "\u200d": None})
_IGNORED: Final = re.compile("[\u2064\u200c\u200d\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0100-\U000e01ef]")  # UTS 46, 4
# A mail server that knows the domain for its own goes on reading these: a%b, b!a, "a@b" (Postfix: allow_percent_hack,
# swap_bangpath, resolve_dequoted_address; RFC 5321 4.1.2, RFC 1123 5.2.16).  Then the domain says nothing of where it goes.
_ROUTED: Final = frozenset("%!@")


def a_label(domain: str) -> str | None:
    """The domain in lower-case A-label form without a trailing dot (RFC 5890); None if it is no domain name."""
    domain = domain.strip().rstrip(".").lower()
    if not domain.isascii():
        if not _DEVIATIONS.isdisjoint(domain) or any(map(_stands_for_another, domain)):
            return None
        try:
            domain = domain.encode("idna").decode("ascii").lower().rstrip(".")
        except UnicodeError:
            return None
    if not domain or len(domain) > 253 or not all(_LABEL.fullmatch(label) for label in domain.split(".")):
        return None
    return domain


def _stands_for_another(char: str) -> bool:
    """A sign that IDNA 2003 (Unicode 3.2) does not know and that mail servers write as another, or leave out (UTS 46)."""
    changed = unicodedata.normalize("NFKC", char).lower() != char or _IGNORED.match(char) is not None
    return changed and unicodedata.ucd_3_2_0.category(char) == "Cn"


def readings(domain: str) -> Iterator[str]:
    """The A-labels that one mail server or another may make of a domain, also where ``a_label`` is not sure of it (UTS 46)."""
    newer = unicodedata.normalize("NFKC", domain.strip().lower()).lower()
    for reading in dict.fromkeys((domain, newer.translate(_SAME_LETTER), _IGNORED.sub("", newer))):
        if (label := a_label(reading)) is not None:
            yield label
    kept = _IGNORED.sub("", newer).rstrip(".")
    if not _DEVIATIONS.isdisjoint(kept):
        yield ".".join(part if part.isascii() else "xn--" + part.encode("punycode").decode() for part in kept.split("."))


def split_address(address: str) -> tuple[str, str]:
    """(local part, domain) at the last @; angle brackets and spaces round it are dropped."""
    local, _, domain = address.strip().strip("<>").rpartition("@")
    return local, domain


def plain_local(local: str) -> str:
    """The local part as it is compared: lower case, composed (RFC 6532 3.1), without quoting (no meaning: RFC 5321 4.1.2)."""
    if len(local) > 1 and local.startswith('"') and local.endswith('"'):
        local = _QUOTED_PAIR.sub(r"\1", local[1:-1])
    return unicodedata.normalize("NFC", local.lower())


def _without_tag(whole: str) -> str:
    name, _, domain = whole.rpartition("@")
    return f"{name.partition('+')[0]}@{domain}"


def parents(domain: str) -> Iterable[str]:
    """The domains above ``domain``, nearest first, the top-level one last."""
    while "." in domain:
        domain = domain.partition(".")[2]
        yield domain


def _resembles(local: str, sender: str) -> bool:
    """True if a private local part looks like the sender's own: jane.smith and janesmith82, jsmith, smith.jane."""
    first, second = _tokens(local), _tokens(sender)
    if not first or not second:
        return False
    joined, other = "".join(first), "".join(second)
    if joined == other or sorted(first) == sorted(second):
        return True
    given, family = second[0], second[-1]
    if len(second) > 1 and joined in {given[0] + family, given + family[0], family + given[0], family + given}:
        return True
    return min(len(joined), len(other)) >= 6 and SequenceMatcher(None, joined, other).ratio() >= 0.85


def _tokens(local: str) -> list[str]:
    return [token for token in re.split(r"[^a-z]+", local.lower().partition("+")[0]) if token]


@dataclass(frozen=True, slots=True)
class Register:
    """Everything known of domains and single addresses.  ``version`` names the content."""

    own: frozenset[str]
    domains: Mapping[str, DomainEntry]
    addresses: Mapping[str, DomainEntry] = field(default_factory=dict, repr=False)  # single entries, patients among them
    freemail: frozenset[str] = frozenset()
    denied: frozenset[str] = frozenset()  # domains and whole addresses
    suffixes: frozenset[str] = frozenset()
    version: str = ""  # the start of the digest
    digest: str = ""  # SHA-256 of what the register and the lists say
    lookalikes: Lookalikes | None = field(default=None, repr=False, compare=False)
    signatures: int = 2  # how many a domain needs before it counts as approved
    grace: timedelta = GRACE
    warn_days: tuple[int, ...] = (60, 30, 7)
    known: Known | None = field(default=None, repr=False, compare=False)  # hand it to the next ``load_policy``

    def match(self, address: str, *, sender: str = "", today: date) -> RecipientFacts:
        """What is known of ``address``.  Never raises: an address that is none is class D, standing ``invalid``."""
        local, written = split_address(address)
        domain = a_label(written)
        name = plain_local(local)
        if domain is None or not name:
            refused = next((one for one in readings(written) if name and self._refused(f"{name}@{one}", one)), None)
            if refused is not None:
                return RecipientFacts(RecipientClass.DENIED, refused, local=local, standing="denied")
            return RecipientFacts(RecipientClass.UNKNOWN, written.lower()[:253], local=local, standing="invalid")
        whole = f"{name}@{domain}"
        single, entry = self._single(whole, today), self._entry(domain)
        routed = not _ROUTED.isdisjoint(name)
        for known in (single, entry):
            if known is not None and known.cls is RecipientClass.ARCHIVE and not routed:
                return self._known(known, domain, local, today)
        if domain in self.own and not routed:
            return RecipientFacts(RecipientClass.OWN, domain, local=local, standing="approved")
        if self._refused(whole, domain) or (routed and self._leads_to_denied(name, today)):
            return RecipientFacts(RecipientClass.DENIED, domain, entry, local=local, standing="denied")
        if routed:
            return RecipientFacts(RecipientClass.UNKNOWN, domain, local=local, standing="invalid")
        if single is not None:
            return self._known(single, domain, local, today)
        if entry is not None:
            found = self._known(entry, domain, local, today)
            if found.cls is not RecipientClass.DENIED and not _mailbox(entry, name):
                return RecipientFacts(RecipientClass.UNKNOWN, domain, entry, local=local)
            return found
        if self._listed(self.freemail, domain):
            own_private = bool(sender) and _resembles(local, split_address(sender)[0])
            return RecipientFacts(RecipientClass.PRIVATE, domain, own_private=own_private, local=local)
        similar = self.lookalikes.find(domain) if self.lookalikes is not None else None
        return RecipientFacts(RecipientClass.UNKNOWN, domain, lookalike_of=similar, local=local)

    def listed_freemail(self, domain: str) -> bool:
        """Is the domain, or one above it, consumer mail?"""
        return self._listed(self.freemail, domain)

    def _entry(self, domain: str) -> DomainEntry | None:
        if (exact := self.domains.get(domain)) is not None:
            return exact
        for parent in parents(domain):
            entry = self.domains.get(parent)
            if entry is not None:
                return entry if entry.include_subdomains or entry.status == "denied" else None
        return None

    def _single(self, whole: str, today: date) -> DomainEntry | None:
        """The entry of this one address.  What is withheld from an address is withheld from its subaddresses (RFC 5233) too."""
        exact = self.addresses.get(whole)
        if exact is not None:
            return exact
        entry = self.addresses.get(_without_tag(whole))
        carries = entry is None or self._known(entry, "", "", today).standing in ("approved", "grace")
        return None if carries else entry

    def _refused(self, whole: str, domain: str) -> bool:
        entry = self._entry(domain)
        return self._denied(whole, domain) or (entry is not None and entry.status == "denied")

    def _leads_to_denied(self, name: str, today: date) -> bool:
        """Is any address that a mail server may read out of this local part a denied one?"""
        pieces = re.split("[%!@]", name)
        found = (self.match(f"{one}@{place}", today=today) for place in pieces if "." in place for one in pieces)
        return any(one.cls is RecipientClass.DENIED for one in found)

    def _denied(self, whole: str, domain: str) -> bool:
        return whole in self.denied or _without_tag(whole) in self.denied or self._listed(self.denied, domain)

    @staticmethod
    def _listed(names: frozenset[str], domain: str) -> bool:
        return domain in names or any(parent in names for parent in parents(domain))

    def _known(self, entry: DomainEntry, domain: str, local: str, today: date) -> RecipientFacts:
        """An entry as it stands today: its class, or unknown where it does not (or no longer) carry."""
        standing = stands(entry, today, self.grace)
        if standing in ("approved", "grace"):
            return RecipientFacts(entry.cls, domain, entry, local=local, standing=standing)
        cls = RecipientClass.DENIED if standing == "denied" else RecipientClass.UNKNOWN
        return RecipientFacts(cls, domain, entry, local=local, standing=standing)


def stands(entry: DomainEntry, today: date, grace: timedelta = GRACE) -> str:
    """proposed | approved | changed | grace | expired | suspended | denied: how an entry stands on a day."""
    if entry.status != "approved":
        return entry.status
    if entry.countersign_by is not None and today > entry.countersign_by:
        return "proposed"  # the second signature did not come
    if entry.expires is None or today <= entry.expires:
        return "approved"
    if entry.cls is RecipientClass.PATIENT:
        return "expired"  # an old private address may be another's by now
    return "grace" if today <= entry.expires + grace else "expired"


def _mailbox(entry: DomainEntry, name: str) -> bool:
    """May this mailbox of the domain get pictures?  Subaddresses (RFC 5233) count as their mailbox."""
    if not entry.allow and not entry.deny:
        return True
    words = {f"{name}@", f"{name.partition('+')[0]}@"}
    return words.isdisjoint(entry.deny) and (not entry.allow or not words.isdisjoint(entry.allow))


def public_suffix(domain: str, suffixes: frozenset[str]) -> str:
    """The public ending of ``domain`` ("nhs.uk"), which may be the domain itself; the last label where none is listed.

    Rules of the public suffix list: the longest name wins, ``*.ck`` stands for any one label, ``!www.ck`` is an exception.
    """
    candidate = domain
    while "." in candidate:
        parent = candidate.partition(".")[2]
        if f"!{candidate}" in suffixes:
            return parent
        if candidate in suffixes or f"*.{parent}" in suffixes:
            return candidate
        candidate = parent
    return candidate


def public_ending(domain: str, suffixes: frozenset[str]) -> tuple[str, str]:
    """(name before the public ending, ending): ("royal-example", "nhs.uk")."""
    ending = public_suffix(domain, suffixes)
    if ending == domain:
        ending = domain.rpartition(".")[2]
    return domain[: -len(ending) - 1], ending
