"""One entry of a long YAML list as commands change it: read and written by itself, so that all else stays byte for byte."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final

import yaml
from ruamel.yaml import YAML
from ruamel.yaml.error import YAMLError

from policies.files.yamlmap import YamlError, parse

WIDTH: Final = 4096  # never fold what a person wrote on one line


class EditError(Exception):
    """The file cannot be edited; the text says why."""


def load_entry(block: str) -> Any:
    """A list of one mapping that keeps comments and order.  Raises EditError."""
    try:
        made = _round_trip(2).load(block)
    except YAMLError:
        raise EditError("an entry is no YAML; run `clinigate check`") from None
    if not isinstance(made, list) or len(made) != 1 or not isinstance(made[0], dict):
        raise EditError("an entry is written unusually; edit the file by hand")
    return made


def dump_entry(made: Any, indent: str) -> str:
    """The text of what ``load_entry`` gave, its dash behind ``indent``."""
    out = io.StringIO()
    _round_trip(len(indent)).dump(made, out)
    return out.getvalue()


def as_read(entry: Any) -> dict[str, Any]:
    """An entry of ``load_entry`` as the policy's reader takes it: it knows YAML 1.1, where a bare ``yes`` is no text.

    Raises EditError.
    """
    try:
        return dict(parse(dump_entry([entry], "").encode(), "")[0][0])
    except YamlError as error:
        raise EditError(str(error)) from None


def without_tail(block: str) -> tuple[str, str]:
    """The entry, and the blank lines and comments behind it, which belong to what follows."""
    lines = block.splitlines(keepends=True)
    end = len(lines)
    while end > 1 and (not lines[end - 1].strip() or lines[end - 1].lstrip().startswith("#")):
        end -= 1
    body = "".join(lines[:end])
    return (body if body.endswith("\n") else body + "\n"), "".join(lines[end:])


def new_entry(entry: Mapping[str, Any], indent: str) -> str:
    """A new entry as text: short lists and tables in one line."""
    lines = yaml.safe_dump([dict(entry)], default_flow_style=None, sort_keys=False, allow_unicode=True, width=WIDTH)
    return "".join(f"{indent}{line}" for line in lines.splitlines(keepends=True))


def _round_trip(indent: int) -> YAML:
    reader = YAML(typ="rt")
    reader.preserve_quotes = True
    reader.width = WIDTH
    reader.indent(mapping=2, sequence=indent + 2, offset=indent)
    return reader
