"""Clinigate beside Postfix and beside a bare relay, interleaved in one run: ``make bench``, docs/performance.md.

Needs a C compiler (the sink), Postfix and root (Postfix starts as root).  Loopback only; ends by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # started as a script

from tests.bench import meter, receive, rig
from tests.bench.systems import Bare, Clinigate, Postfix, System

COUNTS = {"t2k": 600, "h30k": 300, "j3m": 40, "j15m": 10}
QUICK = {"t2k": 40, "h30k": 20, "j3m": 4, "j15m": 2}
BURST_SECONDS = 5.0  # the slow ones send less than the count
MOST_OTHERS = 0.33  # of a core; bursts with more are left out
MOST_SECONDS = 3600
MARKS = ("<!-- figures: begin -->\n", "<!-- figures: end -->\n")


@dataclass(frozen=True, slots=True)
class Burst:
    """One system, one message, one moment.  ``cpu``, ``later`` (the quarantine service's): ms a message.  ``rss``: bytes."""

    system: str
    message: str
    rate: float
    megabytes: float
    p50: float
    p95: float
    cpu: float
    later: float
    rss: int
    others: float
    fault: str = ""


def burst(system: System, name: str, message: Path, count: int, sink: rig.Sink, ours: Iterable[int]) -> Burst:
    """Send, wait for the last message at the sink, then for what is left to do."""
    before, cpu, later = sink.count, meter.cpu(system.roots), meter.cpu(system.helpers)
    others = meter.Others(ours)
    with meter.Peak(system.roots) as peak:
        sent = rig.Sending(message, system.port, count=count, seconds=BURST_SECONDS).result()
        end = time.monotonic() + 60
        while sink.count - before < sent.count and time.monotonic() < end:
            time.sleep(0.002)
    elsewhere = others.cores()
    system.rest()
    arrived = sink.count - before
    seconds = max(sent.ended, sink.last) - sent.began
    per = 1e3 / max(1, sent.count)
    return Burst(
        system.name,
        name,
        rate=arrived / seconds,
        megabytes=arrived * message.stat().st_size / seconds / 1e6,
        p50=sent.quantile(0.5),
        p95=sent.quantile(0.95),
        cpu=(meter.cpu(system.roots) - cpu) * per,
        later=(meter.cpu(system.helpers) - later) * per,
        rss=peak.bytes,
        others=elsewhere,
        fault=f"{arrived} of {sent.count} arrived, errors {sent.errors}" if sent.errors or arrived != sent.count else "",
    )


class Table:
    """Bursts by system and message; medians of the clean ones."""

    def __init__(self, most_others: float = MOST_OTHERS) -> None:
        self.bursts: list[Burst] = []
        self._most_others = most_others

    def clean(self, one: Burst) -> bool:
        """Nobody else used more of the machine than is let pass."""
        return not one.fault and one.others <= self._most_others

    def add(self, one: Burst) -> None:
        self.bursts.append(one)
        note = one.fault or ("" if self.clean(one) else f"left out: others used {one.others:.2f} cores")
        print(
            f"  {one.message:5} {one.system:10} {one.rate:8.1f}/s {one.p50:8.1f} ms {one.cpu:7.2f} ms CPU  {note}",
            file=sys.stderr,
        )

    def median(self, system: str, message: str, value: Callable[[Burst], float]) -> float:
        """NaN without a clean burst."""
        seen = [value(one) for one in self.bursts if self.clean(one) and (one.system, one.message) == (system, message)]
        return statistics.median(seen) if seen else float("nan")

    @property
    def faults(self) -> list[Burst]:
        return [one for one in self.bursts if one.fault]

    def lines(self, messages: Sequence[str], systems: Sequence[str]) -> list[str]:
        """Markdown: figures, ratios, what was left out."""
        found = [
            "| message | system | msgs/s | MB/s | p50 ms | p95 ms | CPU ms | later ms | peak RSS MB |",
            "|---|---|" + "--:|" * 7,
        ]
        for message in messages:
            for system in systems:
                figures = [self.median(system, message, value) for value in _COLUMNS]
                found.append(f"| {message} | {system} | " + " | ".join(map(_short, figures)) + " |")
        found += [
            "",
            "| message | rate, × Postfix | rate, × bare relay | CPU, × Postfix | CPU, × bare relay |",
            "|---|" + "--:|" * 4,
        ]
        for message in messages:
            ratios = [self._ratio(message, other, value) for value in (_rate, _cpu) for other in ("postfix", "bare")]
            found.append(f"| {message} | " + " | ".join(map(_short, ratios)) + " |")
        left = [one for one in self.bursts if not self.clean(one) and not one.fault]
        why = f"because others used more than {self._most_others:g} of a core"
        found += ["", f"{len(self.bursts)} bursts, {len(left)} of them left out {why}."]
        return found

    def _ratio(self, message: str, other: str, value: Callable[[Burst], float]) -> float:
        base = self.median(other, message, value)
        return self.median("clinigate", message, value) / base if base else float("nan")


def _rate(one: Burst) -> float:
    return one.rate


def _cpu(one: Burst) -> float:
    return one.cpu


_COLUMNS: tuple[Callable[[Burst], float], ...] = (
    _rate,
    lambda one: one.megabytes,
    lambda one: one.p50,
    lambda one: one.p95,
    _cpu,
    lambda one: one.later,
    lambda one: one.rss / 1e6,
)


def _short(value: float) -> str:
    if value != value:
        return "–"
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def machine() -> str:
    """What it ran on, in words that name nobody's machine."""
    virtual = " (VM)" if re.search(r"^flags.*\bhypervisor\b", Path("/proc/cpuinfo").read_text(), re.M) else ""
    return f"{os.cpu_count()} cores{virtual}, Python {sys.version_info.major}.{sys.version_info.minor}"


def measure(options: argparse.Namespace, folder: Path) -> tuple[list[str], int]:
    """Everything in one run: (Markdown, number of faults)."""
    messages = rig.messages(options.messages or folder / "messages")
    counts = QUICK if options.quick else COUNTS
    with contextlib.ExitStack() as stack:
        sink, notices = (stack.enter_context(rig.Sink(folder, name)) for name in ("sink", "notices"))
        logos = rig.logos(messages["h30k"])
        ours = stack.enter_context(
            Clinigate(folder / "site", sink.port, notices.port, logos, quarantine=not options.no_quarantine)
        )
        memory = receive.memory(ours, [messages["t2k"], messages["j3m"]], rig.big(messages["j15m"], 40_000_000), sink)
        systems: list[System] = [stack.enter_context(Bare(sink.port))]
        systems += [stack.enter_context(Postfix(folder / "postfix", sink.port)), ours]
        mine = [os.getpid(), *(pid for system in systems for pid in (*system.roots, *system.helpers))]
        for system in systems:
            rig.Sending(messages["h30k"], system.port, count=20, seconds=BURST_SECONDS).result()
            system.rest()
        table = Table(options.others)
        for number in range(options.rounds):
            print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
            for name, message in messages.items():
                for system in systems:
                    table.add(burst(system, name, message, counts[name], sink, mine))
        beside = receive.small_beside_big(ours, messages["t2k"], messages["j15m"], seconds=2 if options.quick else 8)
    lines = [f"Measured on {time.strftime('%d %B %Y')}: {machine()}; {options.rounds} rounds, medians.", ""]
    lines += [*table.lines(list(messages), [system.name for system in systems]), "", *memory.lines(), *beside.lines()]
    for one in table.faults:
        lines.append(f"FAULT {one.system} {one.message}: {one.fault}")
    return lines, len(table.faults)


def write(document: Path, lines: Sequence[str]) -> None:
    """Put the figures between the marks of a document."""
    before, begin, rest = document.read_text("utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not begin or not end:
        raise SystemExit(f"{document.name} has no place for figures ({MARKS[0].strip()} … {MARKS[1].strip()})")
    document.write_text(before + begin + "\n" + "\n".join(lines) + "\n\n" + end + after, "utf-8")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--others", type=float, default=MOST_OTHERS, metavar="CORES", help="leave out bursts with more of others")
    parser.add_argument("--quick", action="store_true", help="few messages: to see that it works")
    parser.add_argument("--no-quarantine", action="store_true", help="leave the quarantine service out")
    parser.add_argument("--messages", type=Path, help="a folder with the four messages; made there if they are missing")
    parser.add_argument("--write", type=Path, metavar="DOCUMENT", help="put the figures into a document, between its marks")
    return parser.parse_args()


def main() -> int:
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that everything started is ended, too
    signal.signal(signal.SIGALRM, lambda *_: sys.exit(f"not done within {MOST_SECONDS} s"))
    signal.alarm(MOST_SECONDS)
    with tempfile.TemporaryDirectory(prefix="clinigate-bench-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # Postfix's own user passes through
        lines, faults = measure(options, folder)
    print("\n".join(lines))
    if options.write:
        write(options.write, lines)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
