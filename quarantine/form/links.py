"""Links to the form as notices show them.  Kept apart from the form's server, so that notices need none of it."""

from __future__ import annotations

from collections.abc import Callable

from quarantine import roles
from quarantine.answers.model import FORM
from quarantine.answers.secrets import Secrets
from quarantine.keys import load_secret
from quarantine.model import HoldRow, State
from quarantine.settings import Form, QuarantineSettings


def link(options: Form, secrets: Secrets, row: HoldRow) -> str:
    """What the notice about this hold shows its sender; "" when its sender has nothing to answer."""
    asked = row.state is State.ASKED and row.sender_kind == "person" and bool(row.sender)
    if not asked or not roles.may_decide(roles.SENDER, row.releases, row.reasons):
        return ""
    return f"{options.url}/{secrets.make(row.id, row.sender, FORM)}"


def linker(options: QuarantineSettings) -> Callable[[HoldRow], str]:
    """Makes the link of a hold; "" where no form is configured.  Raises KeyFileError, OSError."""
    form = options.form
    if form is None:
        return lambda row: ""
    secrets = Secrets(load_secret(options.release_key))
    return lambda row: link(form, secrets, row)
