"""JSON Schema of policy.yaml and domains.yaml, for editors.  Generated; ``policies/schema/*.json`` are its output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pydantic

from policies.features import WHEN
from policies.settings import PolicyModel, RegisterModel
from policies.vocabulary import PURPOSES

MODELS: Final[Mapping[str, type[pydantic.BaseModel]]] = {"policy.json": PolicyModel, "domains.json": RegisterModel}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> dict[str, Any]:
    """The schema of one file: ``policy.json`` or ``domains.json``."""
    made = MODELS[name].model_json_schema()
    definitions = made["$defs"]
    if "RuleModel" in definitions:
        definitions["RuleModel"]["properties"]["when"] = _when()
    if "EntryModel" in definitions:
        definitions["EntryModel"]["properties"]["purposes"]["items"] = {"enum": sorted(PURPOSES)}
    return {"$schema": _DIALECT, **made}


def _when() -> dict[str, Any]:
    """The conditions of a rule: one word or a list; yes and no may be written as YAML's booleans."""
    properties: dict[str, Any] = {}
    for key, (allowed, meaning) in WHEN.items():
        words: list[Any] = [*allowed, *(value for word, value in (("yes", True), ("no", False)) if word in allowed)]
        word: dict[str, Any] = {"enum": words} if words else {"type": "string"}
        properties[key] = {"description": meaning, "anyOf": [word, {"type": "array", "items": word, "minItems": 1}]}
    return {"type": "object", "additionalProperties": False, "minProperties": 1, "properties": properties}


def text(name: str) -> str:
    """The schema as it stands in ``policies/schema/``."""
    return json.dumps(schema(name), indent=1, sort_keys=True, ensure_ascii=True) + "\n"
