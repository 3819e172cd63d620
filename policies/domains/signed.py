"""What the signatures of an entry are for: the entry without the words about its approval.

Whoever changes an approved entry by hand changes what two people signed: it does not carry any more, until two sign it anew.
An entry whose approvers were written by hand has no ``signed_terms``; nothing is known of what they saw.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

CHANGED: Final = "changed"  # how such an entry stands (``policies.register.stands``)
# Keys that are about the approval, not about what is approved.
_ABOUT: Final = frozenset(
    {"status", "reason", "approved_by", "approved_on", "signed_terms", "proposed_by", "proposed_on", "last_used", "notes"}
)


def terms(entry: Mapping[str, Any]) -> str:
    """Names what a signature is for."""
    told = {key: value for key, value in entry.items() if key not in _ABOUT}
    return sha256(json.dumps(told, sort_keys=True, default=str).encode()).hexdigest()[:16]


def changed(entry: Mapping[str, Any]) -> bool:
    """Whether an approved entry says something else today than was signed; False for those approved by hand."""
    signed = entry.get("signed_terms")
    return entry.get("status") == "approved" and signed not in (None, "") and signed != terms(entry)
