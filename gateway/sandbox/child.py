"""The sandbox itself: ``python -m gateway.sandbox.child FD MEMORY CPU_SECONDS``.  One job after the other, from one pipe.

It holds no key, no connection and no message but the file it is given.  Whatever goes wrong in it ends it, and the parent takes
the file for one that cannot be looked into.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

from filters.api import Budget, FilterError
from filters.archives import foreign
from filters.likeness import likeness, probe
from filters.looks import look
from filters.pixels import fingerprint
from filters.registry import OPENERS, SCRUBBERS
from gateway.lifeline import die_with
from gateway.sandbox import words
from gateway.sandbox.confine import limit, no_way_out
from gateway.sandbox.frames import Nonsense, receive, send

Frame = tuple[dict[str, Any], list[bytes]]
INPUT_MOST = 1 << 30


def main() -> None:
    """Entry point."""
    parent = os.getppid()
    for number in (signal.SIGINT, signal.SIGTERM):  # the parent decides when we end
        signal.signal(number, signal.SIG_IGN)
    die_with(parent)
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # OpenCV brings its own, which reserves memory for every core of the machine
    fd, memory, seconds = map(int, sys.argv[1:4])
    channel = socket.socket(fileno=fd)
    with contextlib.suppress(FilterError):
        foreign.load()  # finding the shared library starts a program, which is denied from here on
    tempfile.tempdir = os.devnull  # nothing can be written here: no library shall go looking for where
    limit(memory, seconds)
    confined = no_way_out()
    send(channel, {"ready": True, "confined": confined})
    while True:
        try:
            header, blobs = receive(channel, INPUT_MOST)
        except Nonsense:
            return
        for answer in _answers(header, blobs):
            send(channel, *answer)


def _answers(header: dict[str, Any], blobs: list[bytes]) -> Iterator[Frame]:
    budget = Budget(words.load_limits(header["limits"]))
    try:
        yield from _JOBS[header["job"]](header, blobs, budget)
        yield {"end": True, "spent": header["limits"]["total"] - budget.room}, []
    except FilterError as error:
        yield words.dump_error(error), []


def _open(header: dict[str, Any], blobs: list[bytes], budget: Budget) -> Iterator[Frame]:
    opener = OPENERS[header["format"]]
    for seen in opener.open(blobs[0], budget, words.load_cleaning(header["cleaning"])):
        yield words.dump_seen(seen)


def _rebuild(header: dict[str, Any], blobs: list[bytes], budget: Budget) -> Iterator[Frame]:
    opener = OPENERS[header["format"]]
    changes = dict(zip(header["changes"], blobs[1:], strict=True))
    yield {}, [opener.rebuild(blobs[0], changes, header["names"], budget, words.load_cleaning(header["cleaning"]))]


def _inspect(header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    yield {"info": words.dump_info(SCRUBBERS[header["format"]].inspect(blobs[0]))}, []


def _scrub(header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    done = SCRUBBERS[header["format"]].scrub(blobs[0], words.load_cleaning(header["cleaning"]))
    yield {"findings": words.dump_findings(done.findings)}, [] if done.data is blobs[0] else [done.data]


def _residue(header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    left = SCRUBBERS[header["format"]].residue(blobs[0], words.load_cleaning(header["cleaning"]))
    yield {"findings": words.dump_findings(left)}, []


def _look(_header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    looks = look(blobs[0])
    yield {"hash": looks.hash, "flat": looks.flat, "page": looks.page}, []


def _pixels(_header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    yield {"pixels": fingerprint(blobs[0])}, []


def _likeness(_header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    yield {}, [likeness(blobs[0])]


def _probe(_header: dict[str, Any], blobs: list[bytes], _budget: Budget) -> Iterator[Frame]:
    yield {}, probe(blobs[0])


_JOBS = {
    "likeness": _likeness,
    "probe": _probe,
    "look": _look,
    "pixels": _pixels,
    "open": _open,
    "rebuild": _rebuild,
    "inspect": _inspect,
    "scrub": _scrub,
    "residue": _residue,
}


if __name__ == "__main__":
    main()
