"""Who may read the disclosure ledger: the information-governance team, and every look is recorded before anything is shown."""

from __future__ import annotations

from collections.abc import Mapping

from quarantine import roles
from quarantine.ops import Desk
from quarantine.state import NotAllowed


def looking(desk: Desk, user: str, what: str, asked: Mapping[str, object]) -> None:
    """Record that ``user`` looks; ``what`` is the command, ``asked`` what was searched for (keyed hashes, digests, times, codes).

    Raises ``NotAllowed`` for anybody but IG, and OSError when it cannot be recorded: then nothing is shown.
    """
    if roles.IG not in desk.settings.reviewers.roles_of(user):
        raise NotAllowed("only the information-governance team may read the disclosure ledger (quarantine: reviewers: ig:)")
    desk.audit.looked(user, what, asked)
