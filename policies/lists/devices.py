"""The register of clinical cameras (devices.yaml), and how the device that took a picture stands (S2-9, S2-10, S3-21, S4-12).

A picture states its device in its hidden data, which are read before they are taken out.  Anybody can write hidden data: this
is for advice and for order among one's own cameras, it is no proof.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fnmatch import translate
from functools import lru_cache
from typing import Any, Final

import pydantic
from pydantic import Field

from policies.files.strict import Strict, Word
from policies.files.yamlmap import Lines, YamlError, explain_validation, parse, say

REGISTERED: Final = "device.registered"
UNREGISTERED: Final = "device.unregistered"
UNKNOWN: Final = "device.unknown"
PERSONAL: Final = "device.personal"
CODES: Final[Mapping[str, str]] = {
    REGISTERED: "The picture names a camera of the organisation's register (devices.yaml).",
    UNREGISTERED: "The picture names a camera that is not in the register, not any more or not yet.",
    UNKNOWN: "The picture does not say which device took it.",
    PERSONAL: "The picture names a kind of phone or tablet that people carry privately.",
}
_MOST: Final = 5000  # globs
_LONGEST: Final = 120  # letters of one


class DeviceModel(Strict):
    """One clinical camera, scanner or phone of the organisation."""

    id: Word = Field(description="Name of the device, for instance the number on its label; unique.")
    make: str = Field(min_length=1, max_length=80, description="Maker as its pictures name it, for instance Canon.")
    model: str = Field(min_length=1, max_length=80, description="Model as its pictures name it, for instance EOS 850D.")
    serial: str = Field(
        "", max_length=80, description="Serial number of the body as its pictures name it; left out: every device of this model."
    )
    owner: str = Field(min_length=1, max_length=120, description="Person or team that answers for it.")
    location: str = Field("", max_length=120, description="Where it is kept.")
    from_: date | None = Field(None, alias="from", description="First day on which it counts.")
    until: date | None = Field(None, description="Last day on which it counts.")
    retired: date | None = Field(None, description="Day on which it was taken out of use; it does not count from then on.")
    notes: str = Field("", max_length=500, description="Free text.")


class DevicesModel(Strict):
    """devices.yaml."""

    devices: tuple[DeviceModel, ...] = Field((), description="The register of clinical cameras.")


@dataclass(frozen=True, slots=True)
class Devices:
    """The register, ready to be asked.  ``content`` is what it says, for the policy's digest."""

    entries: Mapping[tuple[str, str], tuple[DeviceModel, ...]] = field(default_factory=dict, repr=False)
    personal: re.Pattern[str] | None = field(default=None, repr=False)
    content: Any = field(default=(), repr=False)

    @property
    def count(self) -> int:
        return sum(len(found) for found in self.entries.values())

    def find(self, make: str, model: str, serial: str, today: date) -> DeviceModel | None:
        """The registered device that a picture names, if it counts today."""
        for one in self.entries.get(_key(make, model), ()):
            if _counts(one, today) and (not one.serial or _serial(one.serial) == _serial(serial)):
                return one
        return None

    def standing(self, make: str, model: str, serial: str, today: date) -> str:
        """The finding code of a picture that names this device ("" for what it does not name)."""
        if not (make.strip() or model.strip()):
            return UNKNOWN
        if self.find(make, model, serial, today) is not None:
            return REGISTERED
        if self.personal is not None and self.personal.fullmatch(_flat(f"{make} {model}")):
            return PERSONAL
        wanted = [one for one in self.entries.get(_key(make, model), ()) if _counts(one, today)]
        return UNKNOWN if wanted and not serial.strip() else UNREGISTERED  # the right model, and not told which of them


