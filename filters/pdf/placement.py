"""How large the pages show each picture (ISO 32000-2, 8.3, 8.8): evidence only, nothing when it cannot be told soundly."""

from __future__ import annotations

from filters.api import Budget
from filters.pdf.reader import Document, Id


def uses(document: Document, budget: Budget) -> dict[Id, frozenset[str]]:
    return {}
