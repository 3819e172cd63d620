"""``clinigate alarm``: is held mail being looked after?  For a timer, outside the service it watches."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, settings
from quarantine.watch import look


def alarm(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say what is wrong with the quarantine, run the alarm command for each, and end with 1; with 0 when all is well."""
    told = settings(config).quarantine
    found = look(told, time.time())
    if as_json:
        typer.echo(json.dumps([asdict(one) for one in found], indent=2))
    for one in found:
        if not as_json:
            typer.echo(f"{one.code}: {one.text}", err=True)
        if told.alarm.command:
            try:
                subprocess.run([*told.alarm.command, one.code, one.ref], timeout=told.alarm.timeout, check=True)  # noqa: S603 - the admin's own program
            except (OSError, subprocess.SubprocessError) as error:
                typer.echo(f"the alarm command failed ({type(error).__name__})", err=True)
    raise typer.Exit(1 if found else 0)
