"""JSON Schema of policy.yaml, domains.yaml, devices.yaml and examples.  Generated; ``policies/schema/*.json`` are its output."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

import pydantic

from policies.conditions import WHEN
from policies.domains.entries import RegisterModel
from policies.files.settings import PolicyModel
from policies.lists.devices import DevicesModel
from policies.trial.examplefile import PICTURES, ExamplesModel
from policies.vocabulary import PURPOSES

MODELS: Final[Mapping[str, type[pydantic.BaseModel]]] = {
    "policy.json": PolicyModel,
    "domains.json": RegisterModel,
    "devices.json": DevicesModel,
    "examples.json": ExamplesModel,
}
_DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"


def schema(name: str) -> dict[str, Any]:
    """The schema of one file: ``policy.json``, ``domains.json``, ``devices.json`` or ``examples.json``."""
    made = MODELS[name].model_json_schema()
    definitions = made["$defs"]
    if "RuleModel" in definitions:
        definitions["RuleModel"]["properties"]["when"] = _when()
    if "EntryModel" in definitions:
        definitions["EntryModel"]["properties"]["purposes"]["items"] = {"enum": sorted(PURPOSES)}
    if "Example" in definitions:
        _short_forms(definitions)
    return {"$schema": _DIALECT, **made}


def _short_forms(definitions: dict[str, Any]) -> None:
    """In examples a word may stand for a list of one, for a picture of that kind, and for an outcome of that action."""
    fields = definitions["Example"]["properties"]
    picture: dict[str, Any] = {"anyOf": [{"enum": list(PICTURES)}, {"$ref": "#/$defs/Picture"}]}
    outcome: dict[str, Any] = {"anyOf": [definitions["Outcome"]["properties"]["then"], {"$ref": "#/$defs/Outcome"}]}
    forms: dict[str, list[dict[str, Any]]] = {
        "to": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}],
        "pictures": [*picture["anyOf"], {"type": "array", "items": picture}],
        "expect": [*outcome["anyOf"], {"type": "object", "additionalProperties": outcome}],
    }
    for name, form in forms.items():
        fields[name] = {"anyOf": form, "description": fields[name]["description"]}


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
