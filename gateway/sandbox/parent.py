"""The parent's side of the sandbox, and the scrubbers and openers that work through it.

A child that dies, hangs, floods or answers nonsense is killed; the file it had is then unreadable (a FilterError), and the next
file gets a new child.
"""

from __future__ import annotations

import contextlib
import errno
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final, TypeVar

from filters.api import (
    STRICT,
    Budget,
    Cleaning,
    Finding,
    ImageInfo,
    Malformed,
    Member,
    Opener,
    Scrubbed,
    Scrubber,
    Seen,
    TooBig,
)
from filters.budget import Limits
from filters.looks import Looks
from filters.tree import Tools
from gateway.sandbox import words
from gateway.sandbox.frames import Flood, Nonsense, receive, send

START_SECONDS: Final = 20.0
JOBS_MOST: Final = 500  # then a fresh child: what a decoder leaks does not add up
Frame = tuple[dict[str, Any], list[bytes]]
T = TypeVar("T")


class SandboxFailed(OSError):
    """The sandbox does not start: a fault of this machine or its installation, not of any file."""

    def __init__(self, why: str) -> None:
        super().__init__(errno.EAGAIN, f"the sandbox does not start: {why}")


class Sandbox:
    """At most one child at a time; one job at a time.  ``memory``: its address space in bytes.  ``seconds``: of one job."""

    def __init__(self, memory: int, seconds: float, program: str = "gateway.sandbox.child") -> None:
        self._memory, self._seconds, self._program = memory, seconds, program
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: socket.socket | None = None
        self._jobs = 0
        self.confined = False

    def run(
        self, header: dict[str, Any], blobs: list[bytes], budget: Budget, seconds: float | None = None
    ) -> Iterator[Frame]:
        """The frames of one job, which may take ``seconds`` if that is less than any job may.

        Raises FilterError, SandboxFailed; who stops reading in the middle costs the child its life.
        """
        done, got = False, 0
        limits = Limits(**words.dump_limits(budget.limits) | {"total": budget.room})
        channel = self._started()
        try:
            end = time.monotonic() + min(self._seconds, self._seconds if seconds is None else seconds)
            self._jobs += 1
            send(channel, header | {"limits": words.dump_limits(limits)}, blobs)
            while True:
                frame = self._next(channel, end, budget)
                if "error" in frame[0]:
                    done = True
                    raise words.load_error(frame[0])
                if "end" in frame[0]:
                    done = True
                    budget.grow(max(got, min(limits.total, int(frame[0]["spent"]))))
                    return
                got += sum(map(len, frame[1]))
                if got > limits.total:
                    raise TooBig("bytes from the sandbox")
                yield frame
        except TimeoutError:
            raise TooBig("time in the sandbox") from None
        except Flood:
            raise TooBig("bytes from the sandbox") from None
        except (Nonsense, OSError, ValueError, KeyError, TypeError):
            raise Malformed("the decoder failed") from None
        finally:
            if not done or self._jobs >= JOBS_MOST:
                self.close()

    def close(self) -> None:
        """Kill the child, if there is one."""
        if self._channel is not None:
            self._channel.close()
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        self._process, self._channel, self._jobs = None, None, 0

    @staticmethod
    def _next(channel: socket.socket, end: float, budget: Budget) -> Frame:
        budget.tick()
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        channel.settimeout(left)
        return receive(channel, most=budget.room + 1)

    def _started(self) -> socket.socket:
        """A channel to a child that is ready.  Raises SandboxFailed."""
        if self._channel is not None and self._process is not None and self._process.poll() is None:
            self._channel.settimeout(self._seconds)
            return self._channel
        self.close()
        try:
            return self._fresh()
        except (OSError, Nonsense) as error:
            self.close()
            raise SandboxFailed(type(error).__name__) from None

    def _fresh(self) -> socket.socket:
        """A new child.  Raises OSError, Nonsense."""
        ours, theirs = socket.socketpair()
        self._channel = ours
        try:
            arguments = [str(theirs.fileno()), str(self._memory), str(int(self._seconds * JOBS_MOST))]
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                [sys.executable, "-m", self._program, *arguments],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,  # what ends it could quote what it read
            )
        finally:
            theirs.close()
        ours.settimeout(START_SECONDS)
        header, _ = receive(ours, most=0)
        self.confined = header.get("confined") is True
        ours.settimeout(self._seconds)
        return ours


