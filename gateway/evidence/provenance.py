"""Step 4, second half: where a picture comes from, by its hidden data and its name: the camera, a messenger.

Read before anything is taken out; the values stay here.  What is recorded is a code and, of the camera, a keyed hash.
"""

from __future__ import annotations

from datetime import date
from typing import Final

from filters.api import ImageInfo
from gateway.opening.leaves import Picture
from policies.lists.devices import Devices
from policies.lists.messengers import NAME_MESSENGER, messenger
from policies.model import Kind
from quarantine.keyedhash import KeyedHash

_PHOTOS: Final = (Kind.DEIDENTIFIED_PHOTO, Kind.IDENTIFIABLE_PHOTO, Kind.INTIMATE, Kind.CHILD, Kind.INTIMATE_CHILD, Kind.DECEASED)


def provenance(picture: Picture, devices: Devices, today: date) -> frozenset[str]:
    """The codes of one picture.  Only of photographs: a scanner or an X-ray unit is no camera."""
    node = picture.node
    if not node.clinical:
        return frozenset()
    codes = {NAME_MESSENGER} if picture.name and messenger(picture.name) is not None else set()
    if picture.kind in _PHOTOS and node.info is not None and not node.info.modality:
        codes.add(devices.standing(node.info.make, node.info.model, node.info.serial, today))
    return frozenset(codes)


def device_hash(info: ImageInfo | None, hashes: KeyedHash) -> str | None:
    """The same for all pictures of one camera; None where no serial number is stated."""
    if info is None or not info.serial:
        return None
    return hashes.of(f"device:{' '.join((info.make, info.model, info.serial)).casefold()}")
