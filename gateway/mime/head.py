"""The header section of a message as a flat list of fields, for signing and wrapping."""

from __future__ import annotations

from dataclasses import dataclass, field

from gateway.mime.header import read_block
from gateway.mime.part import Span


@dataclass(frozen=True, slots=True)
class Head:
    """Fields as written, in order, and the offset where the body begins."""

    fields: tuple[tuple[bytes, bytes], ...] = field(repr=False)  # (lower-case name, the whole field with its CRLF)
    body: int
    spans: tuple[Span, ...] = ()  # where each field stands, its line end included

    @classmethod
    def of(cls, message: bytes) -> Head:
        """Read by the same rules as everything else in the gateway reads headers, without a limit on their size."""
        block = read_block(message, 0, len(message), top=True, limit=len(message), fields=len(message))
        fields = tuple((one.key, message[one.span[0] : one.value_span[1]] + b"\r\n") for one in block.fields)
        return cls(fields, block.span[1], tuple(one.span for one in block.fields))

    def content(self) -> list[tuple[bytes, bytes]]:
        """The Content-* fields: they describe the body and stay with it."""
        return [(name, text) for name, text in self.fields if name.startswith(b"content-")]
