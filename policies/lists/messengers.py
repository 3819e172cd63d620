"""Names that messengers give to the pictures they save: a picture that came by one has been on its servers (S1-19, S4-16).

The original's hidden data are gone then, and its quality; the sender is told once, nothing is held for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

NAME_MESSENGER: Final = "name.messenger"

# Service -> how it names what it saves, with what phones and mail programs add: "(1)", "-edited", another ending.
_NAMES: Final[Mapping[str, str]] = {
    "whatsapp": r"(?:IMG|VID|AUD|PTT|DOC|STK)-\d{8}-WA\d{3,6}"
    r"|WhatsApp[ _](?:Image|Video|Audio)[ _]\d{4}-\d\d-\d\d[ _]at[ _].{1,24}",
    "signal": r"signal-\d{4}-\d\d-\d\d-\d{2}[-_]?\d{2}[-_]?\d{2}(?:[-_]\d{1,4})*",
    "telegram": r"(?:photo|video|file)_\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d|photo_\d{17,20}_[a-z]",
    "viber": r"IMG-[0-9a-f]{32}-V|viber_image_\d{4}-\d\d-\d\d_.{1,24}|image-0-02-\d\d-[0-9a-f]{20,80}-V",
    "wechat": r"mmexport\d{13}|wx_camera_\d{13}|WeChat Image_\d{14}|微信图片_\d{14}",
    "messenger": r"received_\d{12,20}|messenger_creation_[0-9A-Fa-f-]{8,40}",
    "snapchat": r"Snapchat-\d{6,12}",
    "line": r"LINE_(?:ALBUM|MOVIE|P)_?\d{6,16}.{0,24}",
    "kakaotalk": r"KakaoTalk_\d{8}_\d{6,12}.{0,8}",
    "slack": r"Image from iOS",
    "threema": r"threema-\d{8}-\d{6,12}.{0,12}",
}
_PATTERN: Final = re.compile("|".join(f"(?P<{name}>{names})" for name, names in _NAMES.items()), re.I)
_ENDING: Final = re.compile(r"(?:[ _-]?\(\d{1,3}\)|[ _-](?:copy|edited|edit|kopie))*(?:\.[A-Za-z0-9]{2,5})?", re.I)


def messenger(name: str) -> str | None:
    """The messenger that named this file, by the last piece of its path; None for any other name."""
    base = name.strip().replace("\\", "/").rpartition("/")[2]
    match = _PATTERN.match(base)
    if match is None:
        return None
    rest = base[match.end() :]
    return match.lastgroup if _ENDING.fullmatch(rest) or match.end() == len(base) else None
