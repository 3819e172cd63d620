"""Options and endings that commands share."""

from __future__ import annotations

import os
import pwd
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from gateway.config import ConfigError, Settings, load

USAGE = 2  # exit code: the command was used wrongly, or its configuration is broken

ConfigOption = Annotated[
    Path, typer.Option("--config", "-c", envvar="CLINIGATE_CONFIG", help="The mail admin's file.", show_default=True)
]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
DEFAULT_CONFIG = Path("/etc/clinigate/clinigate.yaml")


def settings(config: Path) -> Settings:
    """The configuration, or an end with every fault named."""
    try:
        return load(config)
    except ConfigError as error:
        fail(*error.problems)


def fail(*lines: str, code: int = USAGE) -> NoReturn:
    """Say what is wrong on standard error and end."""
    for line in lines:
        typer.echo(line, err=True)
    raise typer.Exit(code)


def user() -> str:
    """The login name that is recorded with a decision: of who called sudo, else of this process."""
    uid = int(os.environ.get("SUDO_UID", os.getuid())) if os.getuid() == 0 else os.getuid()
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"
