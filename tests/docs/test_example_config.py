"""systemd/clinigate.yaml shows every option, says what it does in its own words, and works."""

from __future__ import annotations

import re
from typing import Annotated, Any

import pytest
import yaml
from pydantic import TypeAdapter

from gateway.config import Settings, load
from tests.support.configs import walk
from tests.support.paths import ROOT

pytestmark = pytest.mark.unit

TEXT = (ROOT / "systemd" / "clinigate.yaml").read_text()
OPTIONS = dict(walk(Settings))
SECTIONS = {path for path in OPTIONS if any(other.startswith(f"{path}.") for other in OPTIONS)}
KEYS_OF_THE_ADMINISTRATOR = ("routes", "quarantine.deadlines")
EXAMPLES = (  # without a default that could be shown
    "listeners.tls", "routes.server_name", "routes.ca", "routes.certificate", "routes.key", "trusted_hosts", "smime", "dkim",
    "quarantine.office.holidays", "quarantine.emergencies.escalate_to", "quarantine.reports.folder",
    "quarantine.templates", "quarantine.alarm.command", "quarantine.deadlines", "quarantine.form.url",
    "quarantine.replies.domain",
    "quarantine.form.tls",
)  # fmt: skip


def switched_on() -> dict[str, Any]:
    """The example with the "#" taken from every option."""
    found: dict[str, Any] = yaml.safe_load(re.sub(r"^(\s*)#(?=\S)", r"\1", TEXT, flags=re.MULTILINE))
    return found


def shown(told: Any, path: str = "") -> dict[str, Any]:
    """Dotted path -> value.  Entries of lists and of mappings with free keys count as one; the first one's values are taken."""
    if path in KEYS_OF_THE_ADMINISTRATOR and isinstance(told, dict):
        told = list(told.values())
    if isinstance(told, list):
        return {key: value for one in reversed(told) for key, value in shown(one, f"{path}[]").items()}
    if not isinstance(told, dict):
        return {}
    found: dict[str, Any] = {}
    for key, value in told.items():
        inner = f"{path.removesuffix('[]')}.{key}".lstrip(".")
        found |= {inner: value, **shown(value, inner)}
    return found


def description(path: str) -> str:
    field = OPTIONS[path]
    return field.description or (field.annotation.__doc__ or "").strip().splitlines()[0].rstrip(".")


def test_every_option_is_there_and_none_is_invented() -> None:
    assert set(shown(switched_on())) == set(OPTIONS)


@pytest.mark.parametrize("path", sorted(OPTIONS))
def test_each_option_is_explained_in_its_own_words(path: str) -> None:
    comments = " ".join(re.findall(r"^\s*# (.*)$", TEXT, re.MULTILINE))
    assert description(path) and description(path) in comments


def test_it_loads_as_it_stands_and_with_every_option_switched_on() -> None:
    told = load(ROOT / "systemd" / "clinigate.yaml")
    assert [one.vouches for one in told.listeners] == ["envelope-sender", "nothing"]
    Settings.model_validate(switched_on())


def test_what_is_switched_off_shows_its_default() -> None:
    """Taking a "#" away without touching the value changes nothing."""
    whole, active = shown(switched_on()), shown(yaml.safe_load(TEXT))
    off = [path for path in whole if path not in active and path not in SECTIONS and not path.startswith(EXAMPLES)]
    assert len(off) > 40
    wrong = [path for path in off if read(path, whole[path]) != OPTIONS[path].get_default(call_default_factory=True)]
    assert wrong == []


def read(path: str, value: Any) -> Any:
    """A value as the option's own validation reads it."""
    annotation: Any = OPTIONS[path].annotation
    for extra in OPTIONS[path].metadata:
        annotation = Annotated[annotation, extra]
    return TypeAdapter(annotation).validate_python(value)
