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


def as_html(content: Iterable[Block], title: str, language: str) -> str:
    """The same as HTML with every value escaped."""
    tags = {"lead": "<p><strong>{}</strong></p>", "head": "<h2>{}</h2>", "para": "<p>{}</p>", "item": "<li>{}</li>"}
    tags["link"] = '<p><a href="{0}">{0}</a></p>'
    body: list[str] = []
    listing = False
    for block in content:
        if listing != (block.kind == "item"):
            listing = not listing
            body.append("<ul>" if listing else "</ul>")
        text = escape(block.text.replace(_TIE, " "))
        if block.href and text.startswith(escape(block.word)):
            text = f'<a href="{escape(block.href)}">{escape(block.word)}</a>' + text.removeprefix(escape(block.word))
        body.append(tags[block.kind].format(text))
    if listing:
        body.append("</ul>")
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    lines = ["<!DOCTYPE html>", f'<html lang="{escape(language)}"><head>{head}</head>', "<body>", *body, "</body></html>", ""]
    return "\n".join(lines)
