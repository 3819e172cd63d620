"""When and of which side a picture was taken: it goes from the file, and a policy may have it written into the encrypted text.

A wound is judged by its course, and a mirrored side harms (guidance row S4-22, hazard H-05).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from filters.api import ImageInfo
from gateway.facts import capture_day
from gateway.message import Edit, Message
from gateway.opening.leaves import Leaf

_SIDES: Final = {"L": "left", "R": "right", "B": "both sides"}
_MONTHS: Final = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def words(named: Sequence[tuple[str, Leaf]]) -> str:
    """One line for each picture that states a day or a side; "" when none does.  ``named``: (name as sent, leaf)."""
    lines = [line for name, leaf in named for node in leaf.node.walk() if node.clinical and (line := _line(name, node.info))]
    return "\r\n".join(["What the files said before it was taken out of them:", *dict.fromkeys(lines)]) if lines else ""


def _line(name: str, info: ImageInfo | None) -> str:
    if info is None:
        return ""
    day = capture_day(info.taken)
    said = [f"taken {_written(day, info.taken)}"] if day else []
    if info.laterality in _SIDES:
        said.append(f"side: {_SIDES[info.laterality]}")
    return f"{name}: {', '.join(said)}" if said else ""


def _written(day: str, taken: str) -> str:
    """"4 March 2026, 10:20": day and month in an order that nobody reads otherwise."""
    year, month, date = day.split("-")
    clock = taken.replace("T", " ").partition(" ")[2][:5]
    timed = len(clock) == 5 and clock[2] == ":" and (clock[:2] + clock[3:]).isdigit()
    return f"{int(date)} {_MONTHS[int(month) - 1]} {year}" + (f", {clock}" if timed else "")


def insertion(message: Message, text: str) -> Edit | None:
    """An edit that adds ``text`` (ASCII) as the last part of the message; None when the message is no plain multipart/mixed."""
    top = message.parts[0]
    boundary = top.params.get("boundary", "")
    children = [part for part in message.parts if part.parent == top.path]
    if top.content_type != "multipart/mixed" or not children or not boundary:
        return None
    line = message.newline
    head = line.join((b"", b"--" + boundary.encode(), b"Content-Type: text/plain; charset=us-ascii", b"", b""))
    at = children[-1].body[1]
    return Edit(at, at, head + text.encode("ascii", "replace").replace(b"\r\n", line))
