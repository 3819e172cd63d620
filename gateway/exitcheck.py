"""Step 10: the finished, signed bytes are parsed again before they leave (P2).

Only this module makes a ``Cleared``, and delivery takes nothing else but a ``Cleared`` or, in observe and advise mode, an
``Original``, which ``enforce`` cannot produce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum
from hashlib import sha256
from typing import Final

from filters.api import Budget
from filters.tree import Node, Tools, examine, leftover
from gateway.encryption.recipients import recipients_of
from gateway.message import Message, Undecodable, decode, parse
from gateway.mime.codes import AMBIGUOUS
from gateway.opening.leaves import label
from policies.model import Mode

_SEAL: Final = object()  # held by this module alone: no other module can construct a Cleared or an Original


PLAIN: Final = Tools()


class Clearance(StrEnum):
    """Why one leaf may leave."""

    SCRUBBED = "scrubbed"
    DECORATIVE = "decorative"
    ALLOWED = "allowed-by-rule"
    RELEASED = "accepted-by-release"


@dataclass(frozen=True, slots=True)
class Ciphertext:
    """What a protection method declared about its output: for whom, and made from which cleared bytes."""

    sha256: str  # of the decoded ciphertext leaf
    recipients: tuple[str, ...]  # issuer and serial of the one recipient certificate
    inner_sha256: str  # of the cleared message that was encrypted


@dataclass(frozen=True, slots=True)
class Manifest:
    """What may stand in the finished message: hex SHA-256 of every decoded leaf, with the reason it may leave."""

    leaves: Mapping[str, Clearance]
    accepted: frozenset[str] = frozenset()  # MIME codes a rule or a release accepted
    ciphertext: Ciphertext | None = None
    within: Mapping[str, Clearance] = field(default_factory=dict)  # what may stand in containers that were rebuilt
    unread: bool = False  # a release let a container go that could not be looked into as a whole


class Leak(Exception):
    """The finished message holds something the decision did not clear.  ``code`` names it; the text holds no content."""

    def __init__(self, code: str, part: str = "") -> None:
        super().__init__(f"{code} at part {part}" if part else code)
        self.code = code


class _Guarded:
    """Bytes and the word that they may leave.  Neither can be changed, and neither can be taken to other bytes or processes."""

    __slots__ = ("_data",)
    _data: bytes

    def __init__(self, data: bytes, seal: object) -> None:
        if seal is not _SEAL or type(data) is not bytes:
            raise TypeError("only gateway.exitcheck makes these, from bytes")
        object.__setattr__(self, "_data", data)

    @property
    def data(self) -> bytes:
        return self._data

    def __setattr__(self, name: str, value: object) -> None:
        raise TypeError("what was cleared stays as it is")

    def __delattr__(self, name: str) -> None:
        raise TypeError("what was cleared stays as it is")

    def __reduce_ex__(self, protocol: object) -> str:
        raise TypeError("what was cleared is not copied")

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {len(self.data)} bytes>"


class Cleared(_Guarded):
    """Bytes that passed the exit check."""

    __slots__ = ()


class Original(_Guarded):
    """Bytes that leave unchecked because the recipient's mode is observe or advise."""

    __slots__ = ()


def fingerprint(cleared: Cleared) -> str:
    """What a ciphertext declares of the cleared message it was made from (hex SHA-256)."""
    return sha256(cleared.data).hexdigest()


def original(data: bytes, mode: Mode) -> Original:
    """The way out of observe and advise.  Raises TypeError in enforce: there only ``check`` opens the door."""
    if mode is Mode.ENFORCE:
        raise TypeError("enforce sends nothing that the exit check has not cleared")
    return Original(data, _SEAL)


def check(
    data: bytes, manifest: Manifest, inner: Cleared | None = None, tools: Tools = PLAIN, budget: Budget | None = None
) -> Cleared:
    """Parse ``data`` again and hold it against ``manifest``.

    ``tools`` and the limits of ``budget`` are those the message was opened with; ``inner`` is the cleared message a ciphertext
    was made from.  Raises Leak.
    """
    message = parse(data)
    ambiguous = (message.codes & AMBIGUOUS) - manifest.accepted
    if ambiguous:
        raise Leak(min(ambiguous))
    if manifest.ciphertext is not None:
        _check_ciphertext(message, manifest.ciphertext, inner)
    else:
        _check_leaves(message, manifest, tools, budget or Budget())
    return Cleared(data, _SEAL)


def adopt(data: bytes, kind: str) -> Cleared | Original:
    """Take over what a compute process of ours cleared; ``kind`` is the class name it reported.

    The compute process runs ``check`` itself; the bytes come back over a private descriptor.  Raises ValueError.
    """
    if kind == Cleared.__name__:
        return Cleared(data, _SEAL)
    if kind == Original.__name__:
        return Original(data, _SEAL)
    raise ValueError("a compute process answered nonsense")


def _check_leaves(message: Message, manifest: Manifest, tools: Tools, budget: Budget) -> None:
    cleared = replace(tools, judge=lambda node, data: _decorative(node, manifest), look=None, likeness=None)
    for part in message.leaves():
        try:
            body = decode(message, part)
        except Undecodable as error:
            if error.code in manifest.accepted:
                body = message.raw[part.body[0] : part.body[1]]
            else:
                raise Leak(error.code, part.path) from None
        clearance = manifest.leaves.get(sha256(body).hexdigest())
        if clearance is None:
            raise Leak("exit.unknown-leaf", part.path)
        if clearance is Clearance.SCRUBBED:
            _check_cleaned(body, examine(body, cleared, budget, label(part, body)), part.path, manifest, tools)


def _decorative(node: Node, manifest: Manifest) -> str | None:
    """Only what the decision took for decoration is decoration."""
    clearance = manifest.within.get(node.sha256)
    return clearance.value if clearance is Clearance.DECORATIVE else None


def _check_cleaned(body: bytes, node: Node, path: str, manifest: Manifest, tools: Tools) -> None:
    """A cleaned leaf: nothing is left in it, and everything in it is known."""
    if node.info is None and node.sniffed.format not in tools.openers:
        raise Leak("exit.not-an-image", path)
    for one in node.walk():
        if one.children or not one.where:
            if one.opaque is not None and not manifest.unread:
                raise Leak("exit.not-opened", path)
            continue  # known by what is in it
        clearance = manifest.within.get(one.sha256)
        if clearance is None:
            raise Leak("exit.unknown-member", path)
        if one.clinical and not one.clean and clearance is Clearance.SCRUBBED:
            raise Leak("exit.residue", path)
    if leftover(body, node, tools):
        raise Leak("exit.residue", path)


def _check_ciphertext(message: Message, declared: Ciphertext, inner: Cleared | None) -> None:
    leaves = list(message.leaves())
    if len(message.parts) != 1 or len(leaves) != 1 or leaves[0].content_type != "application/pkcs7-mime":
        raise Leak("exit.not-only-ciphertext")  # a multipart around it has room for words outside its parts
    if inner is None or fingerprint(inner) != declared.inner_sha256:
        raise Leak("exit.ciphertext-of-other-bytes")
    try:
        body = decode(message, leaves[0])
    except Undecodable as error:
        raise Leak(error.code) from None
    if sha256(body).hexdigest() != declared.sha256:
        raise Leak("exit.unknown-leaf")
    if tuple(recipients_of(body)) != declared.recipients or len(declared.recipients) != 1:
        raise Leak("exit.other-recipient")
