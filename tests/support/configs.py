"""The options of the configuration, read from its models."""

from __future__ import annotations

import typing
from collections.abc import Iterator

from pydantic import BaseModel
from pydantic.fields import FieldInfo


def walk(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, FieldInfo]]:
    """(dotted path, field) of every option, those of nested sections included; lists and mappings count as their entries."""
    for name, field in model.model_fields.items():
        yield f"{path}{name}", field
        for nested in _models(field.annotation):
            yield from walk(nested, f"{path}{name}.")


def _models(annotation: object) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in typing.get_args(annotation):
        yield from _models(argument)