def read_devices(text: bytes | None, file: str, globs: bytes | None, globs_file: str, problems: list[str]) -> Devices:
    """The register and the list of private devices; what is wrong goes into ``problems`` as printable lines.  None: no file."""
    pattern, wrong = _personal(globs, globs_file) if globs is not None else (None, ())
    problems.extend(wrong)
    if text is None or not text.strip():
        return Devices(personal=pattern)
    try:
        data, lines = parse(text, file)
        model = DevicesModel.model_validate(data if data is not None else {})
    except YamlError as error:
        problems.extend(error.problems)
        return Devices(personal=pattern)
    except pydantic.ValidationError as error:
        problems.extend(explain_validation(error, lines, file, DevicesModel))
        return Devices(personal=pattern)
    problems.extend(_faults(model.devices, lines, file))
    entries: dict[tuple[str, str], list[DeviceModel]] = {}
    for one in model.devices:
        entries.setdefault(_key(one.make, one.model), []).append(one)
    content = [one.model_dump(mode="json") for one in model.devices]
    return Devices({at: tuple(found) for at, found in entries.items()}, pattern, content)


def _faults(devices: Sequence[DeviceModel], lines: Lines, file: str) -> list[str]:
    """What the shape cannot show: names and serial numbers that stand twice, days in the wrong order."""
    found: list[str] = []
    names: dict[str, int] = {}
    serials: dict[tuple[str, str, str], int] = {}
    for at, one in enumerate(devices):
        here = ("devices", at)
        if names.setdefault(one.id.casefold(), at) != at:
            found.append(say(file, lines, (*here, "id"), f'the id "{one.id}" stands twice; every device needs its own'))
        serial = (*_key(one.make, one.model), _serial(one.serial))
        if one.serial and one.retired is None and serials.setdefault(serial, at) != at:
            told = "this serial number stands twice; keep one entry, or say when the older was retired"
            found.append(say(file, lines, (*here, "serial"), told))
        if one.from_ is not None and one.until is not None and one.until < one.from_:
            found.append(say(file, lines, (*here, "until"), f"{one.until} is before {one.from_}, the first day"))
    return found


def _counts(one: DeviceModel, today: date) -> bool:
    begun = one.from_ is None or one.from_ <= today
    return begun and (one.until is None or today <= one.until) and (one.retired is None or today < one.retired)


def _flat(text: str) -> str:
    return " ".join(text.casefold().split())


def _key(make: str, model: str) -> tuple[str, str]:
    """"NIKON CORPORATION", "NIKON D850" and "Nikon", "D850" are one camera."""
    maker = _flat(make).split(" ")[0]
    return maker, _flat(model).removeprefix(f"{maker} ") if maker else _flat(model)


def _serial(serial: str) -> str:
    """Cameras fill with zeros what their label does not."""
    return "".join(serial.casefold().split()).lstrip("0")


def glob_line(words: list[str]) -> str | None:
    """One line of a published list of private devices as it stands in ours."""
    glob = _flat(" ".join(words))
    return glob if any(char.isalnum() for char in glob) and len(glob) <= _LONGEST else None


@lru_cache(maxsize=4)
def _personal(text: bytes, file: str) -> tuple[re.Pattern[str] | None, tuple[str, ...]]:
    """The list of private devices as one pattern, and what is wrong with it."""
    try:
        lines = text.decode("utf-8").splitlines()
    except UnicodeDecodeError:
        return None, (f"{file}:1: not UTF-8 text",)
    globs: list[str] = []
    problems: list[str] = []
    for number, line in enumerate(lines, 1):
        glob = _flat(line.partition("#")[0])
        if glob and not any(char.isalnum() for char in glob):
            problems.append(f'{file}:{number}: "{glob[:40]}" would stand for every device; write its make')
        elif glob:
            globs.append(glob)
    if len(globs) > _MOST:
        problems.append(f"{file}:{_MOST + 1}: more than {_MOST} lines")
    if not globs or problems:
        return None, tuple(problems)
    return re.compile("|".join(f"(?:{translate(glob)})" for glob in globs)), ()
