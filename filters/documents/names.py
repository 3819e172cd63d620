"""Names that people gave to files: in the description of a picture, in a link, in a path."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import unquote

_FILE: Final = re.compile(
    rb"(?i)\.(?:jpe?g|jpe|jfif|png|gif|bmp|dib|tiff?|webp|hei[cf]|avif|svgz?|wmf|emf|emz|wmz|psd|raw|dng|cr[23w]|nef|arw|orf|rw2"
    rb"|raf|dcm|dicom|jp2|j2k|jxl|mp4|m4v|mov|avi|wmv|mpe?g|3gp|mkv|webm|mp3|wav|m4a|pdf|docx?|docm|xlsx?|xlsm|pptx?|rtf|odt|ods|odp"
    rb"|zip|eml|msg|ico|eps|ai|pict?|html?)\s*$"
)
_LOCAL: Final = re.compile(
    r"(?i)\s*(?:file:|[a-z][:|][\\/]|/(?:Users|home|Volumes|private/var|var/folders)/|[\\/]{2}[^\\/\s]+[\\/])"
)
_PATH: Final = re.compile(rb"(?i)(?:^|[\s\"'(=])(?:file:|[a-z]:[\\/]|\\\\[^\\\s]|/(?:Users|home|Volumes)/)")
_NETWORK: Final = re.compile(r"(?i)^(?:file:)?[\\/]{2,5}[^\\/:|]+[\\/](?!Users/|home/)")


_QUOTED: Final = re.compile(
    rb"(?i)(&quot;|\")\s*(?:file:(?![/\\]{2}[^/\\])|[a-z]:[\\/]|/(?:Users|home|Volumes)/)(?:(?!&quot;)[^\"<])*+(?=&quot;|\")"
)


def unpathed(instruction: bytes) -> bytes:
    """The instruction of a field without paths into somebody's computer."""
    return _QUOTED.sub(rb"\1removed", instruction)


def filed(value: bytes) -> bool:
    """Whether the words are the name of a file, or lead to one."""
    return _FILE.search(value[-60:]) is not None or _PATH.search(value) is not None


def unfiled(value: bytes) -> bytes:
    """A description without the name of a file."""
    return b"" if filed(value) else value


def unnamed(value: bytes) -> bytes:
    """The name of an object on the page; it must have one."""
    return b"Picture" if filed(value) else value


def local(target: str) -> bool:
    """Whether a link leads to a folder of somebody's computer or of a file server."""
    return _LOCAL.match(unquote(target[:2000])) is not None


def network(target: str) -> bool:
    """Whether a link leads to a file server, where colleagues may follow it."""
    return _NETWORK.match(unquote(target[:2000])) is not None