class _Native:
    """What every proxy has."""

    native = True

    def __init__(self, name: str, sandbox: Sandbox) -> None:
        self.name, self._sandbox = name, sandbox

    def _frames(
        self, job: str, data: bytes, cleaning: Cleaning, budget: Budget, more: list[bytes] | None = None, **told: Any
    ) -> Iterator[Frame]:
        header = {"job": job, "format": self.name, "cleaning": words.dump_cleaning(cleaning), **told}
        return self._sandbox.run(header, [data, *(more or [])], budget)

    def _one(
        self, job: str, data: bytes, cleaning: Cleaning, budget: Budget, more: list[bytes] | None = None, **told: Any
    ) -> Frame:
        """The one frame of a job that has one.  Raises FilterError."""
        frames = list(self._frames(job, data, cleaning, budget, more, **told))
        if len(frames) != 1:
            raise Malformed("the decoder failed")
        return frames[0]

    def look(self, data: bytes) -> Looks:
        """``filters.looks.look``.  Raises FilterError."""
        header, _ = self._one("look", data, STRICT, Budget())
        with _nonsense():
            return words.load_looks(header)


def look_at(sandbox: Sandbox, data: bytes) -> Looks:
    """``filters.looks.look`` in ``sandbox``.  Raises FilterError."""
    return _Native("look", sandbox).look(data)


def one_frame(sandbox: Sandbox, job: str, data: bytes, cleaning: Cleaning, budget: Budget, seconds: float) -> Frame:
    """The one frame of a job that is not about one format.  Raises FilterError, SandboxFailed."""
    header = {"job": job, "format": "", "cleaning": words.dump_cleaning(cleaning)}
    frames = list(sandbox.run(header, [data], budget, seconds))
    if len(frames) != 1:
        raise Malformed("the decoder failed")
    return frames[0]


def pixels(sandbox: Sandbox, data: bytes) -> str:
    """``filters.pixels.fingerprint`` in ``sandbox``.  Raises FilterError."""
    header, _ = _Native("pixels", sandbox)._one("pixels", data, STRICT, Budget())
    return str(header.get("pixels"))


class SandboxedScrubber(_Native):
    """A scrubber that runs in the sandbox."""

    def inspect(self, data: bytes) -> ImageInfo:
        header, _ = self._one("inspect", data, STRICT, Budget())
        with _nonsense():
            return words.load_info(header.get("info"))

    def scrub(self, data: bytes, cleaning: Cleaning = STRICT) -> Scrubbed:
        header, blobs = self._one("scrub", data, cleaning, Budget())
        with _nonsense():
            return words.load_scrubbed(header, blobs, data)

    def residue(self, data: bytes, cleaning: Cleaning = STRICT) -> tuple[Finding, ...]:
        header, _ = self._one("residue", data, cleaning, Budget())
        with _nonsense():
            return words.load_findings(header.get("findings"))


class SandboxedOpener(_Native):
    """An opener that runs in the sandbox."""

    def __init__(self, name: str, sandbox: Sandbox, rebuilds: bool) -> None:
        super().__init__(name, sandbox)
        self.rebuilds = rebuilds

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """All of it is read before anything is handed on: a member may itself need the sandbox."""
        seen: list[Seen] = []
        for header, blobs in self._frames("open", data, cleaning, budget):
            with _nonsense():
                one = words.load_seen(header, blobs)
            if isinstance(one, Member):
                budget.member()
            seen.append(one)
        yield from seen

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        more = list(changes.values())
        _, blobs = self._one("rebuild", data, cleaning, budget, more, changes=list(changes), names=dict(names))
        if len(blobs) != 1:
            raise Malformed("the decoder failed")
        return blobs[0]


@contextlib.contextmanager
def _nonsense() -> Iterator[None]:
    """Raises Malformed for what a sandbox may not say."""
    try:
        yield
    except Nonsense:
        raise Malformed("the decoder failed") from None


def sandboxed(tools: Tools, sandbox: Sandbox) -> Tools:
    """``tools`` with everything that decodes with C code moved into ``sandbox``."""
    scrubbers: dict[str, Scrubber] = {
        name: SandboxedScrubber(name, sandbox) for name, one in tools.scrubbers.items() if one.native
    }
    openers: dict[str, Opener] = {
        name: SandboxedOpener(name, sandbox, one.rebuilds) for name, one in tools.openers.items() if one.native
    }
    return replace(
        tools,
        scrubbers=_Over(scrubbers, tools.scrubbers),
        openers=_Over(openers, tools.openers),
        look=_Native("look", sandbox).look,
    )


class _Over(Mapping[str, T]):
    """``upper`` where it has something, else ``lower``."""

    def __init__(self, upper: Mapping[str, T], lower: Mapping[str, T]) -> None:
        self._upper, self._lower = upper, lower

    def __getitem__(self, name: str) -> T:
        return self._upper[name] if name in self._upper else self._lower[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lower)

    def __len__(self) -> int:
        return len(self._lower)
