"""Filled templates as text and as simple HTML: paragraphs, headings, lists, one link.  No pictures, nothing to load."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from typing import Literal

from quarantine.notices.wording import Part, fill

WIDTH = 72
_TIE = "\u00a0"  # holds the words of a tag together while lines are wrapped; never sent: a pasted one would not be understood


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a heading, the opening line, a list item, or the address of a page alone on its line."""

    kind: Literal["lead", "head", "para", "item", "link"]
    text: str
    word: str = ""  # how an item begins, where that opens a reply
    href: str = ""


def tie(text: str) -> str:
    """Keep these words on one line."""
    return text.replace(" ", _TIE)


def blocks(part: Part | None, values: Mapping[str, str], lists: Mapping[str, Iterable[str]] | None = None) -> list[Block]:
    """A part as blocks.  Lines with nothing to say go, and with them a paragraph that has no other."""
    found: list[Block] = []
    sentences: list[str] = []

    def close() -> None:
        if sentences:
            found.append(Block("para", " ".join(sentences)))
            sentences.clear()

    for line in part.lines if part else ():
        items = (lists or {}).get(line[1:-1]) if line.startswith("{") and line.endswith("}") else None
        text = None if items is not None else fill(line, values)
        if not line or items is not None or line.startswith("- ") or line == "{link}":
            close()
        if items is not None:
            found.extend(Block("item", item) for item in items)
        elif text and line == "{link}":
            found.append(Block("link", text))
        elif text and line.startswith("- "):
            found.append(Block("item", text[2:]))
        elif text:
            sentences.append(text)
    close()
    return found


def sentence(part: Part | None, values: Mapping[str, str]) -> str:
    """A part as one line of text; "" when it has nothing to say."""
    return " ".join(text for line in (part.lines if part else ()) if line and (text := fill(line, values)))


def as_text(content: Iterable[Block]) -> str:
    """Plain text, wrapped; addresses and tags stay whole."""
    lines: list[str] = []
    before = ""
    for block in content:
        if lines and not (block.kind == before == "item") and not (before == "head" and block.kind == "item"):
            lines.append("")
        first, rest = ("- ", "  ") if block.kind == "item" else ("", "")
        if block.kind == "link":
            lines.append(block.text)
            before = block.kind
            continue
        lines += textwrap.wrap(
            block.text, WIDTH, initial_indent=first, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
        )
        if block.kind == "head":
            lines.append("-" * min(len(block.text), WIDTH))
        before = block.kind
    return "\n".join(lines).replace(_TIE, " ") + "\n"


# For mail programs: styles stand in each tag (some drop a style sheet), nothing is loaded, and no colour is set, so that a dark
# screen stays dark.  Outlook for Windows shows the page in full width, the others at most 38 letters wide on a large screen.
_BODY = "margin:0;padding:16px;font-family:Segoe UI,Roboto,Helvetica,Arial,sans-serif;font-size:16px;line-height:1.5"
_PAGE = "max-width:38em;overflow-wrap:anywhere"
_TAGS: Mapping[str, str] = {
    "lead": '<p style="font-size:19px;line-height:1.35;margin:0 0 16px"><strong>{}</strong></p>',
    "head": '<h2 style="font-size:18px;margin:28px 0 8px;padding-top:12px;border-top:1px solid #808080">{}</h2>',
    "para": '<p style="margin:0 0 14px">{}</p>',
    "item": '<li style="margin:0 0 10px">{}</li>',
    "link": '<p style="margin:0 0 14px"><a href="{0}" style="word-break:break-all">{0}</a></p>',
}
_HEAD = '<meta name="viewport" content="width=device-width, initial-scale=1"><meta name="color-scheme" content="light dark">'


def as_html(content: Iterable[Block], title: str, language: str) -> str:
    """The same as HTML with every value escaped."""
    body: list[str] = []
    listing = False
    for block in content:
        if listing != (block.kind == "item"):
            listing = not listing
            body.append('<ul style="margin:0 0 14px;padding-left:22px">' if listing else "</ul>")
        body.append(_TAGS[block.kind].format(_inline(block)))
    if listing:
        body.append("</ul>")
    page = [f'<body style="{_BODY}">', f'<div style="{_PAGE}">', *body, "</div>", "</body></html>", ""]
    head = f'<meta charset="utf-8">{_HEAD}<title>{escape(title)}</title>'
    return "\n".join(["<!DOCTYPE html>", f'<html lang="{escape(language)}"><head>{head}</head>', *page])


def _inline(block: Block) -> str:
    """The text of a block; the word that an item is about stands out and, where there is a page for it, leads there."""
    text = escape(block.text.replace(_TIE, " "))
    word, mark, rest = text.partition(" \N{EN DASH} ") if block.kind == "item" else (text, "", "")
    if block.href and text.startswith(escape(block.word)):
        return f'<a href="{escape(block.href)}">{escape(block.word)}</a>' + text.removeprefix(escape(block.word))
    return f"<strong>{word}</strong>{mark}{rest}" if mark else text
