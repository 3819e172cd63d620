"""The filters' values as JSON headers, and back; what comes back from a sandbox is believed only after validation."""

from __future__ import annotations

import re
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError

from filters.api import (
    Blocked,
    Cleaning,
    Encrypted,
    FilterError,
    Finding,
    ImageInfo,
    Malformed,
    Member,
    OpaqueReason,
    Scrubbed,
    Seen,
    TooBig,
    Unsupported,
)
from filters.budget import Limits
from filters.looks import Looks
from gateway.sandbox.frames import Nonsense

T = TypeVar("T")
_INFO: Final = TypeAdapter(ImageInfo)
_FINDING: Final = TypeAdapter(Finding)
_FINDINGS: Final = TypeAdapter(tuple[Finding, ...])
_BLOCKED: Final = TypeAdapter(Blocked)
_MEMBER: Final = TypeAdapter(Member)
_LIMITS: Final = TypeAdapter(Limits)
_ERRORS: Final[dict[str, type[FilterError]]] = {
    OpaqueReason.ENCRYPTED: Encrypted,
    OpaqueReason.CORRUPT: Malformed,
    OpaqueReason.LIMIT: TooBig,
    OpaqueReason.NOT_SUPPORTED: Unsupported,
}


def dump_cleaning(cleaning: Cleaning) -> dict[str, Any]:
    return {
        "properties": cleaning.properties,
        "authors": cleaning.authors,
        "revisions": cleaning.revisions,
        "previews": cleaning.previews,
        "dicom": sorted(cleaning.dicom),
        "uid_key": cleaning.uid_key.hex(),
    }


def load_cleaning(told: dict[str, Any]) -> Cleaning:
    return Cleaning(**told | {"dicom": frozenset(told["dicom"]), "uid_key": bytes.fromhex(told["uid_key"])})


def dump_limits(limits: Limits) -> dict[str, Any]:
    return dict(_LIMITS.dump_python(limits))


def load_limits(told: dict[str, Any]) -> Limits:
    return _LIMITS.validate_python(told)


def dump_info(info: ImageInfo) -> dict[str, Any]:
    return dict(_INFO.dump_python(info, mode="json"))


def load_info(told: Any) -> ImageInfo:
    """Raises Nonsense."""
    return _valid(_INFO, told)


def load_looks(told: dict[str, Any]) -> Looks:
    """Raises Nonsense."""
    if not re.fullmatch("[0-9a-f]{16}", str(told.get("hash"))):
        raise Nonsense("no hash")
    return Looks(str(told["hash"]), told.get("flat") is True, told.get("page") is True)


def dump_seen(seen: Seen) -> tuple[dict[str, Any], list[bytes]]:
    """Header and blobs of one thing that an opener saw."""
    if isinstance(seen, Member):
        told = _MEMBER.dump_python(seen, mode="json", exclude={"data"})
        return {"member": told}, [seen.data]
    if isinstance(seen, Finding):
        return {"finding": _FINDING.dump_python(seen, mode="json")}, []
    return {"blocked": _BLOCKED.dump_python(seen, mode="json")}, []


def load_seen(header: dict[str, Any], blobs: list[bytes]) -> Seen:
    """Raises Nonsense."""
    match header, blobs:
        case {"member": dict(told)}, [data]:
            return _valid(_MEMBER, told | {"data": data})
        case {"finding": told}, []:
            return _valid(_FINDING, told)
        case {"blocked": told}, []:
            return _valid(_BLOCKED, told)
    raise Nonsense("neither member nor finding")


def dump_findings(findings: tuple[Finding, ...]) -> list[Any]:
    return list(_FINDINGS.dump_python(findings, mode="json"))


def load_findings(told: Any) -> tuple[Finding, ...]:
    """Raises Nonsense."""
    return _valid(_FINDINGS, told)


def load_scrubbed(header: dict[str, Any], blobs: list[bytes], data: bytes) -> Scrubbed:
    """``data`` is the input: the very same object again when nothing had to change.  Raises Nonsense."""
    if len(blobs) > 1:
        raise Nonsense("more than one file")
    return Scrubbed(blobs[0] if blobs else data, load_findings(header.get("findings")))


def dump_error(error: FilterError) -> dict[str, Any]:
    return {"error": error.reason.value, "text": str(error)}


def load_error(header: dict[str, Any]) -> FilterError:
    """Raises Nonsense."""
    kind = _ERRORS.get(str(header["error"]))
    if kind is None:
        raise Nonsense("no such error")
    return kind(str(header.get("text", "")))


def _valid(adapter: TypeAdapter[T], told: Any) -> T:
    try:
        return adapter.validate_python(told)
    except ValidationError:
        raise Nonsense("not of its type") from None
