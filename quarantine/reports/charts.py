"""Bar charts as SVG text: one series, a bar a week, its value above it.  No library: a bar is a rectangle and a number.

Readable in print and by colour-blind people: meaning never hangs on colour; the week of the report is darker and outlined, a week
without figures is a dash.  For screen readers the chart has a title and every value in its description.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

WIDTH: Final = 350
_TOP, _HEIGHT, _FOOT, _GAP = 30, 70, 18, 4
_DARK, _LIGHT, _INK = "#08306b", "#6baed6", "#222"  # one hue, light to dark: differs in brightness, so in print, too


@dataclass(frozen=True, slots=True)
class Bar:
    """One week.  ``value``: None where nothing is known; ``shown``: the value as people read it."""

    label: str
    value: float | None
    shown: str


def bars(identity: str, title: str, series: Sequence[Bar]) -> str:
    """The chart; the last bar is the week of the report.  ``identity``: a word unique in the page."""
    most = max([bar.value for bar in series if bar.value is not None], default=0.0) or 1.0
    step = WIDTH / max(len(series), 1)
    drawn = [_bar(bar, at * step, step - _GAP, most, at == len(series) - 1) for at, bar in enumerate(series)]
    told = "; ".join(f"{bar.label}: {bar.shown}" for bar in series)
    height = _TOP + _HEIGHT + _FOOT
    return "".join([
        f'<svg role="img" aria-labelledby="{identity}-t {identity}-d" viewBox="0 0 {WIDTH} {height}" '
        f'xmlns="http://www.w3.org/2000/svg">',
        f'<title id="{identity}-t">{escape(title)}</title><desc id="{identity}-d">{escape(told)}</desc>',
        f'<text x="0" y="11" font-size="12" font-weight="bold" fill="{_INK}">{escape(title)}</text>',
        *drawn,
        f'<line x1="0" y1="{_TOP + _HEIGHT}" x2="{WIDTH}" y2="{_TOP + _HEIGHT}" stroke="{_INK}" stroke-width="1"/>',
        "</svg>",
    ])  # fmt: skip


def _bar(bar: Bar, left: float, width: float, most: float, last: bool) -> str:
    middle, foot = left + width / 2, _TOP + _HEIGHT
    tall = 0.0 if bar.value is None else bar.value / most * (_HEIGHT - 12)
    parts = [_text(middle, foot + 12, bar.label, last)]
    if tall > 0:
        fill, line = (_DARK, f' stroke="{_INK}"') if last else (_LIGHT, "")
        parts.append(
            f'<rect x="{left:.1f}" y="{foot - tall:.1f}" width="{width:.1f}" height="{tall:.1f}" fill="{fill}"{line}/>'
        )
    parts.append(_text(middle, foot - tall - 3, bar.shown, last))
    return "".join(parts)


def _text(x: float, y: float, text: str, bold: bool) -> str:
    weight = ' font-weight="bold"' if bold else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="9" text-anchor="middle" fill="{_INK}"{weight}>{escape(text)}</text>'
