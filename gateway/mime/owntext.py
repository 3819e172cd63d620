"""The text of a mail as a reader sees it, without what is quoted below: for looking words up, never for cutting.

Rough on purpose: only mail in whose text something was found is read this way, and what is found is advised on.
"""

from __future__ import annotations

import html
import re
from typing import Final

from gateway.mime.bodyline import is_quote

_LOOK: Final = 65_536  # characters that are read
_QUOTED: Final = re.compile(
    r"<blockquote|gmail_quote|gmail_attr|yahoo_quoted|moz-cite-prefix|outlookmessageheader|divrplyfwdmsg|appendonsend"
    r"|mail-editor-reference-message-container|protonmail_quote|zmail_extra|border-top:\s{0,4}solid\s{1,4}#",
    re.I,
)
_UNSEEN: Final = re.compile(r"<(style|script|head|title)\b.*?(?:</\1\s*>|\Z)|<!--.*?(?:-->|\Z)", re.I | re.S)
_TAG: Final = re.compile(r"<[^<>]{0,4000}>")


def own_text(text: str, page: bool, whole: bool) -> str:
    """The visible words of ``text`` (``page``: it is HTML).  ``whole``: with what is quoted."""
    text = text[:_LOOK]
    if not page:
        return text if whole else _typed(text)
    if not whole and (quoted := _QUOTED.search(text)) is not None:
        text = text[: quoted.start()]
    return seen(text)


def seen(page: str) -> str:
    """The words of a page that its reader sees."""
    return html.unescape(_TAG.sub(" ", _UNSEEN.sub(" ", page)))


def own_source(text: str, page: bool) -> str:
    """What stands before the first thing quoted, as it is written."""
    text = text[:_LOOK]
    if not page:
        return _typed(text)
    quoted = _QUOTED.search(text)
    return text if quoted is None else text[: quoted.start()]


def _typed(text: str) -> str:
    """The lines before the first that quotes."""
    kept: list[str] = []
    for line in text.splitlines():
        if line.strip() and is_quote(line):
            break
        kept.append(line)
    return "\n".join(kept)
