"""Chromium as a phone or a desktop, driven by Selenium; axe-core as the judge of accessibility."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.support.needs import needs

PHONE, DESKTOP = (320, 640), (1280, 900)
_QUIET = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-sync")


@contextmanager
def chromium(size: tuple[int, int] = PHONE, *, dark: bool = False, scripts: bool = True) -> Iterator[webdriver.Chrome]:
    """A browser with nothing in its history.  ``scripts``: whether pages may run any."""
    needs("chromium", "chromedriver")
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for one in (*_QUIET, f"--window-size={size[0]},{size[1]}"):
        options.add_argument(one)
    if not scripts:
        options.add_experimental_option("prefs", {"profile.managed_default_content_settings.javascript": 2})
    browser = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    try:
        phone = size == PHONE
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        yield browser
    finally:
        browser.quit()


def picture(browser: webdriver.Chrome, path: Path) -> None:
    """The whole page as a PNG."""
    size = browser.execute_cdp_cmd("Page.getLayoutMetrics", {})["cssContentSize"]
    clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
    shot = browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "clip": clip})
    path.write_bytes(base64.b64decode(shot["data"]))


def axe(browser: webdriver.Chrome, script: Path | None = None) -> list[dict[str, Any]]:
    """What axe-core finds wrong by WCAG A and AA and by good practice: rule, why, where.  ``script``: another version of it."""
    source = script.read_text() if script else (resources.files("axe_core_python") / "axe.min.js").read_text()
    browser.execute_cdp_cmd("Runtime.evaluate", {"expression": source})
    tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
    run = f"axe.run(document, {{runOnly: {json.dumps(tags)}}}).then(r => JSON.stringify(r.violations))"
    told = browser.execute_cdp_cmd("Runtime.evaluate", {"expression": run, "awaitPromise": True, "returnByValue": True})
    found: list[dict[str, Any]] = json.loads(told["result"]["value"])
    return [{"rule": one["id"], "why": one["help"], "where": [node["html"] for node in one["nodes"]]} for one in found]
