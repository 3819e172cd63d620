"""What every model of a file that people write has in common."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, StringConstraints

Word = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", max_length=64)]


class Strict(BaseModel):
    """Unknown keys are errors: a misspelt key must never be a setting silently left at its default."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
