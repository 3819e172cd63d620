"""``clinigate scrub``: clean pictures by hand, without the gateway."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from filters.api import Fate, FilterError
from filters.scrub import clean
from gateway.commands.options import fail

REFUSED = 1


def scrub(
    files: Annotated[list[Path], typer.Argument(help="Pictures (JPEG, PNG).")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the cleaned files.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the files themselves.")] = False,
) -> None:
    """Remove metadata without touching a pixel.

    Without -o or --in-place a cleaned file stands beside its original as NAME.clean.EXT.  Exit code 0: all clean; 1: some were
    refused; 2: wrong usage.
    """
    if output and in_place:
        fail("give either --output or --in-place")
    if output:
        try:
            output.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            fail(f"{output}: {error.strerror}")
    targets = {source: _target(source, output, in_place) for source in files}
    if len({target.resolve() for target in targets.values()}) != len(targets):
        fail("two of the files bear the same name: give them one by one, or without --output")
    sources = {source.resolve() for source in files}
    if not in_place and (both := [target for target in targets.values() if target.resolve() in sources]):
        fail(f"{both[0]} would be replaced by a cleaned file: that is done with --in-place only")
    refused = [source for source, target in targets.items() if not _one(source, target)]
    raise typer.Exit(REFUSED if refused else 0)


def _target(source: Path, output: Path | None, in_place: bool) -> Path:
    if in_place:
        return source
    return output / source.name if output else source.with_name(f"{source.stem}.clean{source.suffix}")


def _write(source: Path, target: Path, data: bytes) -> None:
    """Whole or not at all, and for nobody to read who could not read the original.  Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        shutil.copymode(source, temporary)
        temporary.replace(target)
    except OSError:
        temporary.unlink(missing_ok=True)
        raise


def _one(source: Path, target: Path) -> bool:
    """Clean one file; False, with the reason said, when it cannot be."""
    try:
        done = clean(source.read_bytes())
        _write(source, target, done.data)
    except FilterError as error:
        typer.echo(f"{source}: refused: {error}", err=True)
        return False
    except OSError as error:
        typer.echo(f"{source}: {error.strerror}", err=True)
        return False
    removed = sorted({finding.code for finding in done.findings if finding.fate is Fate.REMOVED})
    typer.echo(f"{source} -> {target}: " + (f"removed {', '.join(removed)}" if removed else "nothing to remove"))
    return True
