"""``clinigate alarm``: is held mail being looked after?  For a timer, outside the service it watches."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import asdict
from pathlib import Path

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, settings
from gateway.policyfolder.versions import Versions
from quarantine.watch import Trouble, look


def _policy(versions: Path) -> list[Trouble]:
    """A broken policy in the folder: nobody's changes are in force until it is mended."""
    try:
        broken = Versions(versions).broken()
    except OSError as error:
        return [Trouble("policy-unreadable", "", f"{versions} cannot be read: {error.strerror}")]
    if broken is None:
        return []
    what = broken.problems[0] if broken.problems else "it cannot be used"
    return [Trouble("policy-broken", "", f"the new policy is not in force, {broken.in_force[:12]} still is: {what}")]


def alarm(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Say what is wrong with held mail or a new policy, run the alarm command for each, and end with 1; with 0 if all is well."""
    whole = settings(config)
    told = whole.quarantine
    found = [*look(told, time.time()), *_policy(whole.state / "policies")]
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
