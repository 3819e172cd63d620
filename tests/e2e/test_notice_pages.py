"""Every kind of notice as a mail program shows it: on a phone and a desktop, light and dark, judged by axe and by its width."""

from __future__ import annotations

from pathlib import Path

import pytest

from quarantine.notices.render import render
from quarantine.notices.wording import load
from tests.support.chromium import DESKTOP, PHONE, axe, chromium, picture
from tests.support.noticeworld import CHEN, JANE, LEE, NOW, SETTINGS, asked, line, meta, refused, sent

pytestmark = pytest.mark.e2e

LONG = "a.very.long.name.with.many.parts@a-very-long-domain-name-of-a-hospital-far-away.nhs.example"
LINK = "https://answers.example.nhs.uk/answer/" + "a" * 60
KINDS = {
    "N-1": [asked()],
    "N-1-long-address": [asked(LONG, did_you_mean=LONG), sent(CHEN)],
    "N-1-many": [asked(f"doctor{number}@one.example") for number in range(12)],
    "N-2": [line(JANE, "held", "N-2", "D", releases="ig")],
    "N-3": [sent(advice=["It was the first email to this address."]), sent("x@trust.example", method="route")],
    "N-4": [refused()],
    "N-5": [asked(state="expired")],
    "N-6": [line(LEE, "delivered", "N-6", method="smime")],
    "N-7": [line(LEE, "deferred", "N-7")],
    "mixed": [asked(), sent(), refused(), line(JANE, "deferred", "N-7")],
}
# A mail program shows the page inside its own: neither landmarks nor headings of a whole page are the notice's business.
_NOT_OURS = frozenset({"region", "page-has-heading-one", "landmark-one-main", "heading-order"})


@pytest.mark.parametrize(("size", "dark"), [(PHONE, False), (PHONE, True), (DESKTOP, False), (DESKTOP, True)])
def test_every_notice_fits_and_can_be_read(size: tuple[int, int], dark: bool, tmp_path: Path) -> None:
    """No sideways scrolling at 320 pixels, WCAG AA contrast in both schemes, letters of 16 pixels or more, nothing loaded."""
    with chromium(size, dark=dark) as browser:
        for name, lines in KINDS.items():
            page = tmp_path / f"{name}.html"
            reply = "hold+abc@hold.example.nhs.uk" if name.startswith("N-1") else ""
            page.write_text(
                render([meta(*lines)], NOW, SETTINGS, load(), reply=reply, link=LINK if reply else "").html, encoding="utf-8"
            )
            browser.get(page.as_uri())
            assert browser.execute_script("return document.documentElement.scrollWidth") <= size[0], name
            assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0, name
            sizes = browser.execute_script(
                "return [...document.querySelectorAll('p, li, h2, a')].map(one => parseFloat(getComputedStyle(one).fontSize))"
            )
            assert min(sizes) >= 16, name
            assert [found for found in axe(browser) if found["rule"] not in _NOT_OURS] == [], name
            picture(browser, tmp_path / f"{name}.png")
