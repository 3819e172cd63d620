"""Where sealed objects stand.  A new kind of store is one file that fits ``Store`` and one line in ``STORES``."""

from __future__ import annotations

from collections.abc import Mapping

from quarantine.stores.api import Data, Entry, Missing, Place, Store, StoreError
from quarantine.stores.folder import FolderStore

STORES: Mapping[str, type[FolderStore]] = {"folder": FolderStore}

__all__ = ["STORES", "Data", "Entry", "FolderStore", "Missing", "Place", "Store", "StoreError"]
