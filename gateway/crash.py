"""Test hook: kill this process at a named point, as a power cut or an OOM killer would.

Inert unless the process was started with ``CLINIGATE_CRASH_AT=<name>``, of ``gateway.outcomes.commit.CRASH_POINTS``.  Never set
it outside a test: a gateway that has it dies at the first message.
"""

from __future__ import annotations

import os

_AT = os.environ.get("CLINIGATE_CRASH_AT", "")


def here(name: str) -> None:
    """Die here, without any clean-up, if this is the point the environment names."""
    if name == _AT:
        os._exit(137)
