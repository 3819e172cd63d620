"""Steps 3 and 4: open every leaf by its bytes and inspect what is found.  Not checked is a value, never an absence."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Final

from filters.api import FilterError, ImageInfo, OpaqueReason, Sniffed
from filters.decorative import ICON, DecorativeSettings, decorative, unopened
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from filters.text import embedded
from gateway.message import Message, Part, Undecodable, decode
from gateway.mime.words import to_text
from policies.model import Kind


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf of the message: what its bytes are and what was seen in them."""

    part: Part
    body: bytes = field(repr=False)
    sha256: str
    sniffed: Sniffed
    opaque: OpaqueReason | None = None
    info: ImageInfo | None = None
    decorative: str | None = None
    codes: frozenset[str] = frozenset()

    @property
    def clinical(self) -> bool:
        """An image that can be scrubbed and is not positively known to be decorative."""
        return self.info is not None and self.opaque is None and self.decorative is None

    @property
    def sealed(self) -> bool:
        """Encrypted: its sender may be asked what is in it, and that answer is kept as one about a picture is."""
        return self.opaque is OpaqueReason.ENCRYPTED

    @property
    def inline(self) -> bool:
        """Shown inside the text, as signature logos are."""
        return self.part.content_id is not None and self.part.disposition != "attachment"

    @property
    def kind(self) -> Kind:
        """The image kind by evidence alone; what a statement declares is the policy's business."""
        if self.opaque is not None:
            return Kind.UNREADABLE
        if not self.clinical:
            return Kind.NONE
        return Kind.DOCUMENT if "image.bilevel-page" in self.codes else Kind.IDENTIFIABLE_PHOTO


@dataclass(frozen=True, slots=True)
class Decoration:
    """What makes an image decorative here: numbers, known logos, and whether this sender sent it inline before."""

    settings: DecorativeSettings
    known_logos: frozenset[str]
    seen_inline: Callable[[str], bool | None]


def open_leaves(message: Message, decoration: Decoration, accepted: Collection[str] = ()) -> tuple[Leaf, ...]:
    """Every leaf, decoded strictly, sniffed and inspected.  ``accepted`` are codes a release let pass."""
    leaves = tuple(_open(message, part, decoration, accepted) for part in message.leaves())
    icons = {leaf.sha256 for leaf in leaves if leaf.decorative == ICON}
    if len(icons) <= decoration.settings.icons_most:
        return leaves
    return tuple(_no_icon(leaf) if leaf.decorative == ICON else leaf for leaf in leaves)


def _no_icon(leaf: Leaf) -> Leaf:
    """One of too many: a picture like any other."""
    return replace(leaf, decorative=None, opaque=OpaqueReason.NOT_SUPPORTED if leaf.info is None else None)


def _open(message: Message, part: Part, decoration: Decoration, accepted: Collection[str]) -> Leaf:
    try:
        body = decode(message, part)
    except Undecodable as error:
        body = message.raw[part.body[0] : part.body[1]]
        reason = None if error.code in accepted else OpaqueReason.CORRUPT
        return Leaf(part, body, sha256(body).hexdigest(), Sniffed(""), reason, codes=part.codes | {error.code})
    digest = sha256(body).hexdigest()
    sniffed = sniff(body)
    if sniffed.format in SCRUBBERS:
        return _inspect(part, body, digest, sniffed, part.codes | sniffed.codes, decoration)
    text = _transcoded(body, part)
    if text is not body and sniffed.opaque is OpaqueReason.UNKNOWN:
        sniffed = sniff(text)
    codes = part.codes | sniffed.codes
    if sniffed.opaque is OpaqueReason.NOT_SUPPORTED and not sniffed.codes:
        why = unopened(body, digest, known_logos=decoration.known_logos, settings=decoration.settings)
        if why is not None:
            return Leaf(part, body, digest, sniffed, decorative=why, codes=codes)
    if sniffed.opaque not in (None, OpaqueReason.UNKNOWN, OpaqueReason.ENCRYPTED):
        return Leaf(part, body, digest, sniffed, sniffed.opaque, codes=codes)
    # Whatever the first bytes say: a program that trusts the label, or skips what it does not know, may show what stands behind.
    hidden = embedded(text, html=_is_page(part, sniffed))
    reasons = {OpaqueReason(one.opaque) for one in hidden if one.opaque} | ({sniffed.opaque} if sniffed.opaque else set())
    if OpaqueReason.UNKNOWN in reasons and part.content_type.startswith("image/"):
        reasons.add(OpaqueReason.CORRUPT)  # called a picture and none that we know
    strictest = next((reason for reason in _STRICTNESS if reason in reasons), None)
    return Leaf(part, body, digest, sniffed, strictest, codes=codes | {one.code for one in hidden})


# No rule lets the first three go; an encrypted part may go when the sender says that no patient's picture is in it.
_STRICTNESS: Final = (
    OpaqueReason.NOT_SUPPORTED,
    OpaqueReason.CORRUPT,
    OpaqueReason.LIMIT,
    OpaqueReason.ENCRYPTED,
    OpaqueReason.UNKNOWN,
)
_PAGES: Final = (".htm", ".html", ".xhtml", ".xht", ".shtml", ".hta", ".svg", ".xml", ".mht")


def _is_page(part: Part, sniffed: Sniffed) -> bool:
    named = (part.name or "").lower().endswith(_PAGES)
    return named or sniffed.format == "html" or "html" in part.content_type


def _transcoded(body: bytes, part: Part) -> bytes:
    """A text in UTF-16 or UTF-32 without a mark, as its label says and mail programs read it; else the very same object."""
    charset = part.params.get("charset", "") if part.content_type.startswith("text/") else ""
    if not _WIDE.fullmatch(charset):
        return body
    return to_text(body, charset).encode("utf-8", "replace")


_WIDE: Final = re.compile(r"(?i)\s*(?:cs)?(?:unicode|(?:utf|ucs|iso-10646-ucs)[-_]?(?:2|4|16|32)(?:[-_]?[bl]e)?)\s*")


def _inspect(part: Part, body: bytes, digest: str, sniffed: Sniffed, codes: frozenset[str], decoration: Decoration) -> Leaf:
    try:
        info = SCRUBBERS[sniffed.format].inspect(body)
    except FilterError as error:
        return Leaf(part, body, digest, sniffed, error.reason, codes=codes)
    why = decorative(
        info,
        body,
        digest,
        inline=_inline(part),
        known_logos=decoration.known_logos,
        seen_inline_before=decoration.seen_inline(digest),
        settings=decoration.settings,
    )
    return Leaf(part, body, digest, sniffed, None, info, why, codes | info.codes)


def _inline(part: Part) -> bool:
    return part.content_id is not None and part.disposition != "attachment"
