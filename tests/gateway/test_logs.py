"""P5: no level logs content, addresses or exception texts, whoever logs."""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import textwrap

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.e2e

SECRET = "CANARY Mrs Jones 943 476 5919"


def said(script: str, level: str = "DEBUG") -> tuple[str, str, int]:
    """(standard error, standard output, exit code) of a program that begins as ours do."""
    program = f"from gateway import logs\nlogs.setup({level!r})\nSECRET = {SECRET!r}\n" + textwrap.dedent(script)
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT, timeout=60)
    return done.stderr, done.stdout, done.returncode


def test_each_line_is_one_json_object_on_standard_error() -> None:
    err, out, _ = said(
        """
        import structlog
        structlog.get_logger().info("one", count=1)
        structlog.get_logger().debug("two")
        """
    )
    assert out == ""
    lines = [json.loads(line) for line in err.splitlines()]
    assert [(line["event"], line["level"]) for line in lines] == [("one", "info"), ("two", "debug")]
    assert lines[0]["count"] == 1
    assert lines[0]["timestamp"].endswith("Z")


def test_the_level_is_kept() -> None:
    err, _, _ = said("import structlog\nlog = structlog.get_logger()\nlog.info('no'); log.warning('yes')", "WARNING")
    assert [json.loads(line)["event"] for line in err.splitlines()] == ["yes"]


def test_other_libraries_are_heard_of_and_never_quoted() -> None:
    """aiosmtpd prints body lines at DEBUG and addresses at INFO; asyncio prints the text of lost exceptions at ERROR."""
    err, out, _ = said(
        """
        import logging
        for name in ("mail", "mail.log", "mail.debug", "asyncio", "some.library"):
            for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
                logging.getLogger(name).log(level, "%s", SECRET)
        """
    )
    assert SECRET not in err + out
    names = ("mail", "mail.log", "mail.debug", "asyncio", "some.library")
    assert set(err.splitlines()) == {f"{level} {name}" for level in ("WARNING", "ERROR") for name in names}


def test_the_text_of_an_exception_is_told_by_nobody() -> None:
    """Symptom: an exception in a forgotten task printed its text, which may quote a message.  Cause: a format without the
    message still prints the traceback."""
    err, out, code = said(
        """
        import asyncio, gc, logging, threading
        def fail(): raise ValueError(SECRET)
        try:
            fail()
        except ValueError:
            logging.getLogger("asyncio").exception("x")
            logging.getLogger("mail.log").error("x", exc_info=True, stack_info=True)
        async def lost(): fail()
        async def main():
            asyncio.create_task(lost())
            await asyncio.sleep(0.01)
            gc.collect()
        asyncio.run(main())
        thread = threading.Thread(target=fail); thread.start(); thread.join()
        fail()
        """
    )
    assert SECRET not in err + out
    assert "Jones" not in err
    assert code == 1
    assert err.count("ValueError at __main__:") == 3
    events = [json.loads(line) for line in err.splitlines() if line.startswith("{")]
    assert [(event["event"], event["error"]) for event in events] == [("uncaught", "ValueError")] * 2
    assert events[0]["at"].startswith("__main__:")


def test_a_keyboard_interrupt_and_an_exit_are_no_errors() -> None:
    err, _, code = said("raise SystemExit(3)")
    assert (err, code) == ("", 3)


def test_every_level_of_the_configuration_is_one_of_logging() -> None:
    from gateway.config import Settings

    levels = Settings.model_fields["log_level"].annotation.__args__  # type: ignore[union-attr]  # a Literal
    assert set(levels) <= set(logging.getLevelNamesMapping())


@pytest.mark.parametrize("where", ["full disk", "closed pipe"])
def test_what_cannot_be_said_stops_nothing(where: str) -> None:
    """Symptom: with the log on a full disk mail was delivered and then not answered, and delivered again at every try."""
    program = (
        "import logging, structlog\nfrom gateway import logs\nlogs.setup('INFO')\n"
        "for _ in range(500): structlog.get_logger().info('one', text='x' * 100); logging.getLogger('a').error('two')\n"
        "print('went on')"
    )
    if where == "full disk":
        stderr = os.open("/dev/full", os.O_WRONLY)
    else:
        reader, stderr = os.pipe()
        os.close(reader)
    try:
        done = subprocess.run([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=stderr, cwd=ROOT, timeout=60)
    finally:
        os.close(stderr)
    assert done.stdout == b"went on\n"
