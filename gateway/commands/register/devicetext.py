"""devices.yaml as text that commands edit: only the entry that changes is written anew, all else stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import Any, Final

from gateway.commands.register.yamlentries import EditError, dump_entry, load_entry, new_entry, without_tail
from policies.domains.blocks import cut

__all__ = ["DeviceText", "EditError"]

_KEY: Final = "devices"
_EMPTY: Final = re.compile(rf"^{_KEY}:[ \t]*(?:\[[ \t]*\])?[ \t]*(?:#[^\n]*)?(?:\n|\Z)", re.M)


class DeviceText:
    """The text and its devices."""

    def __init__(self, text: str) -> None:
        pieces = cut(text, _KEY)
        if pieces is not None:
            self._before, self._blocks, self._after = pieces.before, list(pieces.blocks), pieces.after
            return
        head = _EMPTY.search(text)
        if head is None and re.search(rf"^{_KEY}:", text, re.M):
            raise EditError('write "devices:" on a line of its own and each device with a dash below it, for commands to edit it')
        start, end = head.span() if head is not None else (len(text), len(text))
        above = text[:start] + ("" if not text[:start] or text[:start].endswith("\n") else "\n")
        self._before, self._blocks, self._after = f"{above}{_KEY}:\n", [], text[end:]

    @property
    def text(self) -> str:
        """As it stands now."""
        return "".join((self._before, *self._blocks, self._after))

    def add(self, device: Mapping[str, Any]) -> None:
        """Put a new device behind the last one.  Raises EditError when its id is taken."""
        if self._find(str(device["id"])) is not None:
            raise EditError(f"{device['id']} is in the register already; see `clinigate device list`")
        if self._blocks and not self._blocks[-1].endswith("\n"):
            self._blocks[-1] += "\n"
        indent = self._blocks[0][: self._blocks[0].index("-")] if self._blocks else "  "
        self._blocks.append(new_entry(device, indent))

    def retire(self, name: str, day: date, reason: str) -> None:
        """Write when a device was taken out of use.  Raises EditError for one that is not there, or is out of use already."""
        at = self._find(name)
        if at is None:
            raise EditError(f"{name} is not in the register; see `clinigate device list`")
        body, tail = without_tail(self._blocks[at])
        made = load_entry(body)
        entry = made[0]
        if entry.get("retired"):
            raise EditError(f"{name} was retired on {entry['retired']} already")
        entry["retired"] = day
        if reason:
            entry["notes"] = f"{entry['notes']}; {reason}" if entry.get("notes") else reason
        self._blocks[at] = dump_entry(made, body[: body.index("-")]) + tail

    def _find(self, name: str) -> int | None:
        for at, block in enumerate(self._blocks):
            if str(load_entry(without_tail(block)[0])[0].get("id", "")).casefold() == name.casefold():
                return at
        return None
