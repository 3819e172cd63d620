"""docs/cli.md out of the commands themselves: ``python -m tests.support.cli`` writes it."""

from __future__ import annotations

import textwrap
import typing
from collections.abc import Callable, Iterator
from enum import Enum
from pathlib import Path
from typing import Any

import typer
from typer.models import ArgumentInfo
from typer.utils import get_params_from_function

from gateway.cli import app
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "cli.md"
_HEAD = """# Commands

Made by `python -m tests.support.cli` from the commands themselves; do not edit it by hand. `clinigate COMMAND --help` says the
same.

Exit codes of every command: 0 it is done; 1 it could not be done, or `check`, `alarm` or `scrub` found something that needs
you; 2 the command was used wrongly, or the configuration is broken (each fault is told with its file and line). `--config` may
be left out where `CLINIGATE_CONFIG` names the file.

With `--json` a command prints JSON for programs: keys stay, new ones may come. No command prints content, subjects or file
names of held mail. What `hold` does is recorded with the login name of whoever called it, also under sudo.
"""


def commands(group: typer.Typer = app, name: str = "clinigate") -> Iterator[tuple[str, Callable[..., Any]]]:
    """(full name, function) of every command."""
    for command in group.registered_commands:
        assert command.callback is not None
        yield f"{name} {command.name or command.callback.__name__}", command.callback
    for nested in group.registered_groups:
        assert nested.typer_instance is not None
        yield from commands(nested.typer_instance, f"{name} {nested.name}")


def parameters(command: Callable[..., Any]) -> Iterator[tuple[str, str, str]]:
    """(how it is written, default, what it is for) of each argument and option but --help."""
    for name, one in get_params_from_function(command).items():
        info = one.default
        bare = next((part for part in (one.annotation, *typing.get_args(one.annotation)) if isinstance(part, type)), str)
        repeated = "list[" in str(one.annotation)
        if isinstance(info, ArgumentInfo):
            written = name.upper() + (" …" if repeated else "")
        else:
            flags = ", ".join(info.param_decls or (f"--{name.replace('_', '-')}",))
            written = flags if bare is bool else f"{flags} {_VALUES.get(bare, 'TEXT')}"
        choices = f" One of {', '.join(bare)}." if issubclass(bare, Enum) else ""
        again = " May be given more than once." if repeated and not isinstance(info, ArgumentInfo) else ""
        yield written, _default(info.default), f"{info.help or ''}{choices}{again}"


_VALUES = {Path: "PATH", float: "NUMBER", int: "NUMBER"}


def _default(value: object) -> str:
    if value is ...:
        return "must be given"
    return "" if value in (None, False) else f"`{value}`"


def page() -> str:
    """docs/cli.md."""
    lines = [_HEAD]
    for name, command in commands():
        lines += [f"## {name}", "", _paragraphs(command.__doc__ or ""), ""]
        rows = [f"| `{written}` | {default} | {words} |" for written, default, words in parameters(command)]
        lines += ["| | default | |", "|---|---|---|", *rows, ""] if rows else []
    return "\n".join(lines)


def _paragraphs(text: str) -> str:
    """The command's own words, wrapped as the other pages are."""
    return "\n\n".join(textwrap.fill(" ".join(one.split()), 130, break_on_hyphens=False) for one in text.strip().split("\n\n"))


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
