"""The lines that a reader of an HTML reply sees above anything quoted."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Final

DEEPEST: Final = 200  # elements inside one another; what lies deeper is not read
_SKIPPED: Final = frozenset({"blockquote", "style", "script", "head", "title", "template", "select", "textarea", "del", "s"})
_BREAKS: Final = frozenset(
    {"br", "p", "div", "tr", "td", "li", "h1", "h2", "h3", "h4", "table", "ul", "ol", "section", "article", "hr", "pre"}
)
_VOID: Final = frozenset(
    {"br", "hr", "img", "meta", "link", "input", "col", "base", "area", "wbr", "source", "track", "embed", "param"}
)
# Elements, by id or class, in which programs put what they quote or sign with.
_QUOTE: Final = re.compile(
    r"gmail_quote|gmail_attr|gmail_signature|yahoo_quoted|moz-cite|moz-signature|protonmail_quote|protonmail_signature|zmail_extra"
    r"|OutlookMessageHeader|AppleMailSignature|mobile-signature|ms-outlook.*signature|\bsignature|x_?Signature|quoted",
    re.IGNORECASE,
)
# Elements behind which everything is quoted: Outlook and NHSmail do not put it inside anything.
_END: Final = re.compile(
    r"divRplyFwdMsg|appendonsend|reply-intro|OLK_SRC_BODY|replySplit|mail-editor-reference|ms-outlook-mobile-reference",
    re.IGNORECASE,
)
_BORDER: Final = re.compile(r"border(-top)?:\s*solid|border-top:\s*(none;)?\s*[0-9#.]*\S*\s*solid", re.IGNORECASE)
_HIDDEN: Final = re.compile(r"display:\s*none|visibility:\s*hidden|font-size:\s*0|opacity:\s*0(?![.\d])|mso-hide", re.IGNORECASE)


# Comments, declarations and processing instructions; the standard parser takes the square of the number of unfinished ones.
_DECLARED: Final = re.compile(r"<[!?][^>]{0,400}>|<[!?]")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.lines: list[str] = [""]
        self._open: list[tuple[str, bool]] = []
        self._quoted = 0
        self._over = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = " ".join(value or "" for name, value in attrs if name in ("id", "class", "name"))
        style = next((value or "" for name, value in attrs if name == "style"), "")
        self._over = self._over or tag == "hr" or bool(_END.search(named) or _BORDER.search(style))
        if tag in _BREAKS:
            self.lines.append("")
        if tag in _VOID:
            return
        if len(self._open) >= DEEPEST:  # nobody's mail program writes so; closing what was never opened would cost the square
            self._over = True
            return
        quoted = tag in _SKIPPED or bool(_QUOTE.search(named) or _HIDDEN.search(style))
        self._open.append((tag, quoted))
        self._quoted += quoted

    def handle_endtag(self, tag: str) -> None:
        if tag in _BREAKS:
            self.lines.append("")
        if all(tag != one for one, _ in self._open):
            return
        closed = ""
        while closed != tag:
            closed, quoted = self._open.pop()
            self._quoted -= quoted

    def handle_data(self, data: str) -> None:
        if not self._quoted and not self._over:
            self.lines[-1] += data.replace("\r", " ").replace("\n", " ")


def shown(text: str) -> list[str]:
    """Lines of text; what is quoted, signed, struck out or not shown is not among them."""
    reader = _Reader()
    reader.feed(_DECLARED.sub(" ", _uncommented(text)))
    reader.close()
    return reader.lines


def _uncommented(text: str) -> str:
    """Without comments; one that never ends hides all that follows."""
    found: list[str] = []
    at = 0
    while (start := text.find("<!--", at)) >= 0:
        found.append(text[at:start])
        end = text.find("-->", start)
        if end < 0:
            return "".join(found)
        at = end + 3
    return "".join(found) + text[at:]
