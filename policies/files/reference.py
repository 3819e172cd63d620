"""The tables of docs/policy.md, generated from the models and the code tables; a test keeps the document current."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

import pydantic
from pydantic.fields import FieldInfo

from policies.conditions import KIND_ALIASES, WHEN
from policies.domains import entries
from policies.files import settings, sidesettings
from policies.files.profiles import BASES, EXTRA, SECONDARY
from policies.lists import devices
from policies.reasons import REASONS
from policies.statements.words import WORDS
from policies.vocabulary import PURPOSE_ROWS, PURPOSES

_SETS: Final[Mapping[str, str]] = {
    "consent": "is about consent",
    "form": "how the patient agreed",
    "status": "what was said",
    "given_by": "who agreed",
    "purpose": "what it is for",
    "flag": "what is in the picture",
    "capacity": "whether the patient can decide",
    "basis": "why no agreement is needed",
    "bypass": "break-glass",
    "to_patient": "the recipient is the patient",
    "filler": "understood and ignored",
}
_MODELS: Final[tuple[tuple[str, type[pydantic.BaseModel]], ...]] = (
    ("policy.yaml", settings.PolicyModel),
    ("settings", settings.SettingsModel),
    ("settings.cleaning", settings.CleaningModel),
    ("settings.decorative", settings.DecorativeModel),
    ("settings.file_links", sidesettings.FileLinks),
    ("settings.devices", sidesettings.DevicesPolicy),
    ("settings.devices.kinds.KIND, settings.devices.groups.NAME", sidesettings.DeviceTerms),
    ("settings.referral", sidesettings.Referral),
    ("settings.aggregation", sidesettings.Aggregation),
    ("settings.machines[]", settings.Machine),
    ("settings.on_call, settings.ig", settings.Contact),
    ("sender_groups.NAME", settings.GroupModel),
    ("modes", settings.ModesModel),
    ("rules[]", settings.RuleModel),
    ("domains.yaml", entries.RegisterModel),
    ("on_expiry", entries.OnExpiry),
    ("domains[]", entries.EntryModel),
    ("domains[].agreement", entries.Agreement),
    ("domains[].organisation", entries.Organisation),
    ("domains[].assurance[]", entries.Assurance),
    ("domains[].transport", entries.Transport),
    ("domains[].encryption", entries.Encryption),
    ("domains[].encryption.smime", entries.SmimeTerms),
    ("domains[].jurisdiction", entries.Jurisdiction),
    ("domains[].recipients", entries.Mailboxes),
    ("patient_addresses[]", entries.PatientAddress),
    ("devices.yaml", devices.DevicesModel),
    ("devices[]", devices.DeviceModel),
)


def keys() -> str:
    """Every key of the three files."""
    lines: list[str] = []
    for title, model in _MODELS:
        lines += [f"**{title}**", "", "| key | holds | if left out | meaning |", "|---|---|---|---|"]
        lines += [_row(field.alias or name, field) for name, field in model.model_fields.items()]
        lines.append("")
    return "\n".join(lines).rstrip()


def _row(name: str, field: FieldInfo) -> str:
    default = "must be written" if field.is_required() else _default(field)
    return f"| `{name}` | {_type(field.annotation)} | {default} | {field.description or ''} |"


def _default(field: FieldInfo) -> str:
    value: Any = field.get_default(call_default_factory=True, validated_data={})
    if value is None or value in ((), {}, ""):
        return "–"
    if isinstance(value, pydantic.BaseModel):
        return "see below"
    if isinstance(value, bool):
        return "true" if value else "false"
    return ", ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _type(annotation: Any) -> str:
    name: str = getattr(annotation, "__name__", "")
    arguments: tuple[Any, ...] = getattr(annotation, "__args__", ())
    if str(annotation).startswith("typing.Literal"):
        return ", ".join(f"`{word}`" for word in arguments)
    if isinstance(annotation, type) and issubclass(annotation, pydantic.BaseModel):
        return "table"
    if name in ("tuple", "list"):
        return f"list of {_type(arguments[0])}"
    if name in ("dict", "Mapping"):
        return "table"
    options = [option for option in arguments if option is not type(None)]
    if options and name not in ("Annotated",):
        return " or ".join(_type(option) for option in options)
    return {"str": "text", "int": "number", "float": "number", "bool": "true or false", "date": "date"}.get(name, "text")


def profiles() -> str:
    """Every profile and what it changes."""
    rows = [
        f"| {title} | `{name}` | {meaning} |"
        for title, choice in (("law or guidance: one", BASES), ("de-identified photographs: one", SECONDARY), ("beside", EXTRA))
        for name, meaning in choice.items()
    ]
    return "\n".join(["| choice | profile | what holds |", "|---|---|---|", *rows])


def conditions() -> str:
    """Every condition of a rule's ``when``."""
    lines = ["| condition | words | meaning |", "|---|---|---|"]
    for key, (allowed, meaning) in WHEN.items():
        words = ", ".join(f"`{word}`" for word in allowed) or "any"
        lines.append(f"| `{key}` | {words} | {meaning} |")
    lines += ["", *(f"`{alias}` = {', '.join(kinds)}." for alias, kinds in KIND_ALIASES.items())]
    return "\n".join(lines)


def purposes() -> str:
    """Purpose groups, their matrix rows and codes."""
    lines = ["| purpose | row | codes |", "|---|---|---|"]
    for group, row in PURPOSE_ROWS.items():
        codes = ", ".join(f"`{code}`" for code, of in PURPOSES.items() if of == group)
        lines.append(f"| `{group}` | {row} | {codes or '–'} |")
    return "\n".join(lines)


def words() -> str:
    """Every word a sender may use."""
    lines = ["| meaning | value | words |", "|---|---|---|"]
    for sets, meaning in _SETS.items():
        values = dict.fromkeys(word.value for word in WORDS.values() if word.sets == sets)
        for value in values:
            phrases = ", ".join(phrase for phrase, word in WORDS.items() if (word.sets, word.value) == (sets, value))
            lines.append(f"| {meaning} | {f'`{value}`' if value else '–'} | {phrases} |")
    return "\n".join(lines)


def reasons() -> str:
    """Every reason code and its sentence."""
    return "\n".join(["| code | sentence |", "|---|---|", *(f"| `{code}` | {text} |" for code, text in REASONS.items())])


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "keys": keys,
    "profiles": profiles,
    "conditions": conditions,
    "purposes": purposes,
    "words": words,
    "reasons": reasons,
}


def fill(document: str) -> str:
    """The document with every ``<!-- table: NAME -->`` block replaced by its current table."""

    def block(match: re.Match[str]) -> str:
        return f"<!-- table: {match[1]} -->\n{TABLES[match[1]]()}\n<!-- end -->"

    return re.sub(r"<!-- table: (\w+) -->\n.*?<!-- end -->", block, document, flags=re.S)
