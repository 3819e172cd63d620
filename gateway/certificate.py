"""Cleaning one file by hand, and its certificate: what stood in it, what was removed, and that the pictures are the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from filters.api import FilterError, OpaqueReason
from filters.budget import Budget, Limits
from filters.registry import OPENERS
from filters.tree import READ_ONLY, SIGNED, Label, Node, Tools, changes, clean, examine
from gateway.opening import attached
from gateway.sandbox import Sandbox, pixels, sandboxed

SECONDS = 120.0  # of one file: nobody waits for a reply to a mail


@dataclass(frozen=True, slots=True)
class Certificate:
    """``refused``: why nothing was written, "" otherwise.  ``pictures``: one row for each, by its place in the file."""

    format: str
    before: str  # SHA-256
    after: str
    removed: tuple[tuple[str, str], ...]  # (place of the file inside the file, code)
    pictures: tuple[dict[str, str], ...]
    refused: str = ""

    def rows(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "format": self.format,
            "sha256_before": self.before,
            "sha256_after": self.after,
            "removed": [{"where": where, "code": code} for where, code in self.removed],
            "pictures": list(self.pictures),
            "refused": self.refused,
        }


@dataclass(frozen=True, slots=True)
class Done:
    data: bytes = field(repr=False)
    certificate: Certificate


class Workbench:
    """Everything that can be opened and cleaned, with a sandbox of its own; ``close`` ends that."""

    def __init__(self, limits: Limits = Limits()) -> None:  # noqa: B008 - frozen value
        self._sandbox = Sandbox(2_000_000_000, SECONDS)
        self._tools = sandboxed(Tools(openers={**OPENERS, **attached.OPENERS}, thorough=True), self._sandbox)
        self._limits = limits

    def close(self) -> None:
        self._sandbox.close()

    def clean(self, data: bytes, name: str) -> Done:
        """Never raises a FilterError: what cannot be cleaned is refused in the certificate, and ``data`` comes back as it was."""
        label = Label(name)
        node = examine(data, self._tools, Budget(self._limits), label)
        refused = _refusal(node)
        if refused:
            return Done(data, _certificate(node, data, data, (), (), refused))
        try:
            made = clean(data, node, self._tools, Budget(self._limits))
        except FilterError as error:
            return Done(data, _certificate(node, data, data, (), (), f"{error.reason.value} ({error})"))
        after = examine(made.data, self._tools, Budget(self._limits), label)
        if changes(after, thorough=True) and made.data is not data and not _is_picture(after):
            return Done(data, _certificate(node, data, data, (), (), "something was left in it"))
        pictures = self._compared(data, node, made.data, after)
        if any(row["pixels"] == "different" for row in pictures):
            return Done(data, _certificate(node, data, data, (), pictures, "the pictures would not be the same"))
        removed = tuple((where, finding.code) for where, finding in made.removed)
        return Done(made.data, _certificate(node, data, made.data, removed, pictures))

    def _compared(self, before: bytes, node: Node, after: bytes, again: Node) -> tuple[dict[str, str], ...]:
        old, new = dict(self._pictures(before, node)), dict(self._pictures(after, again))
        rows = []
        for where, (one, data) in old.items():
            same = self._same(data, new[where][1]) if where in new else "gone"
            rows.append({"where": where, "format": one.sniffed.format, "pixels": same})
        return tuple(rows)

    def _same(self, before: bytes, after: bytes) -> str:
        if before == after:
            return "identical"
        try:
            return "identical" if pixels(self._sandbox, before) == pixels(self._sandbox, after) else "different"
        except FilterError:
            return "coded data copied"  # by construction: nothing here decodes it

    def _pictures(self, data: bytes, node: Node) -> list[tuple[str, tuple[Node, bytes]]]:
        if not node.children:
            return [(node.where, (node, data))] if node.info is not None else []
        found: list[tuple[str, tuple[Node, bytes]]] = []
        children = {child.key: child for child in node.children}
        for seen in self._tools.openers[node.sniffed.format].open(data, Budget(self._limits), self._tools.cleaning):
            child = children.get(getattr(seen, "key", ""))
            if child is not None:
                found += self._pictures(getattr(seen, "data", b""), child)
        return found


def _is_picture(node: Node) -> bool:
    return node.info is not None and not node.children


def _refusal(node: Node) -> str:
    """Why this file cannot be cleaned, "" when it can."""
    for one in node.walk():
        if one.opaque is not None:
            place = f" at {one.where}" if one.where else ""
            if one.opaque is OpaqueReason.UNKNOWN and one.where:
                continue  # beside the pictures, as it was
            why = next((code for code in (READ_ONLY, SIGNED) if code in one.codes), one.opaque.value)
            return f"{why}{place}: {one.sniffed.format or 'unknown type'}"
        if one.fixed and changes(one, thorough=True):
            return f"{one.fixed}: {one.sniffed.format}"
    return ""


def _certificate(
    node: Node,
    before: bytes,
    after: bytes,
    removed: tuple[tuple[str, str], ...],
    pictures: tuple[dict[str, str], ...],
    refused: str = "",
) -> Certificate:
    new = node.sha256 if after is before else sha256(after).hexdigest()
    return Certificate(node.sniffed.format or "unknown", node.sha256, new, removed, pictures, refused)
