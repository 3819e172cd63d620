"""YAML with line numbers: a strict safe reader and validation errors that say file, line, key, what is wrong and what is allowed.

General: the gateway's configuration reads through it too.  Text in, values out; nothing is opened here.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any, Final

import pydantic
import yaml

KeyPath = tuple[str | int, ...]
Lines = dict[KeyPath, int]

MAX_BYTES: Final = 64 * 1024 * 1024
MAX_DEPTH: Final = 24
MAX_ALIASES: Final = 1000


class YamlError(ValueError):
    """The text is not YAML we accept.  ``problems`` are ready to print, one sentence each, ``file:line: ...``."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(self.problems))


_MERGE: Final = "tag:yaml.org,2002:merge"
_PLAIN_TAGS: Final = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")
_BASE: Final[type[Any]] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_BASE):  # type: ignore[misc]  # the base is chosen at import: libyaml's safe loader where it is built in
    """The safe loader; only its node constructors for plain values are used."""


class _Walk:
    """Turns a composed node tree into plain values and a line index, refusing duplicate keys, deep nesting and alias bombs."""

    def __init__(self, loader: Any, file: str) -> None:
        self.loader, self.file, self.lines, self.problems = loader, file, Lines(), list[str]()
        self.count = 0
        self.budget = 0
        self.merges = False

    def value(self, node: yaml.Node, path: KeyPath) -> Any:
        line = node.start_mark.line + 1
        self.lines.setdefault(path, line)
        self.count += 1
        if self.count > self.budget:
            raise YamlError([f"{self.file}:{line}: anchors repeat so much that the file grows without bound; write it out"])
        if len(path) > MAX_DEPTH:
            raise YamlError([f"{self.file}:{line}: nested more than {MAX_DEPTH} levels deep; no setting needs that"])
        if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
            raise YamlError([f"{self.file}:{line}: {dotted(path)}: tags ({node.tag}) have no meaning here; take it out"])
        if isinstance(node, yaml.MappingNode):
            return self._mapping(node, path)
        if isinstance(node, yaml.SequenceNode):
            return [self.value(child, (*path, at)) for at, child in enumerate(node.value)]
        try:
            return self.loader.construct_object(node)
        except (ValueError, OverflowError):
            told = f'"{node.value[:40]}" is no such date, time or number; put it in quotes if it is text'
            raise YamlError([f"{self.file}:{line}: {dotted(path)}: {told}"]) from None

    def _mapping(self, node: yaml.MappingNode, path: KeyPath) -> dict[Hashable, Any]:
        if self.merges and self._pairs(node, {}) > self.budget:
            line = node.start_mark.line + 1
            raise YamlError([f"{self.file}:{line}: merges (<<) repeat so much that the file grows without bound; write it out"])
        self.loader.flatten_mapping(node)  # "<<: *anchor"
        merged: dict[Hashable, Any] = {}
        own: dict[Hashable, int] = {}
        for key_node, value_node in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                raise YamlError([f"{self.file}:{line}: a key must be a plain word"])
            key = self.loader.construct_object(key_node)
            # A merged key ("<<") stands outside the mapping; the mapping's own key overrides it, which is no duplicate.
            inside = node.start_mark.index <= key_node.start_mark.index < node.end_mark.index
            if inside and key in own:
                where = dotted((*path, str(key)))
                self.problems.append(f"{self.file}:{line}: {where}: stands twice (first in line {own[key]}); keep one")
            if inside:
                own[key] = line
            here: KeyPath = (*path, key if isinstance(key, int) and not isinstance(key, bool) else str(key))
            self.lines[here] = line
            merged[key] = self.value(value_node, here)
        return merged

    def _pairs(self, node: yaml.Node, known: dict[int, int]) -> int:
        """How many pairs a mapping has once what it merges is copied into it; counted before anything is."""
        if id(node) in known:
            return known[id(node)]
        known[id(node)] = 0  # one that merges itself is refused by the reader
        if isinstance(node, yaml.SequenceNode):
            found = sum(self._pairs(one, known) for one in node.value)
        elif isinstance(node, yaml.MappingNode):
            merged = [value for key, value in node.value if key.tag == _MERGE]
            found = len(node.value) - len(merged) + sum(self._pairs(value, known) for value in merged)
        else:
            found = 0
        known[id(node)] = found
        return found


