"""The reason that stands with an emergency statement, on its way to the IG reviewer: never into record, journal or log.

It leaves the compute process in the plan only; the vault seals it to the review key inside the outcome (``quarantine.vault``).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policies.model import ConsentStatus, Facts


def stated(facts: Iterable[Facts]) -> Mapping[str, str]:
    """{way: where the word stood, reason: as it was written} of the first emergency statement; {} when there is none."""
    for one in facts:
        for statement in filter(None, (one.consent.statement, *one.consent.per_part)):
            if statement.status is ConsentStatus.BYPASSED and statement.bypass == "emergency":
                return {"way": statement.carrier.value, "reason": (statement.reason or "").strip()}
    return {}
