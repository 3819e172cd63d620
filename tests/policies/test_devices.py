"""The register of clinical cameras: which picture counts as taken with one, and what the settings make of it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.decide import decide
from policies.lists.devices import Devices, glob_line, read_devices
from policies.load import load_policy
from policies.model import Action
from policies.record import from_record, to_record
from tests.support.paths import ROOT
from tests.support.policyfacts import facts, files, image, statement

pytestmark = pytest.mark.unit

TODAY = date(2026, 11, 23)
PHONES = (ROOT / "policies" / "data" / "personal-devices.txt").read_bytes()
REGISTER = b"""
devices:
  - {id: derm-1, make: Canon, model: EOS 850D, serial: "0330217701234", owner: Illustration, location: Clinic 2}
  - {id: any-d850, make: Nikon, model: D850, owner: Illustration}
  - {id: old, make: Canon, model: EOS 5D, serial: "1", owner: A, until: 2026-01-31}
  - {id: coming, make: Canon, model: EOS 5D, serial: "2", owner: A, from: 2027-01-01}
  - {id: gone, make: Canon, model: EOS 5D, serial: "3", owner: A, retired: 2026-11-23}
  - {id: ward-phone, make: Apple, model: iPhone 15, owner: Ward 4}
"""


def register(text: bytes = REGISTER) -> Devices:
    problems: list[str] = []
    found = read_devices(text, "devices.yaml", PHONES, "personal-devices.txt", problems)
    assert problems == []
    return found


@pytest.mark.parametrize(
    ("make", "model", "serial", "code"),
    [
        ("Canon", "Canon EOS 850D", "0330217701234", "device.registered"),
        ("CANON", "EOS  850D", "330217701234", "device.registered"),
        ("Canon", "Canon EOS 850D", "999", "device.unregistered"),
        ("Canon", "Canon EOS 850D", "", "device.unknown"),
        ("NIKON CORPORATION", "NIKON D850", "77", "device.registered"),
        ("Canon", "Canon EOS 5D", "1", "device.unregistered"),
        ("Canon", "Canon EOS 5D", "2", "device.unregistered"),
        ("Canon", "Canon EOS 5D", "3", "device.unregistered"),
        ("Apple", "iPhone 15", "", "device.registered"),
        ("Apple", "iPhone 14 Pro", "", "device.personal"),
        ("samsung", "SM-S918B", "", "device.personal"),
        ("Google", "Pixel 8", "", "device.personal"),
        ("Samplephone", "S-1000", "SN1", "device.unregistered"),
        ("", "", "", "device.unknown"),
        ("  ", "", "123", "device.unknown"),
    ],
)
def test_how_a_device_stands(make: str, model: str, serial: str, code: str) -> None:
    """By what its pictures say; before its first day, after its last and once retired it does not count."""
    assert register().standing(make, model, serial, TODAY) == code


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"devices:\n  - {id: a, make: X, model: Y}\n", ["devices.yaml:2: devices[0].owner: is missing and must be written"]),
        (
            b"devices:\n  - {id: a, make: X, model: Y, owner: B}\n  - {id: A, make: X, model: Z, owner: B}\n",
            ['devices.yaml:3: devices[1].id: the id "A" stands twice; every device needs its own'],
        ),
        (
            b"devices:\n  - {id: a, make: X, model: Y, serial: '01', owner: B}\n"
            b"  - {id: b, make: X, model: Y, serial: '1', owner: B}\n",
            [
                "devices.yaml:3: devices[1].serial: this serial number stands twice; keep one entry, "
                "or say when the older was retired"
            ],
        ),
        (
            b"devices:\n  - {id: a, make: X, model: Y, owner: B, from: 2026-02-01, until: 2026-01-01}\n",
            ["devices.yaml:2: devices[0].until: 2026-01-01 is before 2026-02-01, the first day"],
        ),
    ],
)
def test_each_fault_is_told_with_its_line(text: bytes, told: list[str]) -> None:
    problems: list[str] = []
    read_devices(text, "devices.yaml", None, "", problems)
    assert problems == told


def test_a_misspelt_key_is_told_with_the_right_one() -> None:
    problems: list[str] = []
    read_devices(b"devices:\n  - {id: a, make: X, modell: Y, owner: B}\n", "devices.yaml", None, "", problems)
    assert any('did you mean "model"?' in one for one in problems)


@pytest.mark.parametrize("text", [b"", b"devices: []\n", b"# nothing yet\n", b"devices:\n"])
def test_an_empty_register_is_one(text: bytes) -> None:
    problems: list[str] = []
    found = read_devices(text, "devices.yaml", PHONES, "personal-devices.txt", problems)
    if text != b"devices:\n":
        assert problems == []
    assert found.count == 0


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_any_words_have_a_standing(make: str, model: str, serial: str) -> None:
    """Hidden data hold anything at all; one of four codes comes of it, and an unregistered name is never registered."""
    code = register().standing(make, model, serial, TODAY)
    assert code in ("device.registered", "device.unregistered", "device.unknown", "device.personal")
    if code == "device.registered":
        assert register().find(make, model, serial, TODAY) is not None


def test_a_glob_for_everything_is_no_line() -> None:
    assert glob_line(["*"]) is None
    assert glob_line(["Apple", "iPhone*"]) == "apple iphone*"


def policy(settings: str, devices: bytes = REGISTER) -> Any:
    shipped = b"  devices: {personal: warn, unregistered: warn, unknown: ignore}\n"
    assert files()["policy.yaml"].count(shipped) == 1
    text = files()["policy.yaml"].replace(shipped, settings.encode())
    return load_policy({**files(), "policy.yaml": text, "devices.yaml": devices})


def taken(code: str, kind: str = "K3", group: str = "clinical", form: str = "v") -> Any:
    return facts("A", kind, statement(form, "P1"), images=(image(kind, codes=frozenset({code})),), sender_group=group)


@pytest.mark.parametrize(
    ("settings", "code", "action", "advice"),
    [
        ("", "device.personal", "PROTECT", ("device.personal",)),
        ("", "device.unregistered", "PROTECT", ("device.unregistered",)),
        ("", "device.unknown", "PROTECT", ()),
        ("", "device.registered", "PROTECT", ()),
        ("  devices: {personal: allow}\n", "device.personal", "PROTECT", ()),
        ("  devices: {unregistered: ignore}\n", "device.unregistered", "PROTECT", ()),
        ("  devices: {personal: hold}\n", "device.personal", "QUARANTINE", ()),
        ("  devices: {unknown: hold}\n", "device.unknown", "QUARANTINE", ()),
        ("  devices: {kinds: {K3: {personal: hold}}}\n", "device.personal", "QUARANTINE", ()),
        ("  devices: {kinds: {K4: {personal: hold}}}\n", "device.personal", "PROTECT", ("device.personal",)),
        ("  devices: {kinds: {K3: {personal: allow}}}\n", "device.personal", "PROTECT", ("device.personal",)),
        ("  devices: {personal: hold, groups: {clinical: {personal: allow}}}\n", "device.personal", "PROTECT", ()),
        ("  devices: {personal: hold, groups: {clinical: {personal: allow}}, kinds: {K3: {personal: hold}}}\n",
         "device.personal", "QUARANTINE", ()),
    ],
)  # fmt: skip
@pytest.mark.slow
def test_what_the_settings_make_of_it(settings: str, code: str, action: str, advice: tuple[str, ...]) -> None:
    """warn is a line in a notice that is sent anyway; a group replaces, a kind can only be stricter."""
    made = policy(settings)
    decision = decide(made, taken(code))
    assert decision.action is Action[action]
    assert tuple(one for one in decision.advice if one.startswith("device")) == advice
    assert decide(made, from_record(to_record(taken(code)))).action is Action[action]


def test_without_a_register_no_camera_is_called_unregistered() -> None:
    assert decide(policy("", b"devices: []\n"), taken("device.unregistered")).advice == ()


def test_warn_and_allow_never_ask_and_an_emergency_never_waits() -> None:
    """Whatever the code, the action is that of the same mail without one; under hold an emergency still goes."""
    plain = decide(policy(""), facts("A", "K3", statement("v", "P1"))).action
    for code in ("device.personal", "device.unregistered", "device.unknown", "device.registered"):
        assert decide(policy(""), taken(code)).action is plain
    urgent = taken("device.personal", form="emergency")
    assert decide(policy("  devices: {personal: hold}\n"), urgent).action is Action.PROTECT
