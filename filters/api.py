"""The words of the filters: what a file is, what stands in it, and the two Protocols every format fits.

A ``Scrubber`` cleans one kind of picture.  An ``Opener`` yields what stands inside a container and puts cleaned members back.
``filters.tree`` walks both, one inside the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from filters.budget import Budget
from filters.errors import Encrypted, FilterError, Malformed, OpaqueReason, TooBig, Unsupported

__all__ = [
    "STRICT",
    "Blocked",
    "Budget",
    "Cleaning",
    "Encrypted",
    "Fate",
    "FilterError",
    "Finding",
    "ImageInfo",
    "Malformed",
    "Member",
    "Nature",
    "OpaqueReason",
    "Opener",
    "Scrubbed",
    "Scrubber",
    "Seen",
    "Sniffed",
    "TooBig",
    "Unsupported",
]  # fmt: skip


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


@dataclass(frozen=True, slots=True)
class Sniffed:
    """What the bytes of a file are, whatever its label says.

    ``format`` is the name under which ``filters.registry`` has its scrubber or opener, the name of a format that nothing here
    handles ("psd"), "text", or "" when unknown.  ``harmless``: positively cannot carry a picture.  Otherwise ``opaque`` says why
    it is unreadable unless the registry has something for it.
    """

    format: str
    opaque: OpaqueReason | None = None
    harmless: bool = False
    codes: frozenset[str] = frozenset()  # e.g. sniff.polyglot


class Nature(StrEnum):
    """What sort of picture it is, by the file's own evidence."""

    PHOTO = "photo"  # any picture not positively known to be something else
    PAGE = "page"  # a sheet of paper
    RADIOLOGY = "radiology"  # by DICOM modality or SOP class: GMC para 10
    VIDEO = "video"
    DRAWING = "drawing"  # lines and shapes, no samples


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
    taken: str = field(default="", repr=False)  # date and time of capture as EXIF writes it: "2026:03:04 10:20:30"
    nature: Nature = Nature.PHOTO
    modality: str = ""  # DICOM (0008,0060)
    laterality: str = ""  # "L", "R" or "B", where the file states it
    identifiers: tuple[str, ...] = field(default=(), repr=False)  # patient identifiers read from metadata (MRN, NHS number)


@dataclass(frozen=True, slots=True)
class Cleaning:
    """What a policy chooses about cleaning; the defaults are the strictest.  The same value goes to scrub and residue."""

    properties: bool = True  # of documents: title, author, company, dates, custom properties
    authors: bool = True  # of comments and tracked changes
    revisions: bool = True  # revision ids (rsid) and editing sessions
    previews: bool = True  # thumbnails of the whole document
    dicom: frozenset[int] = frozenset()  # options of PS3.15 Annex E by code value: 113106, 113108, 113109, 113110, 113112 ...
    uid_key: bytes = field(default=b"", repr=False)  # secret from which replaced DICOM UIDs are made; b"" = no one can follow


STRICT = Cleaning()


class Scrubber(Protocol):
    """One image format: one module under filters/, one line in ``filters.registry.SCRUBBERS``.

    Raises nothing but FilterError, whatever the bytes are.
    """

    @property
    def name(self) -> str: ...

    @property
    def native(self) -> bool:
        """It decodes with C code: the gateway runs it in its sandbox."""
        ...

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the image.  Raises FilterError."""
        ...

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """Lossless: pixels bit-identical, ICC (text removed) and orientation kept.  Raises FilterError."""
        ...

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """What identifying or non-display data still stands in a scrubbed file; () when clean.  Used by the exit check."""
        ...


@dataclass(frozen=True, slots=True)
class Member:
    """One thing inside a container that may be or hold a picture.

    ``info`` is set for samples without a file format of their own (a bitmap in a PDF, a DIB in a metafile): ``data`` are then
    those samples as they stand, nothing is hidden in them, and they are never scrubbed.
    ``opaque`` is set when it could not be got out; ``data`` are then its stored bytes, b"" where it has none of its own.
    """

    key: str  # names it in ``Opener.rebuild``; structural ("member@3", "obj 12 0"), never a file name
    data: bytes = field(repr=False)
    name: str = field(default="", repr=False)  # as the container calls it
    media_type: str = ""  # as the container labels it, lower case
    info: ImageInfo | None = None
    opaque: OpaqueReason | None = None
    inline: bool = False  # shown in the text or on the page, as logos are
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Blocked:
    """Something in a container that could not be looked into, though its members could."""

    code: str
    reason: OpaqueReason = OpaqueReason.NOT_SUPPORTED


Seen = Member | Finding | Blocked


class Opener(Protocol):
    """One container format: one module under filters/, one line in ``filters.registry.OPENERS``.

    Raises nothing but FilterError, whatever the bytes are.
    """

    @property
    def name(self) -> str: ...

    @property
    def native(self) -> bool:
        """It decodes with C code: the gateway runs it in its sandbox."""
        ...

    @property
    def rebuilds(self) -> bool:
        """False: read only; a clinical image in it cannot be cleaned."""
        ...

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """What stands in the container, one after the other; every decoded byte is paid from ``budget``.

        Members that positively cannot be or hold a picture (fonts, XML without embedded files) need not be yielded.
        A Finding REMOVED is metadata of the container itself that ``rebuild`` will remove; KEPT is only noted; a code ending in
        ``.signed`` says that any change breaks a digital signature.  After ``rebuild`` there is no REMOVED one left.
        """
        ...

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The container with the members ``changes`` (key -> new bytes) replaced, its own metadata cleaned as ``cleaning`` says.

        ``names`` (key -> new file name) renames members where the format has names of its own.  What did not change keeps its
        stored bytes.  Raises FilterError.
        """
        ...
