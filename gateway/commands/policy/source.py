"""Which policy a command means: the folder, another folder, one changed file, or a version that was in force."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from gateway.commands.options import fail, settings
from gateway.config import ConfigError, policy_files
from gateway.policyfolder.versions import Versions
from policies.load import DOMAINS, EXTRA, LISTS, POLICY, Policy, PolicyError, load_policy

PolicyOption = Annotated[
    Path | None, typer.Option("--policy", help="Folder of the policy; default: the one that the configuration names.")
]
_DIGEST = re.compile(r"[0-9a-f]{6,64}")
_SPAN = re.compile(r"(\d{1,4})\s*([hdw])")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1), "w": timedelta(weeks=1)}


def folder_of(policy: Path | None, config: Path) -> Path:
    """The folder that is meant."""
    return policy if policy is not None else settings(config).policy


def versions(config: Path) -> Versions:
    """The versions kept by the gateway of a configuration."""
    return Versions(settings(config).state / "policies")


def in_folder(folder: Path) -> Policy:
    """The policy of a folder, or an end with every fault."""
    return _loaded(_texts(folder))


def named(word: str, policy: Path | None, config: Path) -> Policy:
    """The policy that ``word`` means, or an end that says why there is none.

    A folder; a file, standing for the one of its kind in the folder that is meant; or the start of a digest.
    """
    path = Path(word)
    if path.is_dir():
        return in_folder(path)
    if path.is_file():
        return _loaded({**_texts(folder_of(policy, config)), **_one_file(path)})
    if not _DIGEST.fullmatch(word):
        fail(f"{word}: no folder, no file and no digest of a version; see clinigate policy history")
    try:
        return _loaded(versions(config).files(word))
    except LookupError as error:
        fail(str(error.args[0]), code=1)
    except OSError as error:
        fail(f"{error.filename}: {error.strerror}; run this as a user who may read the gateway's state", code=1)


def _one_file(path: Path) -> Mapping[str, str]:
    """A single file under the name it would have in the folder: by its own name, else by what stands in it."""
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        fail(f"{path}: cannot be read as text ({type(error).__name__})", code=1)
    if path.name in (POLICY, DOMAINS, *LISTS, *EXTRA):
        return {path.name: text}
    if path.suffix not in (".yaml", ".yml"):
        fail(f"{path}: call the file {POLICY}, {DOMAINS} or {', '.join(LISTS)}, so that it is clear what it is")
    return {DOMAINS if re.search(r"^domains\s*:", text, re.M) else POLICY: text}


def _texts(folder: Path) -> dict[str, str]:
    try:
        return policy_files(folder)
    except ConfigError as error:
        fail(*error.problems)
    except OSError as error:
        fail(f"{folder}: {error.strerror}", code=1)


def _loaded(texts: Mapping[str, str]) -> Policy:
    try:
        return load_policy({name: text.encode() for name, text in texts.items()})
    except PolicyError as error:
        fail(*error.problems)


def since(text: str, now: datetime) -> datetime:
    """``30d``, ``12h``, ``8w`` before ``now``, or a day; or an end that says how to write it."""
    span = _SPAN.fullmatch(text.strip())
    if span is not None:
        return now - int(span[1]) * _UNITS[span[2]]
    try:
        day = date.fromisoformat(text.strip())
    except ValueError:
        fail(f"--since {text}: write 30d, 12h, 8w or a day like {now.date().isoformat()}")
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
