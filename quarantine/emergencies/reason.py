"""The reason of an emergency: free text that may name a patient, hence sealed to ``review`` wherever it is kept.

It stands inside the meta of an OUTCOME (which the service itself can open) as a sealed object of its own, in base64: only the
holder of the review key reads it.  Gateway and service have the public key.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Final

from quarantine.keys import PrivateKey, PublicKey
from quarantine.model import ObjectKind, SealedObject
from quarantine.seal import Damaged, seal, unseal

REVIEW: Final = "review"
LONGEST: Final = 1000  # characters kept


def sealed(text: str, identity: str, public_keys: Mapping[str, PublicKey], key: str = REVIEW) -> str:
    """``text`` as only a reviewer can read it, or with ``key`` online the service.  Raises ``SealError``.

    ``identity``: 32 hex digits of what it belongs to.
    """
    obj = SealedObject(identity, ObjectKind.OUTCOME, key, {"reason": text[:LONGEST]})
    return base64.b64encode(seal(obj, public_keys)).decode("ascii")


def opened(blob: str, private_keys: Mapping[str, PrivateKey]) -> str:
    """The text.  Raises ``NoKey`` when the review key is not here, ``Damaged`` for what was changed."""
    try:
        data = base64.b64decode(blob, validate=True)
    except (binascii.Error, ValueError):
        raise Damaged("the reason is not what was sealed") from None
    return str(unseal(data, private_keys).meta.get("reason", ""))
