"""Secrets from systemd credentials (``LoadCredential=``), so that key files can stay readable by root alone.

The configuration names files under /etc/clinigate/keys for everybody.  A service whose unit loads a credential of the same file
name reads that copy instead; commands that an administrator runs read the files themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel

from gateway.config import Settings

T = TypeVar("T")

VARIABLE: Final = "CREDENTIALS_DIRECTORY"
SECRETS: Final = frozenset({"release", "hash", "release_key", "hash_key", "signing_key", "key"})  # options naming secret files
PRIVATE: Final = "online.key"  # where this one is, the quarantine's other keys are too


def with_credentials(told: Settings, environ: Mapping[str, str]) -> Settings:
    """The configuration with every secret that was passed as a credential read from there."""
    if not environ.get(VARIABLE):
        return told
    folder = Path(environ[VARIABLE])
    told = _swapped(told, folder)
    if (folder / PRIVATE).is_file():
        told = told.model_copy(update={"quarantine": told.quarantine.model_copy(update={"keys": folder})})
    return told


def _swapped(value: T, folder: Path, name: str = "") -> T:
    """A copy of a model, mapping or tuple in which the paths of secrets point to the credentials."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields
        return value.model_copy(update={field: _swapped(getattr(value, field), folder, field) for field in fields})
    if isinstance(value, dict):
        return {key: _swapped(one, folder) for key, one in value.items()}  # type: ignore[return-value]  # of the same kind
    if isinstance(value, tuple):
        return tuple(_swapped(one, folder) for one in value)  # type: ignore[return-value]  # of the same kind
    if isinstance(value, Path) and name in SECRETS and (folder / value.name).is_file():
        return folder / value.name  # type: ignore[return-value]  # a Path for a Path
    return value
