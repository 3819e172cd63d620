"""Does the sandbox work on this machine, and what can be decoded in it?  For ``clinigate check``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from filters.api import Budget, FilterError
from filters.tree import Tools
from gateway.sandbox.parent import Sandbox, SandboxFailed, look_at, sandboxed

_GIF: Final = b"GIF89a\1\0\1\0\x80\0\0\0\0\0\xff\xff\xff,\0\0\0\0\1\0\1\0\0\2\2D\1\0;"  # one pixel
_AR: Final = b"!<arch>\n" + b"%-16s%-12d%-6d%-6d%-8o%-10d`\n" % (b"a/", 0, 0, 0, 0o100644, 1) + b"a\n"  # one file of one byte


def _pdf() -> bytes:
    """A document without a page (ISO 32000-1 7.5)."""
    objects = (b"1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj\n", b"2 0 obj<</Type/Pages/Kids[]/Count 0>>endobj\n")
    head = b"%PDF-1.4\n"
    second = len(head) + len(objects[0])
    table = b"xref\n0 3\n0000000000 65535 f \n%010d 00000 n \n%010d 00000 n \n" % (len(head), second)
    start = second + len(objects[1])
    return head + b"".join(objects) + table + b"trailer<</Size 3/Root 1 0 R>>\nstartxref\n%d\n%%%%EOF\n" % start


def _opened(name: str, data: bytes) -> Callable[[Sandbox], object]:
    return lambda sandbox: list(sandboxed(Tools(), sandbox).openers[name].open(data, Budget()))


LIBARCHIVE: Final = "7z, RAR, CAB and ISO"

# What is tried, in the words of the person who reads it.
PROBES: Final[Mapping[str, Callable[[Sandbox], object]]] = {
    "pictures": lambda sandbox: look_at(sandbox, _GIF),
    "PDF": _opened("pdf", _pdf()),
    LIBARCHIVE: _opened("ar", _AR),
}


def unable(sandbox: Sandbox) -> tuple[str, ...]:
    """The ``PROBES`` that fail.  Afterwards ``sandbox.confined`` says whether it is shut in; it is still to be closed."""
    return tuple(name for name, probe in PROBES.items() if not _works(probe, sandbox))


def _works(probe: Callable[[Sandbox], object], sandbox: Sandbox) -> bool:
    try:
        probe(sandbox)
    except (FilterError, SandboxFailed):
        return False
    return True
