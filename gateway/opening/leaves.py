"""Steps 3 and 4: open every leaf by its bytes and inspect what is found.  Not checked is a value, never an absence."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from filters.api import Budget, ImageInfo, Nature, OpaqueReason, Sniffed
from filters.decorative import ICON, DecorativeSettings, decorative, unopened
from filters.tree import Label, Node, Tools, examine, undecorated
from gateway.message import Message, Part, Undecodable, decode
from gateway.mime.words import to_text
from policies.model import Kind


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture or unreadable thing of the message: a leaf itself, or what stands inside one."""

    path: str  # "1.2"; "1.2/3/1" inside containers
    node: Node
    name: str = field(default="", repr=False)
    inside: tuple[str, ...] = field(default=(), repr=False)  # names of the containers it stands in

    @property
    def kind(self) -> Kind:
        """The image kind by evidence alone; what a statement declares is the policy's business."""
        node = self.node
        if node.opaque is not None:
            return Kind.UNREADABLE
        if not node.clinical or node.info is None:
            return Kind.NONE
        if node.codes & _PAGES:
            return Kind.DOCUMENT
        return _KINDS.get(node.info.nature, Kind.IDENTIFIABLE_PHOTO)

    @property
    def sealed(self) -> bool:
        """Encrypted: its sender may be asked what is in it, and that answer is kept as one about a picture is."""
        return self.node.opaque is OpaqueReason.ENCRYPTED


_PAGES: Final = frozenset(("image.bilevel-page", "image.page"))
_KINDS: Final = {Nature.RADIOLOGY: Kind.ROUTINE_IMAGING, Nature.PAGE: Kind.DOCUMENT}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of the message: its bytes, and what was seen in them at every depth."""

    part: Part
    body: bytes = field(repr=False)
    node: Node

    @property
    def sha256(self) -> str:
        return self.node.sha256

    @property
    def sniffed(self) -> Sniffed:
        return self.node.sniffed

    @property
    def opaque(self) -> OpaqueReason | None:
        return self.node.opaque

    @property
    def info(self) -> ImageInfo | None:
        return self.node.info

    @property
    def decorative(self) -> str | None:
        return self.node.decorative

    @property
    def codes(self) -> frozenset[str]:
        """Of the leaf and of everything in it."""
        return frozenset[str]().union(*(node.codes for node in self.node.walk()))

    @property
    def clinical(self) -> bool:
        """It is or holds a picture that can be scrubbed and is not positively known to be decorative."""
        return self.node.holds_clinical

    @property
    def inline(self) -> bool:
        """Shown inside the text, as signature logos are."""
        return _inline(self.part)

    @property
    def pictures(self) -> tuple[Picture, ...]:
        """The leaf itself and everything in it that a decision may depend on."""
        names = {node.where: (node.label.name if node.where else self.part.name) or "" for node in self.node.walk()}
        return tuple(
            Picture(
                f"{self.part.path}/{node.where}".rstrip("/"),
                node,
                names[node.where],
                tuple(name for where in _above(node.where) if (name := names[where])),
            )
            for node in self.node.walk()
        )


def _above(where: str) -> list[str]:
    """Places of the containers around ``where``, the innermost first: "2/1/4" stands in "2/1", "2" and ""."""
    found = []
    while where:
        where = where.rpartition("/")[0]
        found.append(where)
    return found


@dataclass(frozen=True, slots=True)
class Decoration:
    """What makes an image decorative here: numbers, known logos, and whether this sender sent it inline before."""

    settings: DecorativeSettings
    known_logos: frozenset[str]
    seen_inline: Callable[[str], bool | None]

    def judge(self, node: Node, data: bytes) -> str | None:
        """Why ``node`` is decoration, None when it is not known to be."""
        if node.info is None:
            refused = node.opaque in (OpaqueReason.NOT_SUPPORTED, OpaqueReason.CORRUPT) and not node.sniffed.codes
            return unopened(node.sha256, node.size, known_logos=self.known_logos) if refused else None
        return decorative(
            node.info,
            data,
            node.sha256,
            inline=node.label.inline,
            known_logos=self.known_logos,
            seen_inline_before=self.seen_inline(node.sha256),
            settings=self.settings,
            look=node.look,
        )


def open_leaves(
    message: Message, tools: Tools, budget: Budget, decoration: Decoration, accepted: Collection[str] = ()
) -> tuple[Leaf, ...]:
    """Every leaf, decoded strictly, sniffed and inspected.  ``accepted`` are codes a release let pass."""
    tools = replace(tools, judge=decoration.judge)
    leaves = tuple(_open(message, part, tools, budget, accepted) for part in message.leaves())
    icons = {node.sha256 for leaf in leaves for node in leaf.node.walk() if node.decorative == ICON}
    if len(icons) <= decoration.settings.icons_most:
        return leaves
    return tuple(replace(leaf, node=undecorated(leaf.node, ICON)) for leaf in leaves)


def _open(message: Message, part: Part, tools: Tools, budget: Budget, accepted: Collection[str]) -> Leaf:
    try:
        body = decode(message, part)
    except Undecodable as error:
        body = message.raw[part.body[0] : part.body[1]]
        reason = None if error.code in accepted else OpaqueReason.CORRUPT
        codes = part.codes | {error.code}
        return Leaf(part, body, Node("", "", sha256(body).hexdigest(), Sniffed(""), len(body), opaque=reason, codes=codes))
    return Leaf(part, body, examine(body, tools, budget, label(part, body)))


def label(part: Part, body: bytes) -> Label:
    """How the message presents ``body``, the decoded body of ``part``."""
    mail = part.codes & {"mime.attached-message", "mime.encoded-message"}
    return Label(
        part.name or "", "message/rfc822" if mail else part.content_type, _inline(part), part.codes, _transcoded(body, part)
    )


def _transcoded(body: bytes, part: Part) -> bytes | None:
    """A text in UTF-16 or UTF-32 without a mark, as its label says and mail programs read it; None when that changes nothing."""
    charset = part.params.get("charset", "") if part.content_type.startswith("text/") else ""
    return to_text(body, charset).encode("utf-8", "replace") if _WIDE.fullmatch(charset) else None


_WIDE: Final = re.compile(r"(?i)\s*(?:cs)?(?:unicode|(?:utf|ucs|iso-10646-ucs)[-_]?(?:2|4|16|32)(?:[-_]?[bl]e)?)\s*")


def _inline(part: Part) -> bool:
    return part.content_id is not None and part.disposition != "attachment"
