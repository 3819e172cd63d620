"""``clinigate demo``: see it work."""

from __future__ import annotations

import contextlib
import os
import signal
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from gateway.commands.options import fail
from gateway.demo.run import Demo, DemoFailed, show, tell


def demo(
    once: Annotated[bool, typer.Option("--once", help="End after the table.")] = False,
    folder: Annotated[Path, typer.Option(help="Where the demo keeps everything; made anew.")] = Path(".demo"),
) -> None:
    """Start everything on embedded defaults in enforce mode, send sample mails, show what became of each, stay up."""
    console = Console(width=None if os.isatty(1) else 160)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # both ways to end it end what it started
    try:
        made = Demo(folder)
        with made.running():
            show(made, console)
            if not once:
                tell(made, console)
                with contextlib.suppress(KeyboardInterrupt):
                    signal.pause()
    except (DemoFailed, OSError) as error:
        fail(str(error), code=1)
    except KeyboardInterrupt:
        fail("ended before the table was complete", code=1)
