"""Raw JPEG 2000 codestreams without a file format around them ("j2k", "j2c")."""

from __future__ import annotations

from filters.api import ImageInfo
from filters.jpeg2000.codestream import Codestream
from filters.plan import ByPlan, Plan


class J2k(ByPlan):
    """The scrubber for JPEG 2000 and HTJ2K codestreams."""

    name = "j2k"
    unreadable = "jp2.unreadable"

    def inspect(self, data: bytes) -> ImageInfo:
        """Facts of the picture.  Raises FilterError."""
        stream, plan = _planned(data)
        return ImageInfo(stream.size.width, stream.size.height, stream.size.bits, codes=plan.codes)

    def plan(self, data: bytes) -> Plan:
        """What becomes of the file.  Raises FilterError."""
        return _planned(data)[1]


def _planned(data: bytes) -> tuple[Codestream, Plan]:
    stream, plan = Codestream(data, 0, len(data)), Plan()
    stream.plan(plan, ("jp2.comment", "jp2.trailer"))
    return stream, plan


J2K = J2k()
