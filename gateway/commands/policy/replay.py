"""``clinigate policy replay``: past mail, as recorded in the journal, under a new policy."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic_core import from_json
from rich.console import Console
from rich.table import Table

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings
from gateway.commands.policy.source import PolicyOption, folder_of, in_folder, named, since
from policies.explain import sentences
from policies.replay import Pair, Replay


@dataclass(slots=True)
class Count:
    """Recipients of one sender group, as the rules decide; ``earnest``: where the modes enforce it."""

    recipients: int = 0
    held: int = 0
    released: int = 0
    other: int = 0
    held_in_earnest: int = 0
    released_in_earnest: int = 0


@dataclass(slots=True)
class Tally:
    """What a replay found."""

    messages: int = 0
    unreadable: int = 0
    groups: dict[str, Count] = field(default_factory=dict)
    rows: Counter[tuple[str, str, str, str, str, str, str]] = field(default_factory=Counter)
    mails: list[dict[str, Any]] = field(default_factory=list)


def replay(
    new: Annotated[str, typer.Argument(help="Folder, file or digest of the new policy.")],
    config: ConfigOption = DEFAULT_CONFIG,
    policy: PolicyOption = None,
    span: Annotated[str, typer.Option("--since", help="How far back: 30d, 12h, 8w or a day like 2026-11-01.")] = "30d",
    old: Annotated[str | None, typer.Option("--old", help="What to compare with; default: the policy folder.")] = None,
    journal: Annotated[Path | None, typer.Option(help="Folder of the journal; default: the gateway's own.")] = None,
    most: Annotated[int, typer.Option("--list", help="How many changed mails are listed.")] = 20,
    as_json: JsonOption = False,
) -> None:
    """Run the recorded facts of past mail through a new policy: who would newly be held, who would go, by sender group.

    Counted is what the rules decide; beside it stands in how many cases the modes of both policies make it so in earnest.
    Mail without a picture or attachment that counts is not in the journal, and no policy holds it.
    """
    before = named(old, policy, config) if old is not None else in_folder(folder_of(policy, config))
    after = named(new, policy, config)
    folder = journal if journal is not None else settings(config).state / "journal"
    start = time.perf_counter()
    try:
        tally = run(folder, since(span, datetime.now(UTC)).timestamp(), Replay(before, after), most)
    except OSError as error:
        fail(f"{folder}: {error.strerror}; run this as a user who may read the gateway's state", code=1)
    seconds = time.perf_counter() - start
    if as_json:
        typer.echo(json.dumps(_json(tally, before.digest, after.digest, seconds), indent=2))
    else:
        _print(tally, before.version, after.version, span, seconds)


def run(folder: Path, since: float, judge: Replay, most: int) -> Tally:
    """Every message of the journal since a POSIX time, judged twice.  Raises OSError."""
    tally = Tally()
    for event in events(folder, since, tally):
        tally.messages += 1
        record = event["record"]
        for index, line in enumerate(record.get("recipients", ())):
            try:
                facts = line["facts"]
                pair = judge.judge(facts)
                group = facts["sender_group"]
            except (KeyError, ValueError, TypeError, AttributeError):
                tally.unreadable += 1  # of a version of the program that recorded otherwise
                continue
            count = tally.groups.get(group)
            if count is None:
                count = tally.groups[group] = Count()
            count.recipients += 1
            if pair.changed:
                _changed(tally, count, pair, event, facts, index, most)
    return tally


def events(folder: Path, since: float, tally: Tally) -> Iterator[Mapping[str, Any]]:
    """The message events since a POSIX time, oldest segment first; what cannot be read is counted."""
    for segment in sorted(folder.glob("*.jsonl")):
        if segment.stat().st_mtime < since:
            continue
        with segment.open("rb") as lines:
            for line in lines:
                try:
                    event = from_json(line)
                    wanted = event["event"] == "message" and event["at"] >= since and bool(event["record"])
                except (ValueError, KeyError, TypeError):
                    tally.unreadable += bool(line.strip()) and line.endswith(b"\n")  # else still being written
                    continue
                if wanted:
                    yield event


def _changed(
    tally: Tally, count: Count, pair: Pair, event: Mapping[str, Any], facts: Mapping[str, Any], index: int, most: int
) -> None:
    before, after = pair.before, pair.after
    count.held += after.held and not before.held
    count.released += before.held and not after.held
    count.other += before.held is after.held and before.decision.action is not after.decision.action
    count.held_in_earnest += after.stays and not before.stays
    count.released_in_earnest += before.stays and not after.stays
    what = "held" if (after.held, after.stays) > (before.held, before.stays) else "goes" if before.held > after.held else "other"
    if before.held is after.held and before.stays and not after.stays:
        what = "goes"
    first, second = before.decision, after.decision
    group = facts["sender_group"]
    row = (what, group, first.action.name, first.rule, second.action.name, second.rule, after.mode.value)
    tally.rows[row] += 1
    if len(tally.mails) < most:
        tally.mails.append(
            {
                "at": event["at"],
                "message": event.get("message"),
                "recipient": index + 1,
                "domain": facts["recipient"]["domain"],
                "change": what,
                "group": group,
                "before": {"action": first.action.name, "rule": first.rule, "mode": before.mode.value},
                "after": {"action": second.action.name, "rule": second.rule, "mode": after.mode.value},
                "why": " ".join(sentences(second.reasons)),
            }
        )


def _json(tally: Tally, before: str, after: str, seconds: float) -> dict[str, Any]:
    names = ("change", "group", "before", "rule_before", "after", "rule_after", "mode")
    return {
        "old": before,
        "new": after,
        "messages": tally.messages,
        "unreadable": tally.unreadable,
        "seconds": round(seconds, 3),
        "groups": {name: {one: getattr(count, one) for one in Count.__slots__} for name, count in sorted(tally.groups.items())},
        "rows": [{**dict(zip(names, row, strict=True)), "recipients": count} for row, count in tally.rows.most_common()],
        "mails": tally.mails,
    }


def _print(tally: Tally, before: str, after: str, span: str, seconds: float) -> None:
    typer.echo(f"{tally.messages} messages with pictures since {span}, {before} -> {after} ({seconds:.1f} s).")
    if tally.unreadable:
        typer.echo(f"{tally.unreadable} records could not be read and are not counted.")
    table = Table("sender group", "recipients", "newly held", "newly let go", "otherwise", "in earnest held", "in earnest let go")
    for name, count in sorted(tally.groups.items()):
        table.add_row(name, *(str(getattr(count, one)) for one in Count.__slots__))
    Console().print(table)
    if not tally.rows:
        typer.echo("Nothing ends otherwise.")
        return
    table = Table("change", "sender group", "before", "after", "mode then", "recipients")
    for (what, group, first, rule, second, other, mode), number in tally.rows.most_common():
        table.add_row(what, group, f"{first} {rule}", f"{second} {other}", mode, str(number))
    Console().print(table)
    for mail in tally.mails:
        when = datetime.fromtimestamp(mail["at"], UTC).astimezone().strftime("%Y-%m-%d %H:%M")
        typer.echo(
            f"{when} {str(mail['message'])[:12]} to {mail['domain'] or 'no domain'} (group {mail['group']}): "
            f"{mail['before']['action']} -> {mail['after']['action']}, rule {mail['after']['rule']}. {mail['why']}"
        )
