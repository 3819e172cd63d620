"""``Clinical-Image-Consent``: the canonical form (an RFC 9651 List of Items with Parameters) and what people's tools write.

One tolerant reader takes both: the canonical form is a subset of what it accepts.  Grammar: docs/policy.md, "The consent header".
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from typing import Final

from policies.model import Carrier, ConsentStatus, Problem, Reading, Statement
from policies.statements.dates import read_date
from policies.statements.words import WORDS
from policies.vocabulary import BASES, BYPASSES, CAPACITIES, FORMS, GIVERS, INFORMED, PURPOSES, SCOPES, STATUSES

MAX_BYTES: Final = 2048
MAX_STATEMENTS: Final = 20
_LONGEST_FOLDED: Final = 4 * MAX_BYTES  # with the white space of its folding and comments
_PSEUDO: Final = re.compile(r"[A-Za-z0-9\-_./:]+")
_REFUSAL: Final = re.compile(r"(?:^|,)\s*(refused|withdrawn)\b", re.I)
_YES: Final = frozenset({"", "?1", "1", "yes", "true", "y"})
_NO: Final = frozenset({"?0", "0", "no", "false", "n"})


class _Bad(Exception):
    """A parameter whose value is not in the grammar: the problem's code and the word."""

    def __init__(self, code: str, word: str) -> None:
        super().__init__(code)
        self.problem = Problem(code, word[:64])


def _choice(code: str, allowed: tuple[str, ...]) -> Callable[[str], str]:
    def read(value: str) -> str:
        word = value.strip().lower().replace("_", "-").replace(" ", "-")
        if word in allowed:
            return word
        said = WORDS.get(word.replace("-", " "))  # "oral", "mum": what people's own programs write for it
        if said is None or said.value not in allowed:
            raise _Bad(code, value)
        return said.value

    return read


def _flag(value: str) -> bool:
    word = value.strip().lower()
    if word in _YES:
        return True
    if word in _NO:
        return False
    raise _Bad("consent.malformed", value)


def _purpose(value: str) -> str:
    code = value.strip().upper()
    if code in PURPOSES:
        return code
    said = WORDS.get(" ".join(value.lower().replace("-", " ").split()))
    if said is None or said.sets != "purpose":
        raise _Bad("consent.unknown-purpose", value)
    return said.value


def _scope(value: str) -> frozenset[str]:
    words = value.replace(",", " ").lower().split()
    for word in words:
        if word not in SCOPES:
            raise _Bad("consent.unknown-word", word)
    return frozenset(words)


def _informed(value: str) -> frozenset[str]:
    """What the patient was told.  A reminder, never a block: a word that is not known is left out, a bare key is all of them."""
    if value.strip().lower() in _YES:
        return frozenset(INFORMED) - {"reassured"}
    return frozenset(INFORMED) & frozenset(value.replace(",", " ").lower().split())


def _day(value: str) -> date:
    day = read_date(value)
    if day is None:
        raise _Bad("consent.bad-date", value)
    return day.day_first


def _last_day(value: str) -> date:
    day = read_date(value)
    if day is None:
        raise _Bad("consent.bad-date", value)
    return day.earlier


def _pseudonym(longest: int) -> Callable[[str], str]:
    def read(value: str) -> str:
        if len(value) > longest or not _PSEUDO.fullmatch(value):
            raise _Bad("consent.malformed", "")  # might be a name or a number: the word is not repeated
        return value

    return read


def _text(longest: int) -> Callable[[str], str]:
    def read(value: str) -> str:
        if not 1 <= len(value) <= longest:
            raise _Bad("consent.malformed", "")
        return value

    return read


