"""``clinigate lists``: renew the lists of freemail, denied destinations and public endings from files that were downloaded."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail
from gateway.commands.policyfolder import opened
from policies.lists import ListError, consumer, published, renewed
from policies.load import PolicyError

app = typer.Typer(no_args_is_help=True, help="Renew the lists of names beside the register.")


class Which(StrEnum):
    """The lists, and their files."""

    FREEMAIL = "freemail"
    DENIED = "denied"
    SUFFIXES = "suffixes"


@app.command("update")
def update(
    which: Annotated[Which, typer.Argument(help="Which list: freemail, denied or suffixes.")],
    files: Annotated[list[Path], typer.Argument(help="Published lists, downloaded before.", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="Where they come from, with licence; written into the file.")],
    config: ConfigOption = DEFAULT_CONFIG,
    show: Annotated[bool, typer.Option("--show", help="Only say what would change.")] = False,
) -> None:
    """Put published lists below the marker of a list of yours; the names above it, kept by hand, stay.

    Nothing is downloaded. Files may be the public suffix list, one domain a line, or a JSON list. The whole policy is checked
    with the new list first: when a domain you approved turns out to be freemail or a public ending, that is said and nothing
    changes.
    """
    folder = opened(config)
    name = f"{which.value}.txt"
    try:
        names = sorted({one for path in files for one in published(path.read_text("utf-8"), name)})
        policy = folder.policy()
        if which is Which.FREEMAIL:
            names = consumer(names, policy.register.suffixes)
        text = renewed(folder.files[name], names, source, datetime.now(UTC).date())
        before, after = _names(folder.files[name]), _names(text)
        if not show:
            folder.write(name, text)
    except ListError as error:
        fail(f"{', '.join(map(str, files))}: {error}", code=1)
    except PolicyError as error:
        fail(*error.problems, code=1)
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{error}", code=1)
    typer.echo(f"{name}: {len(after - before)} new, {len(before - after)} gone, {len(after)} in all")
    for word in [*sorted(after - before)[:10], *(f"-{gone}" for gone in sorted(before - after)[:10])]:
        typer.echo(f"  {word}")


def _names(text: str) -> set[str]:
    return {line.partition("#")[0].strip() for line in text.splitlines()} - {""}
