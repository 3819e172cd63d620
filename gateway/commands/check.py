"""``clinigate check``: is everything there and right before mail depends on it?"""

from __future__ import annotations

import asyncio
import json
from dataclasses import asdict

import typer

from gateway.checks import CHECKS, Problem
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, settings


def check(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Configuration, keys, next hop, register, timeouts, routes, sandbox: what is wrong, where, and what to write instead."""
    told = settings(config)
    problems: list[Problem] = []
    rows: list[dict[str, str]] = []
    for name, one in CHECKS.items():
        found = asyncio.run(one(told))
        problems += found
        rows += [{"check": name, **asdict(problem)} for problem in found]
        if not as_json:
            typer.echo(f"{name:14} " + ("ok" if not found else ""))
            for problem in found:
                typer.echo(f"  {problem.level}: {problem.where}: {problem.what}")
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    raise typer.Exit(1 if any(problem.level == "error" for problem in problems) else 0)
