"""tar files as containers: every file is a member; owners, times and notes go when it is written anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from filters.api import STRICT, Budget, Cleaning, Fate, Finding, Malformed, Member, Seen
from filters.archives import systemfiles, tarheaders
from filters.archives.aside import worth
from filters.archives.tarheaders import BLOCK, CHARACTER, DEVICE, FIFO, Listing, Record

_DEVICES = frozenset((CHARACTER, DEVICE, FIFO))


class Tar:
    """The opener for tar files of every common kind."""

    name = "tar"
    native = False
    rebuilds = True

    def open(self, data: bytes, budget: Budget, cleaning: Cleaning = STRICT) -> Iterator[Seen]:
        """Every file, and what stands beside the files if it could be a picture.  Raises FilterError."""
        listing = tarheaders.read(data, budget)
        yield from _findings(data, listing)
        for start, end in _beside(data, listing):
            if worth(data[start:end]):
                budget.member()
                yield Member(f"bytes@{start}", data[start:end])
        if (second := tarheaders.second(data, listing.end)) is not None:
            budget.member()
            yield Member(f"bytes@{second}", data[second:])
        for record in listing.records:
            if record.is_file:
                budget.member()
                budget.grow(record.size, record.size)
                yield _member(data, record)

    def rebuild(
        self,
        data: bytes,
        changes: Mapping[str, bytes],
        names: Mapping[str, str],
        budget: Budget,
        cleaning: Cleaning = STRICT,
    ) -> bytes:
        """The archive without owners, times, devices and notes; ``names`` are whole paths.  Raises FilterError."""
        listing = tarheaders.read(data, budget)
        keys = {_key(record) for record in listing.records if record.is_file}
        beside = {f"bytes@{start}" for start, _ in _beside(data, listing)} | {f"bytes@{tarheaders.second(data, listing.end)}"}
        if not (changes.keys() | names.keys()) <= keys | beside:
            raise Malformed("no such member")
        view = memoryview(data)
        parts: list[bytes | memoryview] = []
        for record in listing.records:
            key = _key(record)
            if record.kind in _DEVICES or (key not in changes and _system_file(data, record)):
                continue
            body = changes.get(key, view[record.body : record.body + record.size])
            name = names[key].encode("utf-8", "replace").replace(b"\0", b"") if key in names else record.name
            parts += tarheaders.write(record, name, body)
        parts.append(bytes(2 * BLOCK))
        return b"".join(parts)


def _key(record: Record) -> str:
    return f"member@{record.index}"


def _member(data: bytes, record: Record) -> Member | Finding:
    if _system_file(data, record):
        return Finding(systemfiles.CODE, _key(record), Fate.REMOVED)
    return Member(_key(record), data[record.body : record.body + record.size], _shown(record.name))


def _system_file(data: bytes, record: Record) -> bool:
    name = _shown(record.name)
    if not record.is_file or not systemfiles.called_so(name):
        return False
    return systemfiles.is_one(name, data[record.body : record.body + record.size])


def _shown(name: bytes) -> str:
    try:
        return name.decode()
    except UnicodeDecodeError:
        return name.decode("latin-1")


def _findings(data: bytes, listing: Listing) -> Iterator[Finding]:
    """One of a code, at the first place."""
    told: dict[str, str] = {"tar.notes": f"byte@{listing.global_notes[0]}"} if listing.global_notes else {}
    for record in listing.records:
        for code, there in (
            ("tar.owner", record.owned),
            ("tar.time", record.dated),
            ("tar.notes", record.noted),
            ("tar.padding", record.padded),
            ("tar.device", record.kind in _DEVICES),
        ):
            if there:
                told.setdefault(code, _key(record))
    if data.count(0, listing.end) != len(data) - listing.end:
        told["tar.trailer"] = f"byte@{listing.end}"
    for code, where in told.items():
        yield Finding(code, where, Fate.REMOVED)


def _beside(data: bytes, listing: Listing) -> Iterator[tuple[int, int]]:
    """Spans of more than zeros that belong to no file: notes, the rest of last blocks, what follows the end."""
    yield from listing.note_spans
    for record in listing.records:
        if record.padded:
            yield record.body + record.size, record.end
    if data.count(0, listing.end) != len(data) - listing.end:
        yield listing.end, len(data)


TAR = Tar()