# Parameter -> field of Statement and its reader.
PARAMS: Final[Mapping[str, tuple[str, Callable[[str], object]]]] = {
    "form": ("form", _choice("consent.unknown-form", FORMS)),
    "given-by": ("given_by", _choice("consent.unknown-giver", GIVERS)),
    "purpose": ("purpose", _purpose),
    "scope": ("scope", _scope),
    "date": ("dated", _day),
    "expires": ("expires", _last_day),
    "patient": ("patient", _pseudonym(64)),
    "record": ("record", _pseudonym(128)),
    "policy": ("policy", _pseudonym(64)),
    "part": ("part", _text(255)),
    "basis": ("basis", _choice("consent.unknown-word", BASES)),
    "bypass": ("bypass", _choice("consent.unknown-word", BYPASSES)),
    "reason": ("reason", _text(200)),
    "capacity": ("capacity", _choice("consent.unknown-word", CAPACITIES)),
    "intimate": ("intimate", _flag),
    "identifiable": ("identifiable", _flag),
    "child": ("child", _flag),
    "deceased": ("deceased", _flag),
    "to-patient": ("to_patient", _flag),
    "recipients-checked": ("checked", _flag),
    "informed": ("informed", _informed),
}


def _split(value: str, separator: str) -> list[str]:
    """Split outside quoted strings.  Raises ``_Bad`` on a quotation that does not end."""
    pieces, start, quoted, escaped = [], 0, False, False
    for at, char in enumerate(value):
        if escaped:
            escaped = False
        elif quoted and char == "\\":
            escaped = True
        elif char == '"':
            quoted = not quoted
        elif char == separator and not quoted:
            pieces.append(value[start:at])
            start = at + 1
    if quoted:
        raise _Bad("consent.malformed", "")
    return [*pieces, value[start:]]


def _unquote(value: str) -> str:
    value = value.strip()
    if len(value) >= 2 and value[0] == value[-1] == '"':
        return re.sub(r"\\(.)", r"\1", value[1:-1])
    if '"' in value:
        raise _Bad("consent.malformed", "")
    return value


def _statement(text: str, carrier: Carrier) -> tuple[Statement | None, tuple[Problem, ...]]:
    head, *params = _split(text, ";")
    word = _unquote(head).lower().replace("_", "-").replace(" ", "-")
    if word not in STATUSES:
        return None, (Problem("consent.unknown-status", head.strip()[:64]),)
    status = ConsentStatus(word)
    fields: dict[str, object] = {}
    problems: list[Problem] = []
    for param in params:
        try:
            _parameter(param, fields)
        except _Bad as bad:
            problems.append(bad.problem)
    statement = Statement(status=status, carrier=carrier, **fields)  # type: ignore[arg-type]  # PARAMS pairs each field with its reader
    if statement.given_by == "parental-responsibility" or statement.capacity == "gillick":
        statement = replace(statement, child=True)
    if not problems or status in (ConsentStatus.REFUSED, ConsentStatus.WITHDRAWN):
        return statement, tuple(problems)
    if statement.intimate or statement.child or statement.deceased:  # it does not count, but what it declares can only tighten
        return replace(statement, status=ConsentStatus.PENDING, form=None, basis=None, identifiable=True), tuple(problems)
    return None, tuple(problems)


def _parameter(param: str, fields: dict[str, object]) -> None:
    key, _, raw = param.partition("=")
    key = key.strip().lower().replace("_", "-")
    if not key:
        return
    value = _unquote(raw)
    if key == "v" and value != "1":
        raise _Bad("consent.unknown-version", value)
    if key not in PARAMS:
        return  # unknown parameters are kept in the header and ignored (grammar rule 4)
    name, read = PARAMS[key]
    result = read(value)
    if name in fields and fields[name] != result:
        raise _Bad("consent.contradiction", key)
    fields[name] = result


