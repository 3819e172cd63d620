"""Steps 3 and 4: open every leaf by its bytes and inspect what is found.  Not checked is a value, never an absence."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from hashlib import sha256

from filters.api import FilterError, ImageInfo, OpaqueReason, Sniffed
from filters.decorative import DecorativeSettings, decorative
from filters.registry import SCRUBBERS
from filters.sniff import sniff
from filters.text import embedded
from filters.wording import PLAIN
from gateway.message import Message, Part, Undecodable, decode
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
    return tuple(_open(message, part, decoration, accepted) for part in message.leaves())


def _open(message: Message, part: Part, decoration: Decoration, accepted: Collection[str]) -> Leaf:
    try:
        body = decode(message, part)
    except Undecodable as error:
        body = message.raw[part.body[0] : part.body[1]]
        reason = None if error.code in accepted else OpaqueReason.CORRUPT
        return Leaf(part, body, sha256(body).hexdigest(), Sniffed(""), reason, codes=part.codes | {error.code})
    digest = sha256(body).hexdigest()
    sniffed = sniff(body)
    codes = part.codes | sniffed.codes
    if sniffed.scrubber:
        return _inspect(part, body, digest, sniffed, codes, decoration)
    if sniffed.opaque is not None:
        # Called a picture and none that we know: a program that trusts the label may still show something.
        damaged = sniffed.opaque is OpaqueReason.UNKNOWN and part.content_type.startswith("image/")
        return Leaf(part, body, digest, sniffed, OpaqueReason.CORRUPT if damaged else sniffed.opaque, codes=codes)
    if sniffed.format not in PLAIN:
        return Leaf(part, body, digest, sniffed, codes=codes)
    hidden = embedded(body, html=sniffed.format == "html" or part.content_type == "text/html")
    reasons = [OpaqueReason(one.opaque) for one in hidden if one.opaque]
    return Leaf(part, body, digest, sniffed, reasons[0] if reasons else None, codes=codes | {one.code for one in hidden})


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
