"""How an entry of the register becomes approved: two different people sign the same terms."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from gateway.commands.register.yamlentries import as_read
from policies.domains import signed

AGAIN: Final = "Careful: {name} was changed after it was signed. Pictures to it are held until two people run `{command}`."


def again(name: str) -> str:
    """What is said of an approved entry that was changed by hand."""
    return AGAIN.format(name=name, command=f"clinigate domain approve {name}")


class NotSigned(Exception):
    """The signature does not count; the text says why."""


def sign(entry: Any, who: str, today: date, needed: int) -> bool:
    """Add a signature; True if that approves it.  Raises NotSigned.

    A signature given for other terms than those that stand now is void: the entry was changed in between, or after its approval.
    """
    plain = as_read(entry)
    if signed.changed(plain):
        entry["status"] = "proposed"
    elif entry.get("status") == "approved" and len(entry.get("approved_by") or ()) >= 2:
        raise NotSigned("is approved already")
    if entry.get("status") == "denied":
        raise NotSigned("is denied; take its entry out by hand first")
    given = [str(name) for name in entry.get("approved_by") or ()]
    now = signed.terms(plain)
    if given and entry.get("signed_terms") not in (None, "", now):
        given = []
    if who.lower() in {name.lower() for name in given}:
        raise NotSigned(f"was signed by {who} already; a second, different person must approve it")
    if entry.get("include_subdomains"):  # whoever runs the domains below it is not known: one person never decides that alone
        needed = 2
    given.append(who)
    entry["approved_by"] = given
    entry["approved_on"] = today
    entry["signed_terms"] = now
    if len(given) < needed:
        return False
    entry["status"] = "approved"
    entry.pop("reason", None)
    return True


def suspend(entry: Any, reason: str, who: str, today: date) -> None:
    """Stop it at once; signatures are void, so that two people must approve it anew.  Raises NotSigned."""
    if entry.get("status") == "denied":
        raise NotSigned("is denied already")
    before = ", ".join(map(str, entry.get("approved_by") or ()))
    entry["status"] = "suspended"
    entry["reason"] = f"{reason} ({who}, {today}{f'; was approved by {before}' if before else ''})"
    for key in ("approved_by", "approved_on", "signed_terms"):
        entry.pop(key, None)
