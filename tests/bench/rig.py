"""The load rig, used by path from the shared tools: its four messages, its sink and its sender."""

from __future__ import annotations

import email
import hashlib
import json
import mmap
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from tests.support.installation import free_port, listening, until
from tests.support.paths import SHARED

RIG = SHARED / "tools" / "rig"
NAMES = ("t2k", "h30k", "j3m", "j15m")
PHOTOS = ("j3m", "j15m")
CONSENT = b"Clinical-Image-Consent: given; v=1; form=verbal; purpose=COC\r\n"
SENDER, RECIPIENT = "dr.a@clinic.example", "dr.b@practice.example"


def messages(folder: Path) -> dict[str, Path]:
    """The rig's messages, made in ``folder`` unless they are there.

    Photos state consent in a header line of their own.  They lose their Message-ID: the rig sends the same bytes again and again,
    and thousands of mails with one Message-ID would be taken for copies of one mail, about which one notice is written.
    """
    if not all((folder / f"{name}.eml").exists() for name in NAMES):
        folder.mkdir(parents=True, exist_ok=True)
        maker = folder / "make_messages.py"  # it writes beside itself
        shutil.copyfile(RIG / maker.name, maker)
        subprocess.run([sys.executable, str(maker)], check=True, capture_output=True, timeout=300)
        for made in (folder / "msgs").glob("*.eml"):
            made.rename(folder / made.name)
    found = {}
    for name in NAMES:
        found[name] = folder / f"{name}.eml"
        if name in PHOTOS:
            stated = folder / f"{name}-consent.eml"
            stated.write_bytes(CONSENT + re.sub(rb"(?m)^Message-ID:.*\n", b"", found[name].read_bytes(), count=1))
            found[name] = stated
    return found


def logos(message: Path) -> list[str]:
    """SHA-256 of the PNGs in a message, as ``known_logos`` of a policy wants them."""
    parts = email.message_from_bytes(message.read_bytes()).walk()
    pictures = [part.get_payload(decode=True) for part in parts if part.get_content_type() == "image/png"]
    return [hashlib.sha256(one).hexdigest() for one in pictures if isinstance(one, bytes)]


def big(message: Path, size: int) -> Path:
    """A message of about ``size`` bytes: ``message`` with its photos as often as it takes."""
    raw = message.read_bytes()
    opening = raw[raw.index(b'boundary="') + 10 :].partition(b'"')[0]
    first = raw.index(b"--" + opening + b"\r\nContent-Type: image")
    last = raw.rindex(b"--" + opening + b"--")
    made = message.with_name(f"big-{size // 10**6}m.eml")
    made.write_bytes(raw[:last] + raw[first:last] * max(0, round((size - len(raw)) / (last - first))) + raw[last:])
    return made


class Sink:
    """The rig's next hop that takes everything and counts it; compiled here."""

    def __init__(self, folder: Path, name: str) -> None:
        self.port = free_port()
        self._stat = folder / f"{name}.stat"
        program = folder / "fastsink"
        if not program.exists():
            subprocess.run(["cc", "-O2", "-pthread", "-o", str(program), str(RIG / "fastsink.c")], check=True, timeout=60)
        self.process = subprocess.Popen([str(program), str(self.port), str(self._stat)])
        until(lambda: listening(self.port), "start of the sink")
        with self._stat.open("rb") as file:
            self._counters = mmap.mmap(file.fileno(), 32, prot=mmap.PROT_READ)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait(10)

    @property
    def count(self) -> int:
        """Messages taken so far."""
        return int.from_bytes(self._counters[:8], "little")

    @property
    def last(self) -> float:
        """``time.monotonic()`` of the latest message."""
        return int.from_bytes(self._counters[24:32], "little") / 1e9


@dataclass(frozen=True, slots=True)
class Sent:
    """What the sender saw.  Times in seconds, ``began`` and ``ended`` as ``time.monotonic()``; latencies sorted."""

    count: int
    began: float
    ended: float
    latencies: tuple[float, ...]
    errors: dict[str, int]

    def quantile(self, part: float) -> float:
        """A latency in ms."""
        return self.latencies[min(len(self.latencies) - 1, int(part * len(self.latencies)))] * 1e3 if self.latencies else 0.0


class Sending:
    """The rig's sender under way.  It ends at ``count`` messages or after ``seconds``, whichever comes first."""

    def __init__(self, message: Path, port: int, *, count: int, seconds: float, connections: int = 4) -> None:
        words = [str(message), "--port", str(port), "--count", str(count), "--conns", str(connections), "--per-conn", "10"]
        words += ["--max-seconds", str(seconds), "--mail-from", SENDER, "--rcpt", RECIPIENT, "--raw-latencies"]
        self._process = subprocess.Popen(
            [sys.executable, "-u", str(RIG / "sender.py"), *words], stdout=subprocess.PIPE, text=True
        )

    def result(self) -> Sent:
        """Wait for its end."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        ended = time.monotonic()
        self._process.communicate(timeout=60)
        told: dict[str, Any] = json.loads(line)
        return Sent(told["sent"], ended - told["seconds"], ended, tuple(told["lat"]), told["errors"])
