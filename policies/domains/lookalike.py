"""Which approved domain an unknown one could be mistaken for: one or two letters off, look-alike characters, another ending."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from policies.domains.slips import slips

# Characters and pairs that look alike in common typefaces, folded to one form (after Unicode TS 39; the common ones only).
_FOLD: Final = str.maketrans(
    "01357|іїιɩı" + "аеорсухһԁӏјѕԛԝαορντκ" + "9-_",
    "olest" + "llllll" + "aeopcyxhdljsqwaopvtk" + "g  ",
)
_PAIRS: Final = (("rn", "m"), ("vv", "w"), ("cl", "d"), ("nn", "m"), ("ii", "u"))
_SHORTEST: Final = 5  # shorter names are too close to each other to compare freely
_SLIPPED: Final = 3  # and of these nothing can be said


def skeleton(name: str) -> str:
    """The name with look-alike characters, accents and hyphens folded away."""
    plain = "".join(char for char in unicodedata.normalize("NFKD", name.lower()) if not unicodedata.combining(char))
    folded = plain.translate(_FOLD).replace(" ", "").replace("i", "l")
    for pair, single in _PAIRS:
        folded = folded.replace(pair, single)
    return folded


def unicode_name(domain: str) -> str:
    """The domain as a reader sees it: A-labels decoded; one that cannot be decoded stays as it is."""
    labels = []
    for label in domain.split("."):
        try:
            labels.append(label[4:].encode("ascii").decode("punycode") if label.startswith("xn--") else label)
        except (UnicodeError, ValueError, IndexError, OverflowError):
            labels.append(label)
    return ".".join(labels)


def distance_within(first: str, second: str, most: int) -> bool:
    """True if at most ``most`` insertions, deletions, changes or swaps of neighbours make one of the other."""
    if abs(len(first) - len(second)) > most:
        return False
    before: list[int] = []
    row = list(range(len(second) + 1))
    for at, char in enumerate(first, 1):
        older, before, row = before, row, [at]
        for to, other in enumerate(second, 1):
            cost = min(before[to] + 1, row[to - 1] + 1, before[to - 1] + (char != other))
            if at > 1 and to > 1 and char == second[to - 2] and first[at - 2] == other:
                cost = min(cost, older[to - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return False
    return row[-1] <= most


class Lookalikes:
    """Index of approved domains.  Two edits leave one of three pieces of a name intact, so only few names are compared."""

    def __init__(self, domains: Iterable[str], split: Callable[[str], tuple[str, str]]) -> None:
        """``split`` gives (name, public ending) of a domain."""
        self._split = split
        self._domains: Iterable[str] | None = domains  # until the first question
        self._skeletons: dict[str, str] = {}
        self._pieces: dict[tuple[int, int, str], list[tuple[str, str]]] = {}
        self._all: set[str] = set()

    def ready(self) -> None:
        """Build the index, about a second for a hundred thousand domains; the first question does it otherwise."""
        domains, self._domains = self._domains or (), None
        for domain in domains:
            name, _ = self._split(domain)
            self._all.add(domain)
            if len(name) < _SHORTEST:
                continue
            self._skeletons.setdefault(skeleton(unicode_name(name)), domain)
            for number, (start, end) in enumerate(_thirds(len(name))):
                self._pieces.setdefault((len(name), number, name[start:end]), []).append((name, domain))

    def _worn(self, domain: str) -> str | None:
        """The approved domain that stands whole in front of another: partner.example.evil.example."""
        labels = domain.split(".")
        return next((front for at in range(len(labels) - 1, 1, -1) if (front := ".".join(labels[:at])) in self._all), None)

    def _short(self, name: str, ending: str) -> str | None:
        """Short names are close to each other: only a slip of the finger under the same ending counts."""
        if len(name) < _SLIPPED:
            return None
        wanted = (f"{slip}.{ending}" for slip in slips(name) if len(slip) == len(name))
        return next((domain for domain in wanted if domain in self._all), None)

    def find(self, domain: str) -> str | None:
        """The approved domain that ``domain`` resembles, or None.  The caller knows that it is none itself."""
        if self._domains is not None:
            self.ready()
        worn = self._worn(domain)
        if worn is not None:
            return worn
        name, ending = self._split(unicode_name(domain))
        if len(name) < _SHORTEST:
            return self._short(name, ending)
        same = self._skeletons.get(skeleton(name))
        if same is not None:
            return same
        most = 2 if len(name) >= 8 else 1
        for length in range(len(name) - most, len(name) + most + 1):
            for number, (start, end) in enumerate(_thirds(length)):
                for shift in range(-most, most + 1):
                    if start + shift < 0:
                        continue
                    for other, found in self._pieces.get((length, number, name[start + shift : end + shift]), ()):
                        if distance_within(name, other, most):
                            return found
        return None


def _thirds(length: int) -> tuple[tuple[int, int], ...]:
    a, b = length // 3, 2 * length // 3
    return (0, a), (a, b), (b, length)