def parse(text: bytes, file: str) -> tuple[Any, Lines]:
    """Parse one YAML document.  Returns the plain data and a line (from 1) for each key path.

    Raises ``YamlError`` for text that is not UTF-8 YAML, is too large or deep, holds duplicate keys, tags or several documents.
    """
    if len(text) > MAX_BYTES:
        raise YamlError([f"{file}:1: larger than {MAX_BYTES // 1024 // 1024} MB"])
    try:
        decoded = text.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = text.count(b"\n", 0, error.start) + 1
        raise YamlError([f"{file}:{line}: not UTF-8 text"]) from None
    loader = _Loader(decoded)
    try:
        node = loader.get_single_node()
        if node is None:
            return None, {(): 1}
        walk = _Walk(loader, file)
        walk.budget, walk.merges = len(decoded) * 4 + MAX_ALIASES, "<<" in decoded
        data = walk.value(node, ())
    except yaml.YAMLError as error:
        raise YamlError([_syntax(error, file, decoded.splitlines())]) from None
    except (ValueError, RecursionError, TypeError) as error:
        if isinstance(error, YamlError):
            raise
        raise YamlError([f"{file}:1: a value could not be read; check dates and numbers"]) from None
    finally:
        loader.dispose()
    if walk.problems:
        raise YamlError(walk.problems)
    return data, walk.lines


# What the reader says of a line that is right, because one above it is wrong.
_MISLEADING: Final = frozenset(
    {
        "did not find expected key",
        "did not find expected '-' indicator",
        "could not find expected ':'",
        "mapping values are not allowed in this context",
    }
)


def _syntax(error: yaml.YAMLError, file: str, lines: Sequence[str]) -> str:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    line = max(1, min(mark.line + 1, len(lines))) if mark else 1
    problem = getattr(error, "problem", None) or "not YAML"
    indent = re.match(r"\s*", lines[line - 1] if lines else "")
    hint = "; indent with spaces, not tabs" if indent and "\t" in indent[0] else ""
    if not hint and problem in _MISLEADING:
        hint = "; look here and in the lines above for wrong indentation, a colon too few or too many, or a quote left open"
    return f"{file}:{line}: this is not valid YAML: {problem}{hint}"


def dotted(path: Iterable[str | int]) -> str:
    """``("rules", 3, "then")`` as ``rules[3].then``."""
    out = ""
    for piece in path:
        out += f"[{piece}]" if isinstance(piece, int) else f".{piece}" if out else str(piece)
    return out


def line_of(lines: Mapping[KeyPath, int], path: Iterable[str | int]) -> int:
    """The line of a key path, or of its nearest parent."""
    key = tuple(path)
    while key and key not in lines:
        key = key[:-1]
    return lines.get(key, 1)


def nearest(word: object, allowed: Iterable[str]) -> str:
    """``; did you mean "x"?`` or nothing."""
    choices = [str(choice) for choice in allowed]
    lower = {choice.lower(): choice for choice in choices}
    close = difflib.get_close_matches(str(word).lower(), list(lower), 1, 0.6)
    return f'; did you mean "{lower[close[0]]}"?' if close else ""


def say(file: str, lines: Mapping[KeyPath, int], path: Iterable[str | int], what: str) -> str:
    """One error line: ``file:line: key: what``."""
    path = tuple(path)
    where = dotted(path)
    return f"{file}:{line_of(lines, path)}: {where + ': ' if where else ''}{what}"


def explain_validation(
    error: pydantic.ValidationError, lines: Mapping[KeyPath, int], file: str, model: type[pydantic.BaseModel] | None = None
) -> list[str]:
    """Each fault pydantic found as ``file:line: key: what is wrong, what is allowed, nearest valid word``, in file order.

    ``model`` (the class that was validated) lets unknown keys be compared with the keys that exist.
    """
    found: list[tuple[int, str]] = []
    faults = error.errors(include_url=False)
    for fault in faults:
        if fault["type"] == "too_short" and any(_inside(other["loc"], fault["loc"]) for other in faults):
            continue  # what is there is faulty, and is said
        loc = _real(fault["loc"], lines)
        found.append((line_of(lines, loc), say(file, lines, loc, _what(fault, loc, model))))
    return [text for _, text in sorted(dict.fromkeys(found))]


