"""domains.yaml as text that commands edit: only the entries that change are written anew, all else stays byte for byte."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from ruamel.yaml.comments import CommentedSeq

from gateway.commands.register.yamlentries import EditError, dump_entry, load_entry, new_entry, without_tail
from policies.domains.blocks import Cut, cut
from policies.register import a_label, plain_local, split_address

__all__ = ["EditError", "RegisterText", "entry_name"]

_NAMED: Final = re.compile(r"\b(?:domain|address):[ ]*[\"']?([^\s\"',}]+)")
Change = Callable[[Any], None]


def entry_name(entry: Mapping[str, Any]) -> str:
    """Domain or address of an entry as the register compares it; "" if it has none."""
    if entry.get("address"):
        local, domain = split_address(str(entry["address"]))
        return f"{plain_local(local)}@{a_label(domain)}"
    return a_label(str(entry.get("domain") or "")) or ""


class RegisterText:
    """The text and its entries."""

    def __init__(self, text: str) -> None:
        pieces = cut(text, "domains")
        if pieces is None:
            raise EditError('write "domains:" on a line of its own and each entry with a dash below it, for commands to edit it')
        self._cut: Cut = pieces
        self._blocks = list(pieces.blocks)
        self._places: dict[str, list[int]] | None = None  # name -> the blocks that could be about it

    @property
    def text(self) -> str:
        """As it stands now."""
        return "".join((self._cut.before, *self._blocks, self._cut.after))

    def entry(self, name: str) -> Any:
        """What is written about ``name``; None if nothing is."""
        at = self._find(name)
        return None if at is None else load_entry(self._blocks[at])[0]

    def in_batch(self, batch: str) -> list[Any]:
        """Every entry that came with an import."""
        found = [load_entry(block)[0] for block in self._blocks if batch in block]
        return [entry for entry in found if entry.get("batch") == batch]

    def change(self, name: str, work: Change) -> None:
        """Let ``work`` change the entry of ``name``: a mapping that keeps comments and order."""
        at = self._find(name)
        if at is None:
            raise EditError(f"{name} is not in the register; `clinigate domain propose {name}` puts it there")
        body, tail = without_tail(self._blocks[at])
        made = load_entry(body)
        work(made[0])
        signed = made[0].get("approved_by")
        if isinstance(signed, list) and not isinstance(signed, CommentedSeq):
            made[0]["approved_by"] = CommentedSeq(signed)
            made[0]["approved_by"].fa.set_flow_style()
        self._blocks[at] = dump_entry(made, self._indent(at)) + tail

    def add(self, entries: Iterable[Mapping[str, Any]]) -> None:
        """Put new entries behind the last one."""
        indent = self._indent(0)
        self._places = None
        last = self._blocks[-1]
        self._blocks[-1] = last if last.endswith("\n") else last + "\n"
        for entry in entries:
            self._blocks.append(new_entry(entry, indent))

    def _find(self, name: str) -> int | None:
        if self._places is None:
            self._places = {}
            for at, block in enumerate(self._blocks):
                for word in _NAMED.findall(block):
                    self._places.setdefault(_plain(word), []).append(at)
        candidates = self._places.get(name, ())
        return next((at for at in candidates if entry_name(load_entry(self._blocks[at])[0]) == name), None)

    def _indent(self, at: int) -> str:
        block = self._blocks[at]
        return block[: block.index("-")]


def _plain(word: str) -> str:
    local, domain = split_address(word)
    return f"{plain_local(local)}@{a_label(domain)}" if local else a_label(domain) or ""
