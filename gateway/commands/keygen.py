"""``clinigate keygen``: the keys a new installation needs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.options import fail
from quarantine.keys import NAMES, KeyFileError, generate, generate_secret

SECRETS = ("release.key", "hash.key")


def keygen(folder: Annotated[Path, typer.Argument(help="Where the keys go; made if it is not there.")]) -> None:
    """Make quarantine keys (online, review), the release key and the hash key.  Keys that are there are never overwritten."""
    wanted = [folder / "quarantine" / f"{name}.{end}" for name in NAMES for end in ("key", "pub")]
    wanted += [folder / name for name in SECRETS]
    if there := [path for path in wanted if path.exists()]:
        fail(f"{there[0]} exists already; a key in use is never overwritten, so nothing was made", code=1)
    try:
        made = generate(folder / "quarantine")
        for name in SECRETS:
            generate_secret(folder / name)
    except (OSError, KeyFileError) as error:
        fail(str(error), code=1)
    for name, identity in made.items():
        typer.echo(f"{folder / 'quarantine' / name}.pub  key id {identity}")
    typer.echo(f"{folder / 'release.key'}, {folder / 'hash.key'}: shared by both programs")
    typer.echo("Give the gateway's user only the .pub files, release.key and hash.key.")
    typer.echo("review.key may be kept off this machine: `clinigate hold release --key FILE` takes it from there.")
