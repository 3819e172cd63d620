"""``clinigate learn-logo``: pictures of the organisation's own that no mail is held for."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import Annotated

import typer

from filters.api import FilterError
from filters.decorative import LOOK
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, fail
from gateway.commands.register.folder import opened
from gateway.sandbox import Sandbox
from gateway.sandbox.parent import SandboxFailed, look_at
from policies.load import POLICY, PolicyError


def learn_logo(
    files: Annotated[list[Path], typer.Argument(help="Logos as they stand in mail.", exists=True, dir_okay=False)],
    config: ConfigOption = DEFAULT_CONFIG,
    show: Annotated[bool, typer.Option("--show", help="Print the lines; change nothing.")] = False,
) -> None:
    """Add logos to `settings: known_logos:` of policy.yaml, by SHA-256 and, for drawings, by what they look like.

    A drawing is then known also when it is resized or saved anew.  A photograph is known by its very bytes only: one patient's
    picture can look like another's.
    """
    entries = [entry for path in files for entry in _entries(path)]
    if show:
        for value, words in entries:
            typer.echo(f"    - {value}  # {words}")
        return
    folder = opened(config)
    path = folder.path / POLICY
    try:
        known = folder.policy().known_logos
        new = [entry for entry in entries if entry[0] not in known]
        if new:
            folder.write(POLICY, with_logos(folder.files[POLICY], new))
    except PolicyError as error:
        fail(*error.problems)
    except OSError as error:
        fail(str(error), code=1)
    typer.echo(f"{path}: {len(new)} added, {len(entries) - len(new)} known already")


def _entries(path: Path) -> list[tuple[str, str]]:
    """(value, comment) of each line for one file."""
    data = path.read_bytes()
    made = [(sha256(data).hexdigest(), path.name)]
    sandbox = Sandbox(1_000_000_000, 30.0)
    try:
        looks = look_at(sandbox, data)
    except FilterError as error:
        fail(f"{path}: not a picture that can be looked at ({error})", code=1)
    except SandboxFailed as error:
        fail(str(error.strerror), code=1)
    finally:
        sandbox.close()
    if looks.flat:
        made.append((LOOK + looks.hash, path.name))
    else:
        typer.echo(f"{path}: looks like a photograph; known by its very bytes only", err=True)
    return made


def with_logos(text: str, entries: list[tuple[str, str]]) -> str:
    """``text`` of a policy file with ``entries`` in settings.known_logos; comments and everything else stay as they are."""
    lines = text.splitlines(keepends=True)
    added = [f"    - {value}  # {words}\n" for value, words in entries]
    at = next((n for n, line in enumerate(lines) if line.startswith("  known_logos:")), None)
    if at is None:
        start = next((n for n, line in enumerate(lines) if line.startswith("settings:")), None)
        if start is None or not added:
            return text
        return "".join([*lines[: start + 1], "  known_logos:\n", *added, *lines[start + 1 :]])
    inline = lines[at].partition(":")[2].partition("#")[0].strip()
    if inline:  # written in one line: [a, b]
        kept = [f"    - {value.strip()}\n" for value in inline.strip("[]").split(",") if value.strip()]
        return "".join([*lines[:at], "  known_logos:\n", *kept, *added, *lines[at + 1 :]])
    following = lines[at + 1] if at + 1 < len(lines) else ""
    if following.lstrip().startswith("- "):  # as deep as the entries that are there
        added = [following[: len(following) - len(following.lstrip())] + line.lstrip() for line in added]
    return "".join([*lines[: at + 1], *added, *lines[at + 1 :]])
