"""The register for reports and the daily job: what is due, which domains nobody uses, which lists are old.  Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, timedelta

from policies.domains.expiry import Due, due_warnings, last_use
from policies.load import LISTS, Policy
from quarantine.daily import Warned
from quarantine.reports.figures import DomainLine
from quarantine.reports.figures import Register as Told

_TAKEN = re.compile(r"^# taken: (\d{4}-\d{2}-\d{2})", re.M)


def told(policy: Policy, today: date, used: Mapping[str, date], began: date | None, unused_days: int) -> Told:
    """What a report says of the register on a day."""
    due = due_warnings(policy.register, today, used)
    return Told(
        known=True,
        unused=tuple(_unused(policy, today, used, began, unused_days)),
        due=tuple(DomainLine(one.name, one.day, one.sentence) for one in due),
        unused_days=unused_days,
    )


def warnings(policy: Policy, today: date, used: Mapping[str, date]) -> list[Warned]:
    """What the owners are to be told; the key stays the same until the next stage."""
    return [_warned(one) for one in due_warnings(policy.register, today, used)]


def old_lists(files: Mapping[str, str], today: date, days: int) -> list[str]:
    """A sentence for each list of names that was taken too long ago."""
    found = []
    for name in LISTS:
        match = _TAKEN.search(files.get(name, ""))
        if match and today - date.fromisoformat(match[1]) > timedelta(days=days):
            found.append(f"{name}: taken on {match[1]}")
    return found


def _warned(one: Due) -> Warned:
    return Warned(one.key, one.owner, one.sentence)


def _unused(policy: Policy, today: date, used: Mapping[str, date], began: date | None, days: int) -> Iterator[DomainLine]:
    """Approved domains without a picture for so long; one never used only where counting began as long ago."""
    span = timedelta(days=days)
    for name, entry in sorted(policy.register.domains.items()):
        if entry.status != "approved":
            continue
        last = last_use(name, entry, used)
        since = last or began
        if since is not None and today - since >= span:
            yield DomainLine(name, last, entry.organisation)
