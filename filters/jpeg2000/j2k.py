"""Raw JPEG 2000 codestreams without a file format around them ("j2k", "j2c")."""

from __future__ import annotations

from filters.api import STRICT, Cleaning, Fate, FilterError, Finding, ImageInfo, Scrubbed
from filters.jpeg2000.codestream import Codestream
from filters.plan import Plan


class J2k:
    """The scrubber for JPEG 2000 and HTJ2K codestreams."""

    name = "j2k"
    native = False

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        stream, plan = _planned(data)
        return ImageInfo(stream.size.width, stream.size.height, stream.size.bits, codes=plan.codes)

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        """The same picture without comments; the very same object when there was none.  Raises FilterError."""
        return _planned(data)[1].scrubbed(data)

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        """Everything that a second scrub would still remove; a file that cannot be read is one STUCK finding."""
        try:
            return _planned(data)[1].removed
        except FilterError:
            return (Finding("jp2.unreadable", "file", Fate.STUCK),)


def _planned(data: bytes) -> tuple[Codestream, Plan]:
    stream, plan = Codestream(data, 0, len(data)), Plan()
    stream.plan(plan, ("jp2.comment", "jp2.trailer"))
    return stream, plan


J2K = J2k()
