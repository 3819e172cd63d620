"""Open, rebuild and clean a PDF by itself, for the tests of its opener."""

from __future__ import annotations

from collections.abc import Callable

from filters import tree
from filters.api import STRICT, Budget, Cleaning, Fate, Finding, Member, Seen
from filters.pdf.opener import PDF
from tests.support.canaries import METADATA


def seen(data: bytes, cleaning: Cleaning = STRICT) -> list[Seen]:
    """Everything that stands in a document."""
    return list(PDF.open(data, Budget(), cleaning))


def members(data: bytes) -> dict[str, Member]:
    """Key -> picture or file in a document."""
    return {one.key: one for one in seen(data) if isinstance(one, Member)}


def removed(data: bytes, cleaning: Cleaning = STRICT) -> set[str]:
    """Codes of what a rebuild would remove."""
    return {one.code for one in seen(data, cleaning) if isinstance(one, Finding) and one.fate is Fate.REMOVED}


def codes(data: bytes) -> set[str]:
    """Codes of everything that is no member."""
    return {one.code for one in seen(data) if not isinstance(one, Member)}


def rebuilt(data: bytes, changes: dict[str, bytes] | None = None, names: dict[str, str] | None = None) -> bytes:
    """The document without what is hidden, with these members changed and renamed."""
    return PDF.rebuild(data, changes or {}, names or {}, Budget())


def cleaned(data: bytes) -> bytes:
    """The document with its pictures scrubbed and itself cleaned."""
    tools = tree.Tools()
    return tree.clean(data, tree.examine(data, tools, Budget()), tools, Budget()).data


def placer() -> Callable[[str], str]:
    """A canary word for each place."""
    return lambda what: f"{METADATA}{what.replace(' ', '-')}"
