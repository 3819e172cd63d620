"""The pieces of office packages: the ZIP, relationships, content types, a printer's settings."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping

Place = Callable[[str], str]
XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\r\n'
OPEN = "http://schemas.openxmlformats.org"
REL = f"{OPEN}/officeDocument/2006/relationships"
MS = "http://schemas.microsoft.com/office"


def package(
    parts: Mapping[str, str | bytes], comment: str = "", stored: frozenset[str] = frozenset(), old: bool = False
) -> bytes:
    """A ZIP package.  ``old``: the members have times and extra fields as other programs write them."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as made:
        made.comment = comment.encode()
        for name, content in parts.items():
            info = zipfile.ZipInfo(name, (2026, 3, 4, 5, 6, 8) if old else (1980, 1, 1, 0, 0, 0))
            if old and comment:
                extra = comment.encode()
                info.extra = b"\xfe\xca" + len(extra).to_bytes(2, "little") + extra
            method = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            made.writestr(info, content if isinstance(content, bytes) else content.encode(), method)
    return out.getvalue()


def relations(*rows: tuple[str, str, str]) -> str:
    """A part of relationships: (type or its last word, target, mode)."""
    lines = "".join(
        f'<Relationship Id="rId{number}" Type="{kind if "/" in kind else f"{REL}/{kind}"}" Target="{target}"'
        + (f' TargetMode="{mode}"/>' if mode else "/>")
        for number, (kind, target, mode) in enumerate(rows, 1)
    )
    return f'{XML}<Relationships xmlns="{OPEN}/package/2006/relationships">{lines}</Relationships>'


def types(defaults: Mapping[str, str], overrides: Mapping[str, str]) -> str:
    """[Content_Types].xml."""
    basis = {"rels": "application/vnd.openxmlformats-package.relationships+xml", "xml": "application/xml", **defaults}
    rows = "".join(f'<Default Extension="{end}" ContentType="{kind}"/>' for end, kind in basis.items())
    rows += "".join(f'<Override PartName="/{name}" ContentType="{kind}"/>' for name, kind in overrides.items())
    return f'{XML}<Types xmlns="{OPEN}/package/2006/content-types">{rows}</Types>'


def printer(name: str) -> bytes:
    """A DEVMODE, as Excel and Word keep it: the printer's name in UTF-16 and numbers."""
    return name.encode("utf-16-le")[:62].ljust(64, b"\0") + b"\x01\x04\x00\x06\xdc\0" + bytes(150) + name.encode("utf-16-le")