def read_header(value: str, *, carrier: Carrier = Carrier.HEADER, part: str | None = None) -> Reading:
    """Read one field value, folded or not.  For a part's own field give ``carrier=PART`` and the part it stands on.

    Never raises.  A value that breaks the limits or the quoting yields no statement but a refusal it may hold.
    """
    if len(value) > _LONGEST_FOLDED:  # only a refusal is looked for in what is far too long
        return _faulty(value, carrier, Problem("consent.too-long"))
    text = _uncomment(re.sub(r"\r?\n(?=[ \t])", "", value)).strip()
    fault = _fault(text)
    if fault is None:
        try:
            pieces = _split(text, ",")
        except _Bad as bad:
            fault = bad.problem
        else:
            if len(pieces) > MAX_STATEMENTS:
                fault = Problem("consent.too-many")
    if fault is not None:
        return _faulty(text, carrier, fault)
    statements: list[Statement] = []
    problems: list[Problem] = []
    for piece in pieces:
        try:
            statement, wrong = _statement(piece, carrier)
        except _Bad as bad:  # quoting inside the status word
            statement, wrong = None, (bad.problem,)
        problems.extend(wrong)
        if statement is not None:
            statements.append(replace(statement, part=part) if part is not None else statement)
    return Reading(carrier, tuple(statements), tuple(problems))


def _faulty(text: str, carrier: Carrier, fault: Problem) -> Reading:
    """No statement, but a refusal however badly the rest is written."""
    refusal = _REFUSAL.search(text)
    return Reading(carrier, (Statement(ConsentStatus(refusal[1].lower()), carrier),) if refusal else (), (fault,))


def _uncomment(text: str) -> str:
    """Drop RFC 5322 comments that stand outside quoted strings."""
    return re.sub(r'("(?:[^"\\]|\\.)*")|\([^()"]*\)', lambda match: match[1] or " ", text)


def _fault(text: str) -> Problem | None:
    if not text:
        return Problem("consent.bare-tag")
    if len(text.encode("utf-8", "surrogatepass")) > MAX_BYTES:
        return Problem("consent.too-long")
    if not text.isascii() or any(ord(char) < 32 and char != "\t" for char in text):
        return Problem("consent.malformed")
    return None


def nearest(word: str, allowed: tuple[str, ...]) -> str | None:
    """The allowed word a misspelt one most resembles; for notices."""
    close = difflib.get_close_matches(word.lower(), allowed, 1, 0.6)
    return close[0] if close else None


def write_header(*statements: Statement, private: bool = True) -> str:
    """The canonical value (an RFC 9651 List) of statements; without ``private`` reduced to status, v, purpose, scope, expires.

    What is written reads again as the same statements, but for what the sender's program alone knows (``fresh``, ``confirms``).
    Raises ValueError for a text that the grammar cannot hold (a control character or a letter beyond ASCII).
    """
    return ", ".join("; ".join(_written(statement, private)) for statement in statements)


def _written(statement: Statement, private: bool) -> Iterator[str]:
    yield statement.status.value
    yield "v=1"
    for key, (name, _) in PARAMS.items():
        value = getattr(statement, name)
        if (private or key in _REDUCED) and value != _DEFAULTS[name]:
            yield f"{key}={_value(key, value)}"


_REDUCED: Final = ("purpose", "scope", "expires")
_DEFAULTS: Final = {name: getattr(Statement(ConsentStatus.GIVEN, Carrier.HEADER), name) for name, _ in PARAMS.values()}


def _value(key: str, value: object) -> str:
    """A value as RFC 9651 writes it: token, string, or boolean."""
    if isinstance(value, bool):
        return "?1" if value else "?0"
    if isinstance(value, date):
        return f'"{value.isoformat()}"'
    if isinstance(value, frozenset):
        words = sorted(value, key=(SCOPES if key == "scope" else INFORMED).index)
        return words[0] if len(words) == 1 else f'"{" ".join(words)}"'
    text = str(value)
    if key not in _STRINGS:
        return text
    if not text.isascii() or not text.isprintable():
        raise ValueError(f"{key} cannot be written: only printable ASCII may stand in the field")
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


_STRINGS: Final = ("patient", "record", "policy", "part", "reason")
