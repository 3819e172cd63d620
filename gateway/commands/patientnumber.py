"""A patient's number given to a command: from the keyboard or standard input, so that it stands in no shell history."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from filters.identify.numbers import find
from gateway.commands.options import fail

PatientOption = Annotated[
    str | None,
    typer.Option(
        "--patient",
        metavar="NUMBER|-",
        help="Patient's number; `-` asks for it (or reads a line of standard input) and keeps it out of the shell's history.",
    ),
]


def patient_number(given: str) -> str:
    """The number that is meant; it is never shown again.  Ends with an advice when nothing was given."""
    if given == "-":
        text = typer.prompt("Patient's number", hide_input=True, err=True) if sys.stdin.isatty() else sys.stdin.readline(4096)
    else:
        text = given
        typer.echo(
            "The number is now in your shell's history, and other users could see it; next time write --patient -, then type it.",
            err=True,
        )
    if not any(char.isalnum() for char in text):
        fail("no patient's number was given: write --patient - and type it")
    known = find(text)
    if not known:
        typer.echo("This passes no check of an NHS, CHI, IHI or Medicare number; it is searched for as it stands.", err=True)
    return known[0].value if known else text.strip()
