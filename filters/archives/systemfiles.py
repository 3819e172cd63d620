"""Files that macOS leaves in archives beside the real ones.  Nobody looks at them; they tell names, places and dates."""

from __future__ import annotations

from filters.archives import appledouble
from filters.sniffing.inside import carries

CODE = "archive.system-file"
_DESKTOP = b"\0\0\0\1Bud1"  # .DS_Store: how the Finder shows a folder, with the names of what is or was in it


def called_so(name: str) -> bool:
    """By its name it could be one."""
    base = name.rpartition("/")[2]
    return base.startswith("._") or base == ".DS_Store"


def is_one(name: str, content: bytes) -> bool:
    """It is one, and holds no picture: it may be left out of a rebuilt archive."""
    if not called_so(name):
        return False
    return appledouble.harmless(content) or (content.startswith(_DESKTOP) and not carries(content))
