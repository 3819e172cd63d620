"""The words of the filters: findings, scrubbed results, opaque parts, and the Protocol every format fits."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol


class Fate(StrEnum):
    REMOVED = "removed"
    KEPT = "kept"  # needed to display the picture as it was: colour profile, orientation
    STUCK = "stuck"  # identified, but this filter cannot remove it


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing seen in a file: a code of ``filters.catalogue``, where it stood, and what became of it."""

    code: str  # exif.gps, jpeg.trailer, png.text ...
    where: str  # structural place only ("APP1@2", "tEXt@61"); never a value
    fate: Fate


@dataclass(frozen=True, slots=True)
class Scrubbed:
    """A scrubbed file.  ``data`` is the very same object as the input when nothing had to change."""

    data: bytes = field(repr=False)
    findings: tuple[Finding, ...] = ()


class OpaqueReason(StrEnum):
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    LIMIT = "limit"
    NOT_SUPPORTED = "image-not-supported"
    UNKNOWN = "unknown-type"


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the bytes of a leaf are, whatever its label says.

    ``format`` is the scrubber's name ("jpeg", "png"), a recognised but unopened format ("heic", "pdf", "zip" ...),
    "text", or "" when unknown.  Exactly one holds: ``scrubber`` (we can clean it), ``opaque`` (we cannot look inside,
    with the reason) or ``harmless`` (positively cannot carry a picture).
    """

    format: str
    scrubber: bool = False
    opaque: OpaqueReason | None = None
    harmless: bool = False
    codes: frozenset[str] = frozenset()  # e.g. sniff.polyglot


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """Facts about one image, read before anything is stripped.  Values never leave this process by repr or log."""

    width: int
    height: int
    bits: int  # per sample
    frames: int = 1
    orientation: int = 1  # EXIF 1-8
    codes: frozenset[str] = frozenset()  # exif.gps, exif.make, exif.serial, exif.thumbnail, text.nhs-number ...
    colours: int = 0  # distinct colours when cheaply known (palette), else 0
    make: str = field(default="", repr=False)
    model: str = field(default="", repr=False)
    serial: str = field(default="", repr=False)
    taken: str = field(default="", repr=False)


class FilterError(Exception):
    """A filter could not do its work.  The text names structure only, never content."""

    reason = OpaqueReason.CORRUPT


class Malformed(FilterError):
    """Truncated, lying or damaged: two programs might show different pictures."""

    reason = OpaqueReason.CORRUPT


class Unsupported(FilterError):
    reason = OpaqueReason.NOT_SUPPORTED


class TooBig(FilterError):
    reason = OpaqueReason.LIMIT


class Scrubber(Protocol):
    """One image format: one module under filters/, one line in ``filters.registry.SCRUBBERS``."""

    name: str

    def recognises(self, data: bytes) -> bool:
        """True if the first bytes are this format's signature."""
        ...

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the image.  Raises FilterError."""
        ...

    def scrub(self, data: bytes) -> Scrubbed:
        """Lossless: pixels bit-identical, ICC (text removed) and orientation kept.  Raises FilterError."""
        ...

    def residue(self, data: bytes) -> tuple[Finding, ...]:
        """What identifying or non-display data still stands in a scrubbed file; () when clean.  Used by the exit check."""
        ...
