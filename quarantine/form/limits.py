"""How often one client may try links that are none.  A right link always works, so nobody can lock out a whole hospital."""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

TRIES: Final = 20  # wrong links within SPAN; more are answered without being looked at
SPAN: Final = 600.0
CLIENTS: Final = 4096  # remembered; the one not seen for longest is forgotten first


class WrongLinks:
    """Counts wrong links by client address (of an IPv6 address its /64, which is one household)."""

    def __init__(self) -> None:
        self._seen: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def add(self, client: str, now: float) -> bool:
        """Count one more.  True when this client has tried too many."""
        key = _household(client)
        with self._lock:
            since, count = self._seen.pop(key, (now, 0))
            if now - since >= SPAN:
                since, count = now, 0
            self._seen[key] = (since, count + 1)
            while len(self._seen) > CLIENTS:
                self._seen.popitem(last=False)
        return count + 1 > TRIES


def _household(client: str) -> str:
    return ":".join(client.split(":")[:4]) if client.count(":") > 1 else client
