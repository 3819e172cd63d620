"""docs/codes.md out of the tables in the code: ``python -m tests.support.codes`` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from filters.catalogue import CODES as FILTERS
from gateway.carriers import REDIRECTS
from gateway.keyring import REASONS as KEYRING
from gateway.mime.codes import AMBIGUOUS
from gateway.mime.codes import CODES as MIME
from policies.counsel import CODES as COUNSEL
from policies.domains.recipients import CODES as RECIPIENTS
from policies.lists.devices import CODES as DEVICES
from policies.reasons import REASONS
from quarantine.roles import role_of_reason
from tests.support.paths import ROOT

PAGE = ROOT / "docs" / "codes.md"
# All that the page lists.
TABLES: tuple[Mapping[str, str], ...] = (FILTERS, MIME, REDIRECTS, KEYRING, RECIPIENTS, COUNSEL, DEVICES, REASONS)
_WHO = {"ig": "IG", "mail-admin": "mail admin", "two-person": "two people"}
_HEAD = """# Codes

Made by `python -m tests.support.codes` from the tables in the code; do not edit it by hand. A code is a name for what was seen or
decided. It never holds anything of the message, so it may stand in logs, metrics, audit and notices.

A rule names finding codes under `codes:`. A misspelt reason is an error when the policy is loaded; a misspelt finding code is not
noticed: that rule never fits, and a later rule or the floor, QUARANTINE, decides.
"""


def page() -> str:
    """docs/codes.md."""
    held = {code: MIME[code] for code in MIME if code in AMBIGUOUS}
    noted = {code: MIME[code] for code in MIME if code not in AMBIGUOUS}
    return "\n".join((
        _HEAD,
        "## Findings in files",
        "",
        "What the filters see in a picture, or in a text that hides one.",
        "",
        *_table(("code", "meaning"), FILTERS.items()),
        "## Messages that are built strangely",
        "",
        "Two mail programs would read such a message differently, so a check of one reading is no check of the other. Each of",
        "these codes also sets `mime.ambiguous`, which the shipped policy holds.",
        "",
        *_table(("code", "meaning"), held.items()),
        "## Messages: noted only",
        "",
        *_table(("code", "meaning"), noted.items()),
        "## Signs that a machine passed the message on",
        "",
        "With one of these no consent statement in the message counts.",
        "",
        *_table(("code", "meaning"), REDIRECTS.items()),
        "## Mail that may go to the wrong person",
        "",
        *_table(("code", "meaning"), RECIPIENTS.items()),
        "## Words, file names, cameras, several emails",
        "",
        "Mostly advice: [File shares, cameras, referrals](policy.md#file-shares-cameras-referrals).",
        "",
        *_table(("code", "meaning"), COUNSEL.items()),
        *_table(("code", "meaning"), DEVICES.items()),
        "## Why a certificate may not be used",
        "",
        *_table(("code", "meaning"), KEYRING.items()),
        "## Reasons told to people",
        "",
        "The sentence is the one that notices show. “Decides” is the least that `quarantine/roles.py` asks for when this is a",
        "hold's first reason (for two people: any reason); a rule may ask for more, never for less. An ASK is for the sender.",
        "",
        *_table(("code", "sentence", "decides"), ((code, text, _WHO[role_of_reason(code)]) for code, text in REASONS.items())),
    ))  # fmt: skip


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> list[str]:
    lines = [f"| {' | '.join(head)} |", "|---" * len(head) + "|"]
    lines += [f"| `{row[0]}` | {' | '.join(row[1:])} |" for row in rows]
    return [*lines, ""]


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
