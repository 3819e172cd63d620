"""``clinigate daily``: what is due in register, policy and reports, handed to the quarantine service to be sent.  For a timer.

The quarantine service knows no policy, and the gateway sends no notices: this command reads both and writes promises into the
service's outbox.  It may run twice, late, or after missed days: each promise has a name and is made once.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Callable
from typing import Any

import typer

from gateway import registerdue
from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, settings
from gateway.commands.weekly import build, write
from gateway.config import ConfigError, Settings, policy_files
from gateway.policyfolder.versions import Versions
from policies.load import PolicyError, load_policy
from quarantine import daily as promises
from quarantine.daily import Warned
from quarantine.records import Records
from quarantine.reports import tallies


class Run:
    """One run: the parts in their order, each by itself, so that one that fails does not keep the others from being done."""

    def __init__(self, whole: Settings, records: Records, now: float) -> None:
        self._whole, self._records, self._now = whole, records, now
        self._options = whole.quarantine.reports
        self._today = whole.quarantine.office.day_of(now)
        self._warnings: list[Warned] = []
        self.done: dict[str, Any] = {}
        self.wrong: list[str] = []
        self._cut_short = False

    def all(self) -> None:
        """Everything; ``wrong`` says what could not be done."""
        self._part("register", self._register)
        self._part("policy", self._policy)
        self._part("weekly report", self._weekly)
        self._part("digest", self._digest)
        if not self._cut_short:  # a broken policy is told of by itself; the job has run all the same
            promises.ran(self._records, self._now)

    def _part(self, name: str, work: Callable[[], object]) -> None:
        try:
            self.done[name] = work()
        except PolicyError as error:
            self.wrong.append(f"{name}: the policy cannot be used: {error.problems[0]}")
        except ConfigError as error:
            self.wrong.append(f"{name}: {error.problems[0]}")
        except (OSError, sqlite3.Error) as error:
            self._cut_short = True
            self.wrong.append(f"{name}: {error}")

    def _register(self) -> dict[str, int]:
        """Warnings to the owners of domains, and about old lists."""
        files = policy_files(self._whole.policy)
        policy = load_policy({name: text.encode() for name, text in files.items()})
        self._warnings = registerdue.warnings(policy, self._today, tallies.last_used(self._records))
        lists = registerdue.old_lists(files, self._today, self._options.lists_days)
        return {
            "due": len(self._warnings),
            "new": promises.warn(self._records, self._warnings, self._now),
            "lists": int(promises.lists_old(self._records, lists, self._today, self._now)),
        }

    def _policy(self) -> bool:
        """True if a broken policy was told of."""
        broken = Versions(self._whole.state / "policies").broken()
        return broken is not None and promises.policy_broken(self._records, broken.at, self._today, self._now)

    def _weekly(self) -> list[str]:
        """Names of the weeks that were reported."""
        if not self._options.weekly:
            return []
        weeks = promises.weeks_due(self._records, self._today, self._whole.quarantine.office.zone)
        for week in weeks:
            made = build(self._whole, self._records, week, self._now)
            write(made, self._whole.quarantine.report_folder)
            promises.promise_week(self._records, made, str(self._whole.quarantine.report_folder), self._now)
        return [week.name for week in weeks]

    def _digest(self) -> bool:
        """True if a digest was promised."""
        if not self._options.digest:
            return False
        office = self._whole.quarantine.office
        made = promises.digest(self._records, self._today, self._now, office, len(self._warnings))
        return promises.promise_digest(self._records, made, self._now, empty=self._options.digest_when_empty)


def daily(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """Warn owners of domains, make the weekly report and the daily digest; the quarantine service sends them. Safe to repeat."""
    whole = settings(config)
    run = Run(whole, Records(whole.quarantine.records), time.time())
    run.all()
    if as_json:
        typer.echo(json.dumps({**run.done, "wrong": run.wrong}, indent=2))
    else:
        told = run.done.get("register", {})
        typer.echo(f"register: {told.get('due', 0)} due, {told.get('new', 0)} told now")
        typer.echo(f"weekly report: {', '.join(run.done.get('weekly report', [])) or 'none due'}")
        typer.echo(f"digest: {'on its way' if run.done.get('digest') else 'nothing new to say'}")
    for line in run.wrong:
        typer.echo(line, err=True)
    raise typer.Exit(1 if run.wrong else 0)
