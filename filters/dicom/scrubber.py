"""The scrubber for DICOM: what PS3.15 Annex E removes goes, what shows the picture stays byte for byte.

The output is a file by PS3.10 with an empty preamble, also where the input was a bare data set; transfer syntax and pixel data
are the input's.  ``cleaning.dicom`` chooses options of the profile; those not named in ``profile.OPTIONS`` are neither done nor
claimed.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field

from filters.api import STRICT, Cleaning, Fate, FilterError, Finding, ImageInfo, Scrubbed
from filters.dicom import dates, facts, file, frames, marks, objects, writer
from filters.dicom.cleaner import Cleaner, check_content
from filters.dicom.element import Element, text
from filters.dicom.file import File
from filters.dicom.profile import FULL_DATES, MODIFIED_DATES, OPTIONS
from filters.dicom.transfer import TRANSFERS, Coding


class Dicom:
    """DICOM files and bare data sets of every standard transfer syntax."""

    name = "dicom"
    native = False

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the object; width and height are 0 when it holds no pixels.  Raises FilterError."""
        seen = file.parse(data)
        plan = _plan(data, seen, STRICT)
        return facts.image(seen, frozenset(finding.code for finding in plan.findings if finding.fate is Fate.REMOVED))

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """The same object without what identifies; the very same bytes when there was nothing.  Raises FilterError."""
        plan = _plan(data, file.parse(data), cleaning)
        return Scrubbed(plan.data, plan.findings)

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """Everything that a second scrub would still change; a file that cannot be read is one STUCK finding."""
        try:
            findings = _plan(data, file.parse(data), cleaning).findings
        except FilterError:
            return (Finding("dicom.unreadable", "file", Fate.STUCK),)
        return tuple(finding for finding in findings if finding.fate is not Fate.KEPT)


@dataclass(frozen=True, slots=True)
class _Plan:
    data: bytes = field(repr=False)
    findings: tuple[Finding, ...]


def _plan(data: bytes, seen: File, cleaning: Cleaning) -> _Plan:
    objects.check(seen)
    options = _options(cleaning)
    key = cleaning.uid_key or hmac.new(b"clinigate dicom file", hashlib.sha256(data).digest(), hashlib.sha256).digest()
    plain = [element for element in seen.elements if element.tag not in marks.TAGS]
    cleaner, kept, sealed = _cleaned(seen, plain, options, key, cleaning.uid_key)
    structured = check_content(plain, kept)
    kept, code = frames.clean(kept, seen.transfer)
    kept += marks.elements(options, sealed, seen.transfer.syntax, structured=structured)
    if not seen.transfer.syntax.explicit and seen.transfer.coding is not Coding.NATIVE:
        seen.transfer = TRANSFERS[seen.transfer.uid]
        kept = writer.told(kept, frames.signed(kept))
    out = _joined(seen, kept)
    findings = list(cleaner.findings.values())
    findings += [Finding(code, "7FE00010", Fate.REMOVED)] if code else []
    if out == data:
        return _Plan(data, (*findings, *_notes(seen)))
    return _Plan(out, (*findings, *_outside(seen, kept), *_notes(seen)))


def _options(cleaning: Cleaning) -> frozenset[int]:
    """The chosen options that can be honoured; of both for dates the stricter."""
    chosen = cleaning.dicom & OPTIONS.keys()
    return chosen - {FULL_DATES} if MODIFIED_DATES in chosen else chosen


def _cleaned(
    seen: File, plain: list[Element], options: frozenset[int], key: bytes, secret: bytes
) -> tuple[Cleaner, list[Element], str]:
    """(the cleaner, what stays, the seal over moved dates).  Dates that bear our seal were moved before and stay."""
    cleaner = Cleaner(options, key)
    kept = cleaner.clean(plain)
    if MODIFIED_DATES not in options:
        return cleaner, kept, ""
    sealed = dates.seal(cleaner.dates, secret)
    if sealed == marks.seal(seen.elements):
        return cleaner, kept, sealed
    cleaner = Cleaner(options, key, dates.days(text(plain, 0x00100020) + "\\" + text(plain, 0x00100010), key))
    kept = cleaner.clean(plain)
    return cleaner, kept, dates.seal(cleaner.dates, secret)


def _joined(seen: File, kept: list[Element]) -> bytes:
    header = marks.header(seen.meta, kept, seen.transfer.uid)
    chunks = writer.write(kept, seen.transfer.syntax)
    if not seen.transfer.deflated:
        return b"".join([header, *chunks])
    body = b"".join(chunks)
    packed = seen.packed + b"\0" * (len(seen.packed) & 1) if body == seen.body else file.deflate(body)
    return header + packed


def _outside(seen: File, kept: list[Element]) -> list[Finding]:
    """What went beside the elements; never nothing, for something did change."""
    said = {
        "dicom.preamble": seen.preamble,
        "dicom.trailer": seen.trailer,
        "dicom.file-meta": any(element.tag not in _META or element.tag == 0x00020016 for element in seen.meta),
        "dicom.marks": not marks.standing(seen.elements, kept),
    }
    found = [Finding(code, "file", Fate.REMOVED) for code, true in said.items() if true]
    return found or [Finding("dicom.encoding", "file", Fate.REMOVED)]


_META = frozenset((0x00020000, 0x00020001, 0x00020002, 0x00020003, 0x00020010))


def _notes(seen: File) -> list[Finding]:
    return [Finding(code, "file", Fate.KEPT) for code in sorted(facts.unclean_pixels(seen.elements))]


DICOM = Dicom()
