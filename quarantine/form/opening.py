"""The form, composed from the service's parts."""

from __future__ import annotations

from collections.abc import Callable

from quarantine import ops
from quarantine.answers.desk import Answers
from quarantine.answers.secrets import Secrets
from quarantine.deadlines import reminder_at
from quarantine.form.app import Office, make_app
from quarantine.form.server import FormServer
from quarantine.keys import load_secret
from quarantine.model import HoldRow
from quarantine.notices.settings import from_options
from quarantine.notices.wording import SHIPPED, load


def office(desk: ops.Desk, nudge: Callable[[], None] = lambda: None) -> Office:
    """What the form works with.  Raises SettingsError, TemplateError, KeyFileError, OSError."""
    options = desk.settings

    def reminded(row: HoldRow) -> float | None:
        return reminder_at(row, options.deadlines, options.office) if row.action == "ASK" else None

    return Office(
        Answers(desk, Secrets(load_secret(options.release_key))), desk.records, load(options.templates or SHIPPED),
        from_options(options), desk.clock, reminded, nudge,
    )  # fmt: skip


def open_form(desk: ops.Desk, nudge: Callable[[], None]) -> FormServer | None:
    """The form as the configuration says, started; None where none is configured."""
    options = desk.settings.form
    return None if options is None else FormServer(make_app(office(desk, nudge), options), options)
