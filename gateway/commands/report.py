"""``clinigate report``: figures of past mail: the week for IG, and what observing found."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from gateway.commands.options import DEFAULT_CONFIG, ConfigOption, JsonOption, fail, settings
from gateway.commands.weekly import weekly
from policies.explain import sentences

app = typer.Typer(no_args_is_help=True, help="Figures of past mail: a week for IG, or what observing found.")
app.command("weekly")(weekly)
STAYS = ("ASK", "QUARANTINE", "REFUSE")


@app.command("observe")
def observe(
    config: ConfigOption = DEFAULT_CONFIG,
    as_json: JsonOption = False,
    days: Annotated[float, typer.Option(help="How far back to look.")] = 30,
) -> None:
    """What would have been held or refused if mail had been enforced: counts by decision, rule and sender group."""
    journal = settings(config).state / "journal"
    try:
        found = summary(journal, time.time() - days * 86400)
    except OSError as error:
        fail(f"{journal}: {error.strerror}; run this as a user who may read the gateway's state", code=1)
    if as_json:
        typer.echo(json.dumps(found, indent=2))
        return
    typer.echo(
        f"Last {days:g} days: {found['messages']} messages to {found['recipients']} recipients, {found['failures']} failures."
    )
    typer.echo(
        f"In observe mode {found['observed']} recipients got mail as it came; {found['would_stay']} of them would not have."
    )
    table = Table("would be", "rule", "sender group", "recipients", "why")
    for row in found["rows"]:
        table.add_row(row["decided"], row["rule"], row["group"], str(row["count"]), row["why"])
    Console().print(table)


def summary(journal: Path, since: float) -> dict[str, Any]:
    """Counts from the segments of ``journal`` since a POSIX time, by decision, rule and sender group.  Raises OSError."""
    events = [event for event in _events(journal) if event.get("event") == "message" and event["at"] >= since]
    lines = [line for event in events for line in event["record"].get("recipients", ())]
    counts: Counter[tuple[str, str, str, tuple[str, ...]]] = Counter(
        (line["decided"], line["rule"], line["facts"]["sender_group"], tuple(line["reasons"]))
        for line in lines
        if line["mode"] == "observe"
    )
    rows = [
        {"decided": decided, "rule": rule, "group": group, "count": count, "why": " ".join(sentences(reasons))}
        for (decided, rule, group, reasons), count in counts.most_common()
    ]
    return {
        "messages": len(events),
        "recipients": sum(len(event["recipients"]) for event in events),
        "failures": sum(1 for event in events if event["record"].get("failure")),
        "observed": sum(counts.values()),
        "would_stay": sum(count for (decided, *_), count in counts.items() if decided in STAYS),
        "rows": rows,
    }


def _events(journal: Path) -> Iterator[dict[str, Any]]:
    for segment in sorted(path for path in journal.iterdir() if path.suffix == ".jsonl"):
        with segment.open("rb") as lines:
            for line in lines:
                if line.endswith(b"\n"):  # the last line may be half written
                    yield json.loads(line)
