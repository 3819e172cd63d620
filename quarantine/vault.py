"""What the gateway holds with: seal, then make durable.  It has public keys only and cannot read what it wrote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from quarantine.emergencies.reason import sealed
from quarantine.keys import PublicKey
from quarantine.model import SealedObject
from quarantine.seal import seal_buffer
from quarantine.stores.api import Place, Store


class Vault:
    """Puts objects into ``incoming``.  Thread-safe: it keeps no state between calls; call it in an executor."""

    def __init__(self, store: Store, public_keys: Mapping[str, PublicKey]) -> None:
        if not public_keys:
            raise ValueError("no public keys: nothing could be held")
        self._store = store
        self._keys = dict(public_keys)

    def put(self, obj: SealedObject) -> None:
        """Seal ``obj`` and make it durable; returns only then.  Raises ``StoreError`` or ``SealError``: nothing was promised.

        An id that is there already (a retry of the same outcome) is made surely durable and not written again; one that the
        quarantine service has taken meanwhile is written again, and its intake knows it.
        """
        if self._store.sync(obj.id, obj.kind, Place.INCOMING):
            return
        self._store.put(obj.id, obj.kind, seal_buffer(self._put_aside(obj), self._keys), Place.INCOMING)

    def _put_aside(self, obj: SealedObject) -> SealedObject:
        """``obj`` with what only a reviewer may read sealed within its meta."""
        if not obj.aside:
            return obj
        told = {**obj.meta.get("emergency", {}), "reason": sealed(obj.aside, obj.id, self._keys)}
        return replace(obj, meta={**obj.meta, "emergency": told}, aside="")