def _inside(loc: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(loc) > len(outer) and loc[: len(outer)] == outer


def _real(loc: tuple[int | str, ...], lines: Mapping[KeyPath, int]) -> KeyPath:
    """Drop the steps pydantic adds for unions and keys, which name no place in the file."""
    path: KeyPath = ()
    for piece in loc:
        if (*path, piece) in lines or (piece == loc[-1] and piece != "[key]"):
            path = (*path, piece)
    return path if path == loc or path in lines or (path and path[:-1] in lines) else path[:-1]


def _what(fault: Any, loc: KeyPath, model: type[pydantic.BaseModel] | None) -> str:
    kind, value, context = fault["type"], fault.get("input"), fault.get("ctx", {})
    if kind == "extra_forbidden":
        keys = _keys(model, loc[:-1]) if model else []
        listed = f"; the keys here are {', '.join(keys)}" if keys else ""
        return f"no such key{nearest(loc[-1], keys)}{listed}"
    if kind == "missing":
        return "is missing and must be written"
    if kind in ("enum", "literal_error"):
        allowed = [choice.strip(" '") for choice in context["expected"].replace(" or ", ",").split(",")]
        return f'"{value}" is not allowed here; write one of {", ".join(allowed)}{nearest(value, allowed)}'
    if kind in _WORDS:
        return _WORDS[kind].format(**context) + _got(value)
    if kind == "string_pattern_mismatch":
        told = next((words for piece, words in _PATTERNS if piece in context["pattern"]), "is not written as it must be")
        return f'"{str(value)[:60]}" {told}'
    if kind == "value_error":
        return str(context.get("error", fault["msg"])).removeprefix("Value error, ")
    return f"{fault['msg'][0].lower()}{fault['msg'][1:]}{_got(value)}"


# What a pattern holds -> what to write instead.
_PATTERNS: Final = (
    ("@", "is no mail address; write one like name@clinic.example"),
    ("look:", "is no logo; copy the lines that clinigate learn-logo --show prints"),
    ("[A-Za-z0-9._-]*$", "may hold only letters, digits, dots, dashes and underscores; it begins with a letter or digit"),
)
# pydantic's type of a fault -> what to write; its own words are for programmers.
_WORDS: Final[Mapping[str, str]] = {
    "bool_parsing": "write true or false",
    "bool_type": "write true or false",
    "dict_type": 'must hold keys and their values, one "key: value" a line',
    "float_parsing": "must be a number",
    "float_type": "must be a number",
    "greater_than": "must be more than {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "int_from_float": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "less_than": "must be less than {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "list_type": 'must be a list, one "- entry" a line',
    "model_type": 'must hold keys and their values, one "key: value" a line',
    "path_type": "must be a path",
    "date_from_datetime_inexact": "must be a day without a time, like 2026-03-31",
    "date_from_datetime_parsing": "must be a day, written like 2026-03-31",
    "date_parsing": "must be a day, written like 2026-03-31",
    "date_type": "must be a day, written like 2026-03-31",
    "string_too_long": "is too long; at most {max_length} characters",
    "string_too_short": "is empty; write something",
    "string_type": "must be text; put it in quotes",
    "too_short": "is empty; write at least one",
    "tuple_type": 'must be a list, one "- entry" a line',
}


def _got(value: object) -> str:
    return f' (it says "{value}")' if isinstance(value, str | int | float | bool) and len(str(value)) <= 60 else ""


def _keys(model: type[pydantic.BaseModel], loc: KeyPath) -> list[str]:
    """The keys the models allow at ``loc``, following nested models, lists and tables."""
    current: Any = model
    for piece in loc:
        current = _step(current, piece)
    found = _model_in(current)
    return [field.alias or name for name, field in found.model_fields.items()] if found else []


def _step(annotation: Any, piece: str | int) -> Any:
    """The annotation of what stands under ``piece``; None where the models say nothing."""
    model = _model_in(annotation)
    if model is not None and isinstance(piece, str):
        for name, field in model.model_fields.items():
            if piece in (name, field.alias):
                return field.annotation
    for option in (annotation, *getattr(annotation, "__args__", ())):
        arguments = getattr(option, "__args__", ())
        if getattr(option, "__origin__", None) in (list, tuple, dict, Mapping) and arguments:
            return arguments[-1] if arguments[-1] is not Ellipsis else arguments[0]
    return None


def _model_in(annotation: Any) -> type[pydantic.BaseModel] | None:
    """The model itself, or the one inside ``X | None``."""
    for option in (annotation, *getattr(annotation, "__args__", ())):
        if isinstance(option, type) and issubclass(option, pydantic.BaseModel):
            return option
    return None
