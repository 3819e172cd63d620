"""The page as text for a terminal and as HTML for a browser or printer: no script, nothing from elsewhere."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final

from gateway.casepage.page import Page, Section

WIDTH: Final = 100
_STYLE: Final = """
body{font:17px/1.5 system-ui,sans-serif;color:#1b1b1b;background:#fff;max-width:44rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.7rem;line-height:1.2;margin:0 0 .5rem}
h2{font-size:1.3rem;margin:2.2rem 0 .3rem;padding-top:.6rem;border-top:3px solid #1d70b8}
h3{font-size:1.05rem;margin:1.3rem 0 .2rem}
p{margin:.25rem 0}
.about{color:#505a5f}
.who{margin:.6rem 0;padding:.1rem 0 .1rem .9rem;border-left:4px solid #b1b4b6}
.who b{overflow-wrap:anywhere}
.file{font-size:.8rem;line-height:1.4;page-break-before:always}
.file p,.file b{font-family:ui-monospace,monospace;overflow-wrap:anywhere}
@media print{body{margin:0;max-width:none;font-size:12pt}h3,.who{page-break-inside:avoid}}
"""


def text(page: Page) -> Iterator[str]:
    """Lines for a terminal, the part for the file at the end."""
    yield page.title
    yield "=" * len(page.title)
    yield from page.about
    for heading, sections in page.plain:
        yield from ("", heading, "-" * len(heading))
        yield from _text(sections)
    yield from ("", "FOR THE FILE", "============")
    for heading, sections in page.file:
        yield from ("", heading, "-" * len(heading))
        yield from _text(sections)


def _text(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        if not (section.lines or section.items):
            continue
        yield from ("", section.title)
        yield from (_wrapped(line, "  ") for line in section.lines)
        for heading, lines in section.items:
            yield _wrapped(heading, "  ")
            yield from (_wrapped(line, "    ") for line in lines)


def _wrapped(line: str, indent: str) -> str:
    clean = "".join(char if char.isprintable() else "?" for char in line)  # a stranger's address moves no cursor
    return textwrap.fill(
        clean, WIDTH, initial_indent=indent, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
    )


def html(page: Page) -> str:
    """One file that says everything; every word of the record is escaped."""
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">',
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">",
        f'<meta name="robots" content="noindex"><title>{escape(page.title)}</title><style>{_STYLE}</style></head><body>',
        f"<h1>{escape(page.title)}</h1>",
        *(f'<p class="about">{escape(line)}</p>' for line in page.about),
    ]
    for heading, sections in page.plain:
        parts += [f"<section><h2>{escape(heading)}</h2>", *_html(sections), "</section>"]
    parts.append('<div class="file"><h2>For the file</h2>')
    for heading, sections in page.file:
        parts += [f"<section><h3>{escape(heading)}</h3>", *_html(sections), "</section>"]
    return "\n".join([*parts, "</div></body></html>"]) + "\n"


def _html(sections: Sequence[Section]) -> Iterator[str]:
    for section in sections:
        if not (section.lines or section.items):
            continue
        yield f"<h3>{escape(section.title)}</h3>"
        yield from (f"<p>{escape(line)}</p>" for line in section.lines)
        for heading, lines in section.items:
            yield f'<div class="who"><b>{escape(heading)}</b>'
            yield from (f"<p>{escape(line)}</p>" for line in lines)
            yield "</div>"
