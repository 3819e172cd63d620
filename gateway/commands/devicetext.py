"""devices.yaml as text that commands edit: comments, order and quotes of what does not change stay."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

_WIDTH: Final = 4096  # never fold what a person wrote on one line
_KEY: Final = "devices"


class EditError(Exception):
    """The file cannot be edited; the text says why."""


class DeviceText:
    """The text and its devices."""

    def __init__(self, text: str) -> None:
        try:
            data = _round_trip().load(text)
        except YAMLError:
            raise EditError("devices.yaml is no YAML; run `clinigate policy check`") from None
        self._data = data if data is not None else CommentedMap()
        if not isinstance(self._data, CommentedMap) or not isinstance(self._data.get(_KEY, []), list | None):
            raise EditError('devices.yaml must hold a list under "devices:"')
        if not self._data.get(_KEY):
            self._data[_KEY] = CommentedSeq()

    @property
    def text(self) -> str:
        """As it stands now."""
        out = io.StringIO()
        _round_trip().dump(self._data, out)
        return out.getvalue()

    def add(self, device: Mapping[str, Any]) -> None:
        """Put a new device behind the last one.  Raises EditError when its id is taken."""
        if self._find(str(device["id"])) is not None:
            raise EditError(f"{device['id']} is in the register already; see `clinigate device list`")
        entry = CommentedMap({key: _plain(key, value) for key, value in device.items()})
        entry.fa.set_flow_style()
        self._data[_KEY].append(entry)

    def retire(self, name: str, day: date, reason: str) -> None:
        """Write when a device was taken out of use.  Raises EditError for one that is not there, or is out of use already."""
        entry = self._find(name)
        if entry is None:
            raise EditError(f"{name} is not in the register; see `clinigate device list`")
        if entry.get("retired"):
            raise EditError(f"{name} was retired on {entry['retired']} already")
        entry["retired"] = day
        if reason:
            entry["notes"] = f"{entry['notes']}; {reason}" if entry.get("notes") else reason

    def _find(self, name: str) -> Any:
        entries = [one for one in self._data[_KEY] if isinstance(one, dict)]
        return next((one for one in entries if str(one.get("id", "")).casefold() == name.casefold()), None)


def _plain(key: str, value: Any) -> Any:
    """A serial number in quotes: 0123 without them is another number."""
    return DoubleQuotedScalarString(value) if key in ("serial", "id") and str(value)[:1].isdigit() else value


def _round_trip() -> YAML:
    made = YAML(typ="rt")
    made.preserve_quotes = True
    made.width = _WIDTH
    made.indent(mapping=2, sequence=4, offset=2)
    return made
