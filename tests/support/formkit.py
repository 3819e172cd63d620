"""A web form over a quarantine in a folder, asked through Starlette's own client."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from quarantine.answers.model import FORM
from quarantine.answers.secrets import Secrets
from quarantine.form.app import make_app
from quarantine.form.links import link
from quarantine.form.opening import office
from quarantine.model import HoldRow
from quarantine.settings import Form
from tests.support.quarantine_kit import PEER, World, hex_id, hold_object, outcome_object

URL = "https://answers.own.example/clinigate"
OFFERS = [
    "[consent verbal]", "[consent written]", "[consent verbal, parent]", "[not a patient image]",
    "[emergency: why it cannot wait]",
]  # fmt: skip
ASK: dict[str, Any] = {
    "action": "ASK", "rule": "K2-ASK", "reasons": ["consent.missing"], "releases": "sender", "notice": "N-1", "key": "online",
    "answers": OFFERS,
}  # fmt: skip
REASON = "airway at risk, team on call"


class FormWorld:
    """``world``: the quarantine.  ``client``: a browser that does not run scripts."""

    def __init__(self, folder: Path, world: dict[str, Any] | None = None, **options: Any) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.world = World(folder, options={"form": {"url": URL, **options}, "organisation": "Own Clinic", **(world or {})})
        self.nudged = 0
        self.options: Form = self.world.settings.form  # type: ignore[assignment]  # it was set above
        self.office = replace(office(self.world.desk(), self.nudge), settle=0.0)  # nobody sends here
        self.client = self.browser()

    def nudge(self) -> None:
        self.nudged += 1

    def browser(self, client: tuple[str, int] = ("198.51.100.7", 50000)) -> TestClient:
        app = make_app(self.office, self.options)
        return TestClient(app, base_url="https://answers.own.example", follow_redirects=False, client=client)

    def hold(self, name: str = "hold", recipients: tuple[str, ...] = (PEER,), **meta: Any) -> str:
        """Take in a hold that asks its sender; the path of its link."""
        delivered = meta.pop("delivered", ())
        cls = meta.pop("cls", None)
        one = hold_object(name, recipients=recipients, **{**ASK, **meta})
        outcome = outcome_object([one], delivered)
        for line in outcome.meta["recipients"] if cls else ():
            line["class"] = cls
        self.world.take(one, outcome)
        return self.path(name)

    def path(self, name: str = "hold") -> str:
        return link(self.options, Secrets(self.world.release_key), self.row(name)).removeprefix("https://answers.own.example")

    def row(self, name: str = "hold") -> HoldRow:
        found = self.world.records.hold(hex_id(name))
        assert found is not None
        return found

    def answer(self, path: str, word: str, client: TestClient | None = None, **fields: Any) -> Any:
        """Open the page, choose, send: what a browser does."""
        client = client or self.client
        page = client.get(path).text
        return client.post(path, data={"nonce": nonce_of(page), "answer": word, **fields})


def nonce_of(page: str) -> str:
    found = re.search(r'name="nonce" value="([0-9a-f]+)"', page)
    return found[1] if found else ""


def field_of(page: str, word: str) -> str:
    """The name of the text field beside a choice."""
    after = page.partition(f'value="{word}"')[2].partition('<div class="choice')[0]
    found = re.search(r'name="(text-\d+)"', after)
    return found[1] if found else ""


def words(page: str) -> str:
    """The page as it is read: without markup, one space between words."""
    return " ".join(html.unescape(re.sub(r"<style.*?</style>|<[^>]+>", " ", page, flags=re.S)).split())


def secret_of(path: str) -> str:
    return path.rpartition("/")[2]


__all__ = ["FORM", "OFFERS", "REASON", "URL", "FormWorld", "field_of", "nonce_of", "secret_of", "words"]
