"""What the readers of text report: one thing found, its codes, and how much is looked at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from filters.api import OpaqueReason

CODES: Final[Mapping[str, str]] = {
    "text.uuencode": "A uuencoded file stands in the text.",
    "text.xxencode": "An xxencoded file stands in the text.",
    "text.yenc": "A yEnc file stands in the text.",
    "text.binhex": "A BinHex file stands in the text.",
    "text.ascii85": "A file in Ascii85 or btoa stands in the text.",
    "text.pgp-message": "An OpenPGP message stands in the text.",
    "text.armoured-message": "An encrypted message in another armour (PKCS #7, CMS, age) stands in the text.",
    "text.data-uri-image": "A picture stands in the text as a data: URI.",
    "text.data-uri-small": "A data: URI stands in the text that is too small to be a photograph.",
    "text.base64-image": "A picture in base64 stands in the text.",
    "text.base64-container": "A container file (zip, PDF, Office ...) in base64 stands in the text.",
    "text.qp-image": "A picture in quoted-printable stands in the text.",
    "text.hex-image": "A picture in hexadecimal or as a list of numbers stands in the text.",
    "text.raw-image": "The bytes of a picture stand in the text.",
    "text.vcard-photo": "A contact card holds a photograph, logo or sound.",
    "text.ical-attach": "An invitation holds an attached file.",
    "text.rtf-picture": "A rich text document holds a picture or an embedded object.",
    "text.utf-7": "The text is written in UTF-7.",
    "text.limit": "The text holds too many things that look like hidden files.",
    "html.script": "The page holds a script that can build a file.",
    "html.script-plain": "The page holds a script.",
}

HOLD: Final = OpaqueReason.NOT_SUPPORTED.value
ENCRYPTED: Final = OpaqueReason.ENCRYPTED.value
LIMIT: Final = OpaqueReason.LIMIT.value
MOST: Final = 2000  # candidates of one kind looked at


@dataclass(frozen=True, slots=True)
class Embedded:
    """One thing found.  ``start`` and ``end`` are byte offsets into the text; the whole text where it was converted first."""

    code: str
    start: int
    end: int
    opaque: str | None  # reason (``filters.api.OpaqueReason``), None when it is only noted
