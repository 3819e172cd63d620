"""Protection per recipient (step 8).  ``METHODS`` is the registry: name -> method; a policy names them in its own order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from gateway.encryption.api import Method
from gateway.encryption.route import RouteMethod
from gateway.encryption.smimemethod import SmimeMethod

METHODS: Final[Mapping[str, Method]] = {
    "route": RouteMethod(),
    "smime": SmimeMethod(),
}
