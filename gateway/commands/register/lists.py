"""``clinigate lists``: renew the lists of names, places and words beside the policy from files that were downloaded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail
from gateway.commands.register.folder import opened, utf8
from policies.lists.devices import glob_line
from policies.lists.fileshares import shares_line
from policies.lists.names import ListError, consumer, published, published_lines, renewed
from policies.lists.phraselist import phrase_line
from policies.load import PolicyError

app = typer.Typer(no_args_is_help=True, help="Renew the lists of names, places and words beside the policy.")


class Which(StrEnum):
    """The lists, and their files."""

    FREEMAIL = "freemail"
    DENIED = "denied"
    SUFFIXES = "suffixes"
    FILE_SHARES = "file-shares"
    CLINICAL_WORDS = "clinical-words"
    REFERRAL_WORDS = "referral-words"
    PERSONAL_DEVICES = "personal-devices"


# Lists that do not hold names of domains: what one line of a published one becomes.
_LINES: Final[Mapping[Which, Callable[[list[str]], str | None]]] = {
    Which.FILE_SHARES: shares_line,
    Which.CLINICAL_WORDS: phrase_line,
    Which.REFERRAL_WORDS: phrase_line,
    Which.PERSONAL_DEVICES: glob_line,
}


@app.command("update")
def update(
    which: Annotated[Which, typer.Argument(help="Which list.")],
    files: Annotated[list[Path], typer.Argument(help="Published lists, downloaded before.", exists=True, dir_okay=False)],
    source: Annotated[str, typer.Option(help="Where they come from, with licence; written into the file.")],
    config: ConfigOption = DEFAULT_CONFIG,
    show: Annotated[bool, typer.Option("--show", help="Only say what would change.")] = False,
    fewer: Annotated[bool, typer.Option("--fewer", help="The list is meant to lose more than half of its names.")] = False,
) -> None:
    """Put published lists below the marker of a list of yours; the names above it, kept by hand, stay.

    Nothing is downloaded. Files may be the public suffix list, one domain a line, or a JSON list; of file shares one host a
    line, with a name behind it; of words and devices one a line. The whole policy is checked with the new list first: when a
    domain you approved turns out to be freemail, denied or a public ending, or when more than half of the names would go, that is
    said and nothing changes.
    """
    folder = opened(config)
    name = f"{which.value}.txt"
    try:
        names = sorted({one for path in files for one in _published(utf8(path), which)})
        policy = folder.policy()
        if which is Which.FREEMAIL:
            names = consumer(names, policy.register.suffixes)
        text = renewed(folder.files[name], names, source, datetime.now(UTC).date())
        before, after = _names(folder.files[name]), _names(text)
        gone = len(before - after)
        if gone * 2 > len(before) and not (fewer or show):
            raise ListError(f"{gone} of {len(before)} names would go: is the file whole? --show tells which, --fewer does it")
        if not show:
            folder.write(name, text)
    except ListError as error:
        fail(f"{', '.join(map(str, files))}: {error}", code=1)
    except PolicyError as error:
        fail(*error.problems, code=1)
    except OSError as error:
        fail(f"{error}", code=1)
    typer.echo(f"{name}: {len(after - before)} new, {gone} gone, {len(after)} in all")
    for word in [*sorted(after - before)[:10], *(f"-{lost}" for lost in sorted(before - after)[:10])]:
        typer.echo(f"  {word}")


def _published(text: str, which: Which) -> list[str]:
    return published_lines(text, _LINES[which]) if which in _LINES else published(text, f"{which.value}.txt")


def _names(text: str) -> set[str]:
    return {line.partition("#")[0].strip() for line in text.splitlines()} - {""}
