"""The IG team's folder as commands change it: read, checked as a whole, replaced whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Protocol, TypeVar

import typer

from gateway.commands.options import fail, settings
from gateway.commands.register.yamlentries import EditError
from gateway.config import ConfigError, policy_files
from gateway.policyfolder import swap
from policies.load import Policy, PolicyError, load_policy


class Text(Protocol):
    """A file that is being edited."""

    @property
    def text(self) -> str: ...


T = TypeVar("T", bound=Text)


@dataclass(frozen=True, slots=True)
class Folder:
    """A policy folder and the texts of its files."""

    path: Path
    files: Mapping[str, str]

    def policy(self, **changed: str) -> Policy:
        """The policy, with other texts for some files.  Raises PolicyError naming every fault."""
        return load_policy({name: text.encode() for name, text in {**self.files, **changed}.items()})

    def write(self, name: str, text: str) -> Policy:
        """Replace one file if the whole policy is good with it.  Raises PolicyError, OSError.

        What somebody else changed in the meantime is not overwritten.
        """
        policy = self.policy(**{name: text})
        swap.replace(self.path, {name: text}, self.files)
        return policy


def opened(config: Path) -> Folder:
    """The folder of a configuration, or an end with what is wrong."""
    path = settings(config).policy
    try:
        return Folder(path, policy_files(path))
    except ConfigError as error:
        fail(*error.problems)
    except OSError as error:
        fail(f"{path}: {error.strerror}", code=1)


def current(folder: Folder) -> Policy:
    """The folder's policy, or an end with what is wrong."""
    try:
        return folder.policy()
    except PolicyError as error:
        fail(*error.problems)


def edit(
    folder: Folder, name: str, read: Callable[[str], T], work: Callable[[T], list[str]], *trouble: type[Exception]
) -> None:
    """Change one file by ``work``, check the whole policy with it, write it, say what was done; or an end with what is wrong.

    ``trouble``: what ``work`` raises that is told as it is.
    """
    try:
        text = read(folder.files[name])
        told = work(text)
        folder.write(name, text.text)
    except PolicyError as error:
        fail(*error.problems, "Nothing was changed.", code=1)
    except (EditError, OSError) as error:
        fail(str(error), code=1)
    except trouble as error:
        fail(str(error), code=1)
    for line in told:
        typer.echo(line)


def utf8(path: Path) -> str:
    """The text of a file from elsewhere, or an end with what to do."""
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        fail(f'{path}: not UTF-8 text; save it as UTF-8 (in a spreadsheet as "CSV UTF-8")', code=1)


def day(text: str) -> date | None:
    """An option's day, None for no text; or an end with what to write."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        fail(f'"{text}" is no day; write it like 2028-02-28')
