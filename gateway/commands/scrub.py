"""``clinigate scrub``: clean pictures and the files they stand in by hand, without the gateway."""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import track

from gateway.certificate import Certificate, Workbench
from gateway.commands.options import JsonOption, fail

REFUSED = 1


@dataclass(frozen=True, slots=True)
class _Job:
    source: Path
    target: Path
    named: bool  # given by name, not found in a folder


def scrub(
    files: Annotated[list[Path], typer.Argument(help="Pictures, documents, archives; folders with all in them.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="Folder for the cleaned files.")] = None,
    in_place: Annotated[bool, typer.Option("--in-place", help="Replace the files themselves.")] = False,
    check: Annotated[bool, typer.Option("--check", help="Write nothing; say what would be removed.")] = False,
    certificate: Annotated[Path | None, typer.Option(help="Write what was removed from which file, as JSON.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Remove metadata without touching a pixel, in pictures, documents, archives and mail, however deep.

    Without -o or --in-place a cleaned file stands beside its original as NAME.clean.EXT.  Exit code 0: all clean; 1: some were
    refused (--check: or have something to remove); 2: wrong usage.
    """
    jobs = list(_jobs(files, output, in_place))
    _sensible(jobs, output, in_place)
    bench, screen = Workbench(), Console(stderr=True)
    rows: list[dict[str, Any]] = []
    try:
        for job in track(jobs, "Cleaning", console=screen, disable=len(jobs) < 2 or not screen.is_terminal):
            row = _one(bench, job, check)
            rows.append(row)
            if not as_json:
                _tell(row, check)
    finally:
        bench.close()
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
    if certificate is not None:
        _save(certificate, json.dumps(rows, indent=2).encode())
    raise typer.Exit(REFUSED if any(row["refused"] or (check and row["removed"]) for row in rows) else 0)


def _jobs(paths: list[Path], output: Path | None, in_place: bool) -> Iterator[_Job]:
    for path in paths:
        if not path.is_dir():
            yield _Job(path, _target(path, Path(path.name), output, in_place), named=True)
            continue
        for found in sorted(one for one in path.rglob("*") if one.is_file() and not one.is_symlink()):
            yield _Job(found, _target(found, found.relative_to(path), output, in_place), named=False)


def _target(source: Path, inside: Path, output: Path | None, in_place: bool) -> Path:
    if in_place:
        return source
    return output / inside if output else source.with_name(f"{source.stem}.clean{source.suffix}")


def _sensible(jobs: list[_Job], output: Path | None, in_place: bool) -> None:
    """Nothing may be lost by mistake."""
    if output and in_place:
        fail("give either --output or --in-place")
    if len({job.target.resolve() for job in jobs}) != len(jobs):
        fail("two of the files bear the same name: give them one by one, or without --output")
    sources = {job.source.resolve() for job in jobs}
    if not in_place and (both := [job.target for job in jobs if job.target.resolve() in sources]):
        fail(f"{both[0]} would be replaced by a cleaned file: that is done with --in-place only")


def _one(bench: Workbench, job: _Job, check: bool) -> dict[str, Any]:
    """Clean one file; the row says what became of it."""
    try:
        done = bench.clean(job.source.read_bytes(), job.source.name)
        told = done.certificate
        skipped = not told.refused and not told.pictures and not told.removed
        if skipped and job.named and told.format in _WORDS:
            return _row(job, told, refused=f"{told.format}: no picture in it")
        if not told.refused and not check and not (skipped and told.format in _WORDS):
            job.target.parent.mkdir(parents=True, exist_ok=True)
            _write(job.source, job.target, done.data)
            return _row(job, told, output=job.target)
        return _row(job, told)
    except OSError as error:
        return {"file": str(job.source), "output": "", "removed": [], "pictures": [], "refused": error.strerror or "unreadable"}


_WORDS = frozenset(("text", "csv", "json", "empty"))  # nothing to clean, and nothing anybody wants cleaned


def _row(job: _Job, told: Certificate, output: Path | None = None, refused: str = "") -> dict[str, Any]:
    row = {"file": str(job.source), "output": str(output or "")} | told.rows()
    return row | {"refused": refused} if refused else row


def _tell(row: dict[str, Any], check: bool) -> None:
    if row["refused"]:
        typer.echo(f"{row['file']}: refused: {row['refused']}", err=True)
        return
    codes = sorted({one["code"] for one in row["removed"]})
    words = f"{'to remove' if check else 'removed'} {', '.join(codes)}" if codes else "nothing to remove"
    where = f" -> {row['output']}" if row["output"] else ""
    typer.echo(f"{row['file']}{where}: {words}")


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


def _save(path: Path, text: bytes) -> None:
    try:
        path.write_bytes(text)
    except OSError as error:
        fail(f"{path}: {error.strerror}", code=1)
