"""Why a file cannot be looked into, and the errors that say so."""

from __future__ import annotations

from enum import StrEnum


class OpaqueReason(StrEnum):
    ENCRYPTED = "encrypted"
    CORRUPT = "corrupt"
    LIMIT = "limit"
    NOT_SUPPORTED = "image-not-supported"
    UNKNOWN = "unknown-type"


class FilterError(Exception):
    """A filter could not do its work.  The text names structure only, never content."""

    reason = OpaqueReason.CORRUPT


class Malformed(FilterError):
    """Truncated, lying or damaged: two programs might show different pictures."""

    reason = OpaqueReason.CORRUPT


class Unsupported(FilterError):
    reason = OpaqueReason.NOT_SUPPORTED


class Encrypted(FilterError):
    """The file says that it is encrypted."""

    reason = OpaqueReason.ENCRYPTED


class TooBig(FilterError):
    """A limit was reached."""

    reason = OpaqueReason.LIMIT
